"""The contract of `departures_ahead`: what its rows must look like.

Limits of the rows are those of the flights' feeds (`flights.py`).
"""

from collections.abc import Mapping

from expectations.flights import MOVEMENTS, SCHEDULE, WEATHER, WEATHER_VALUES
from expectations.rules import Between, InSet, NotNull, Ordered, Rule

_SERIES: tuple[Rule, ...] = (
    InSet("origin", ("EWR", "JFK", "LGA"), because="the case is the flights out of New York"),
)
_TARGET: tuple[Rule, ...] = (
    *_SERIES,
    Between("horizon_hours", 1, 72, because="three days are forecast, hour by hour"),
)
# Newark has 39 in its busiest hour.
_NUM_FLIGHTS_MAX = 200


def _counts(*columns: str) -> tuple[Rule, ...]:
    because = "the busiest hour of the year at one airport has 39 flights"
    return tuple(Between(column, 0, _NUM_FLIGHTS_MAX, because=because) for column in columns)


def _delays(*columns: str) -> tuple[Rule, ...]:
    because = "no mean delay is outside what one flight may have"
    return tuple(Between(column, -120, 2000, because=because) for column in columns)


def row_rules() -> Mapping[str, tuple[Rule, ...]]:
    """What every row of each feed must satisfy; a row that does not goes to quarantine."""
    return {"schedule": SCHEDULE, "movements": MOVEMENTS, "weather": WEATHER}


def table_keys() -> Mapping[str, tuple[str, ...]]:
    """What names a row of the gold tables that are no entity states, beside `known_at`."""
    target = ("origin", "carrier", "target_hour_at", "horizon_hours")
    return {
        "gold.hours": ("origin", "carrier", "hour_at"),
        "gold.decisions": target,
        "gold.labels": target,
    }


def table_rules() -> Mapping[str, tuple[Rule, ...]]:
    """What every row of a silver or gold table must satisfy, beyond what its names promise."""
    return {
        "silver.weather": WEATHER,
        "gold.hours": (
            *_SERIES,
            *_counts("num_planned", "num_departures", "num_cancellations"),
            *_delays("departure_delay_minutes_mean"),
            Ordered("hour_at", "known_at", because="an hour counts from its beginning"),
        ),
        "gold.labels": (
            *_TARGET,
            NotNull("num_departures", because="an hour of known flights has a number of them"),
            NotNull("num_cancellations", because="an hour of known flights has a number of them"),
            *_counts("num_departures", "num_cancellations"),
            *_delays("departure_delay_minutes_mean"),
        ),
        "gold.decisions": (
            *_TARGET,
            Between("local_hour", 0, 23, because="hours of a day"),
            Between("local_weekday", 1, 7, because="Monday to Sunday"),
            NotNull("num_planned_expected", because="an hour without flights is not forecast"),
            Between("num_planned_expected", 1, _NUM_FLIGHTS_MAX, because="so it is where it is"),
            *(
                NotNull(f"naive_{name}", because="a champion is measured against it")
                for name in ("num_departures", "num_cancellations", "departure_delay_minutes_mean")
            ),
            *_counts("naive_num_departures", "naive_num_cancellations"),
            *_delays("naive_departure_delay_minutes_mean"),
        ),
        "gold.series_states": _delays(
            *(f"departure_delay_minutes_mean_{span}" for span in ("3h", "6h", "24h", "72h"))
        ),
        "gold.origin_states": WEATHER_VALUES,
    }
