"""The contract of `flight_delays`: what its rows must look like.

Every limit was held against all of the source's 336,776 flights and 26,115 hours of weather; one
real row breaks its rule (a wind of 1,048 mph at Newark on 12 February).
"""

from collections.abc import Mapping

from expectations.rules import Between, InSet, Matches, NotNull, Ordered, Rule

_AIRPORT_CODE = "[A-Z0-9]{3}"
_CARRIER_CODE = "[A-Z0-9]{2}"
# One real aircraft is D942DN; the others start with N.
_TAIL_NUMBER = "[A-Z][A-Z0-9]{4,5}"
_MOVES = ("departed", "arrived", "cancelled", "diverted")
_FLOWN = ("movement", ("departed", "arrived"))

_FLIGHT: tuple[Rule, ...] = (
    Matches("carrier", _CARRIER_CODE, because="IATA names airlines by two characters"),
    NotNull("carrier", because="states are grouped by airline"),
    Between("flight_number", 1, 9999, because="airlines print at most four digits"),
    NotNull("flight_number", because="it is part of the flight's identity"),
    Matches("tail_number", _TAIL_NUMBER, because="registrations are 5 or 6 characters"),
    InSet("origin", ("EWR", "JFK", "LGA"), because="the case is the flights out of New York"),
    NotNull("origin", because="states are grouped by airport of departure"),
    Matches("destination", "[A-Z]{3}", because="IATA names airports by three letters"),
    NotNull("destination", because="states are grouped by airport of arrival"),
    NotNull("scheduled_departure_at", because="the moment of decision is counted from it"),
    NotNull("scheduled_arrival_at", because="lateness is counted from it"),
    Ordered(
        "scheduled_departure_at",
        "scheduled_arrival_at",
        because="both are UTC, so no flight arrives before it leaves",
    ),
)

_SCHEDULE: tuple[Rule, ...] = (
    *_FLIGHT,
    NotNull("local_date", because="weekday and holiday are read from it"),
    NotNull("local_hour", because="the hour of departure is a feature"),
    Between("local_hour", 0, 23, because="hours of a day"),
    NotNull("local_minute", because="the time of departure is a feature"),
    Between("local_minute", 0, 59, because="minutes of an hour"),
    NotNull("distance_miles", because="it is a feature of every flight"),
    Between("distance_miles", 10, 6000, because="17 (to LaGuardia) to 4,983 (to Honolulu)"),
)

_MOVEMENTS: tuple[Rule, ...] = (
    *_FLIGHT,
    InSet(
        "movement",
        _MOVES,
        because="the states and the labels know these four",
    ),
    NotNull("delay_minutes", when=_FLOWN, because="it is the label and the live signal"),
    Between("delay_minutes", -120, 2000, because="the year's are from -86 to 1,301"),
    Between("air_time_minutes", 10, 1000, because="the year's are from 20 to 695"),
)

_WEATHER_VALUES: tuple[Rule, ...] = (
    Between("temperature_fahrenheit", -60, 130, because="colder or hotter is a broken sensor"),
    Between("dew_point_fahrenheit", -80, 100, because="95 is the highest ever measured"),
    Between("humidity_percent", 0, 100, because="a share"),
    Between("wind_direction_degrees", 0, 360, because="a compass; 0 is calm, 360 is north"),
    Between("wind_speed_mph", 0, 250, because="253 is the strongest gust ever measured"),
    Between("wind_gust_mph", 0, 255, because="253 is the strongest gust ever measured"),
    Between("precipitation_inches", 0, 15, because="12 in an hour is the world record"),
    Between("pressure_millibars", 850, 1090, because="the records are 870 and 1,084"),
    Between("visibility_miles", 0, 10, because="American stations report at most 10"),
)
_WEATHER: tuple[Rule, ...] = (
    Matches("origin", _AIRPORT_CODE, because="IATA names airports by three characters"),
    *_WEATHER_VALUES,
)

_AIRPORTS: tuple[Rule, ...] = (
    Matches("airport", _AIRPORT_CODE, because="FAA and IATA codes have three characters"),
    NotNull("name", because="reports show it"),
    NotNull("latitude", because="a place has both coordinates"),
    Between("latitude", -90, 90, because="degrees north"),
    NotNull("longitude", because="a place has both coordinates"),
    Between("longitude", -180, 180, because="degrees east"),
    Between("altitude_feet", -1500, 16000, because="the lowest lies by the Dead Sea"),
    Matches("time_zone", "[A-Za-z_]+(?:/[A-Za-z_-]+)+", because="IANA names are Area/City"),
)

_AIRLINES: tuple[Rule, ...] = (
    Matches("carrier", _CARRIER_CODE, because="IATA names airlines by two characters"),
    NotNull("name", because="reports show it"),
)

_PLANES: tuple[Rule, ...] = (
    Matches("tail_number", _TAIL_NUMBER, because="registrations are 5 or 6 characters"),
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
        "schedule": _SCHEDULE,
        "movements": _MOVEMENTS,
        "weather": _WEATHER,
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
        "silver.schedule": _SCHEDULE,
        "silver.movements": _MOVEMENTS,
        "silver.weather": _WEATHER,
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
            InSet("last_movement", _MOVES, because="a state is that of something that happened"),
            *_delays("last_departure_delay_minutes", "last_arrival_delay_minutes"),
            *_delays("departure_delay_minutes_mean_3d", "arrival_delay_minutes_mean_3d"),
        ),
        "gold.origin_weather_states": (
            Between("observation_age_minutes", 0, 360, because="an older one is unknown"),
            *_WEATHER_VALUES,
        ),
    }
