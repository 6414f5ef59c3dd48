"""The contract of `flight_delays`: what its rows must look like.

Limits of the rows are those of the flights' feeds (`flights.py`).
"""

from collections.abc import Mapping

from expectations.flights import (
    AIRPORT_CODE,
    CARRIER_CODE,
    MOVEMENTS,
    MOVES,
    SCHEDULE,
    TAIL_NUMBER,
    WEATHER,
    WEATHER_VALUES,
)
from expectations.rules import Between, InSet, Matches, NotNull, Rule

_AIRPORTS: tuple[Rule, ...] = (
    Matches("airport", AIRPORT_CODE, because="FAA and IATA codes have three characters"),
    NotNull("name", because="reports show it"),
    NotNull("latitude", because="a place has both coordinates"),
    Between("latitude", -90, 90, because="degrees north"),
    NotNull("longitude", because="a place has both coordinates"),
    Between("longitude", -180, 180, because="degrees east"),
    Between("altitude_feet", -1500, 16000, because="the lowest lies by the Dead Sea"),
    Matches("time_zone", "[A-Za-z_]+(?:/[A-Za-z_-]+)+", because="IANA names are Area/City"),
)

_AIRLINES: tuple[Rule, ...] = (
    Matches("carrier", CARRIER_CODE, because="IATA names airlines by two characters"),
    NotNull("name", because="reports show it"),
)

_PLANES: tuple[Rule, ...] = (
    Matches("tail_number", TAIL_NUMBER, because="registrations are 5 or 6 characters"),
    Between("year_built", 1920, 2100, because="the oldest still flying are of the 1930s"),
    NotNull("manufacturer", because="it is a feature of the flight"),
    NotNull("model", because="it is a feature of the flight"),
    Between("num_engines", 1, 8, because="no airliner has more than eight"),
    Between("num_seats", 1, 900, because="the largest, an A380, has at most 853"),
)


def row_rules() -> Mapping[str, tuple[Rule, ...]]:
    """What every row of each feed must satisfy; a row that does not goes to quarantine.

    That key and time columns have values, and that instants are plausible, holds for every case
    and is checked by ingest itself.
    """
    return {
        "schedule": SCHEDULE,
        "movements": MOVEMENTS,
        "weather": WEATHER,
        "airports": _AIRPORTS,
        "airlines": _AIRLINES,
        "planes": _PLANES,
    }


def _delays(*columns: str) -> tuple[Rule, ...]:
    because = "no mean or last delay is outside what one flight may have"
    return tuple(Between(column, -120, 2000, because=because) for column in columns)


def _waits(*columns: str) -> tuple[Rule, ...]:
    # A flight counts as overdue until it is known to be cancelled: an hour, and a day at most.
    return tuple(
        Between(column, 0, 1440, because="overdue for a day at most") for column in columns
    )


def table_keys() -> Mapping[str, tuple[str, ...]]:
    """What names a row of the gold tables that are no entity states, beside `known_at`."""
    return {f"gold.{name}": ("flight_id",) for name in ("flights", "decisions", "labels")}


def table_rules() -> Mapping[str, tuple[Rule, ...]]:
    """What every row of a silver or gold table must satisfy, beyond what its names promise."""
    return {
        "silver.schedule": SCHEDULE,
        "silver.movements": MOVEMENTS,
        "silver.weather": WEATHER,
        "gold.labels": (
            NotNull("is_late", because="a label is true or false"),
            NotNull("scheduled_departure_at", because="the decision times are counted from it"),
            *_delays("arrival_delay_minutes"),
        ),
        "gold.flights": (
            NotNull("scheduled_departure_at", because="the decision times are counted from it"),
            Between("local_weekday", 1, 7, because="Monday to Sunday"),
        ),
        "gold.decisions": (
            Between("lead_minutes", 0, 1440, because="decided before the flight, on its day"),
        ),
        "gold.origin_states": (
            *_delays(*(f"departure_delay_minutes_mean_{span}" for span in ("1h", "3h", "24h"))),
            *_delays(*(f"arrival_delay_minutes_mean_{span}" for span in ("3h", "24h"))),
            *_waits("overdue_minutes_mean", "overdue_minutes_max"),
        ),
        "gold.origin_carrier_states": (
            *_delays(*(f"departure_delay_minutes_mean_{span}" for span in ("3h", "24h"))),
            *_delays(*(f"arrival_delay_minutes_mean_{span}" for span in ("6h", "24h"))),
            *_waits("overdue_minutes_mean", "overdue_minutes_max"),
        ),
        "gold.destination_states": (
            *_delays(*(f"arrival_delay_minutes_mean_{span}" for span in ("3h", "6h", "24h"))),
            *_delays("departure_delay_minutes_mean_6h", "departure_delay_minutes_mean_in_air"),
        ),
        "gold.carrier_route_states": _delays(
            "arrival_delay_minutes_mean_7d",
            "arrival_delay_minutes_mean_28d",
            "departure_delay_minutes_mean_28d",
        ),
        "gold.tail_states": (
            InSet("last_movement", MOVES, because="a state is that of something that happened"),
            *_delays("last_departure_delay_minutes", "last_arrival_delay_minutes"),
            *_delays("departure_delay_minutes_mean_3d", "arrival_delay_minutes_mean_3d"),
        ),
        "gold.origin_weather_states": (
            Between("observation_age_minutes", 0, 360, because="an older one is unknown"),
            *WEATHER_VALUES,
        ),
    }
