"""Gold, as dbt builds it on the real Spark: right in every column, blind to what came later."""

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from pipelines.core import journal
from pipelines.core.errors import CheckFailed
from pipelines.core.registry import TRANSFORM
from pipelines.stores import compiled, objects
from pipelines.use_cases.spec.interval import Interval

Row = dict[str, Any]
Tables = dict[str, list[Row]]
DAY = timedelta(days=1)
# How many (entity, instant) pairs of each table the brute force looks at.
SAMPLE = 250

# Each grid table: its keys, the days it looks back, and its brute force.
GRIDS: dict[str, tuple[tuple[str, ...], int, int, str]] = {
    "origin_states": (("origin",), 15, 3, "origin_state"),
    "origin_carrier_states": (("origin", "carrier"), 60, 3, "origin_carrier_state"),
    "destination_states": (("destination",), 60, 3, "destination_state"),
    "carrier_route_states": (("carrier", "origin", "destination"), 1440, 28, "carrier_route_state"),
}


def conformed(rows: list[Row]) -> list[Row]:
    """As silver has it: registrations in upper case, blank ones null."""
    return [r | {"tail_number": (r["tail_number"] or "").strip().upper() or None} for r in rows]


def assert_equal(found: Row, expected: Row, where: str) -> None:
    """Every column of `found` is in `expected`, and equal to 1e-9."""
    assert set(found) - {"known_at", "known_date"} == set(expected), where
    for name, value in expected.items():
        both = f"{where} {name}: {found[name]} in the table, {value} by brute force"
        if isinstance(value, float) and found[name] is not None:
            assert found[name] == pytest.approx(value, abs=1e-9), both
        else:
            assert found[name] == value, both


@pytest.mark.parametrize("name", GRIDS)
def test_a_grid_state_is_what_brute_force_finds(
    name: str, built: Tables, bronze: Tables, oracle: ModuleType
) -> None:
    keys, _, days, brute_force = GRIDS[name]
    rows = built[name]
    plans, movements = conformed(bronze["schedule"]), conformed(bronze["movements"])
    for row in random.Random(1).sample(rows, min(SAMPLE, len(rows))):  # noqa: S311
        entity = {key: row[key] for key in keys}
        known = oracle.Known.before(row["known_at"], plans, movements, days, **entity)
        expected = entity | getattr(oracle, brute_force)(known)
        assert_equal(row, expected, f"{name} {entity} at {row['known_at']}")


@pytest.mark.parametrize("name", GRIDS)
def test_an_entity_has_states_exactly_while_its_flights_are_published(
    name: str, built: Tables, bronze: Tables, oracle: ModuleType, world: ModuleType
) -> None:
    keys, step, days, _ = GRIDS[name]
    count = world.DAYS * 24 * 60 // step
    instants = [world.START + number * timedelta(minutes=step) for number in range(1, count + 1)]
    expected = {
        (*(plan[key] for key in keys), at)
        for at in instants
        for plan in oracle.newest(
            bronze["schedule"], ("flight_id",), lambda row, at=at: row["known_at"] < at
        )
        if plan["known_at"] >= at - days * DAY
    }
    found = [(*(row[key] for key in keys), row["known_at"]) for row in built[name]]
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_the_weather_is_what_brute_force_finds(
    built: Tables, bronze: Tables, oracle: ModuleType, world: ModuleType
) -> None:
    found = {(row["origin"], row["known_at"]): row for row in built["origin_weather_states"]}
    dice = random.Random(2)  # noqa: S311
    for _ in range(SAMPLE):
        origin = dice.choice(world.AIRPORTS)
        at = world.START + dice.randrange(1, world.DAYS * 96 + 1) * timedelta(minutes=15)
        expected = oracle.weather_state(bronze["weather"], at, origin)
        if expected is None:
            assert (origin, at) not in found
        else:
            row = found[origin, at]
            assert_equal(row, {"origin": origin} | expected, f"weather {origin} at {at}")


def test_an_aircraft_state_is_what_brute_force_finds(
    built: Tables, bronze: Tables, oracle: ModuleType, world: ModuleType
) -> None:
    movements = conformed(bronze["movements"])
    end = world.START + world.DAYS * DAY
    kept = oracle.newest(movements, ("flight_id", "movement", "known_at"), lambda _: True)
    expected = {
        (row["tail_number"], row["known_at"])
        for row in kept
        if row["tail_number"] and world.START <= row["known_at"] < end
    }
    rows = built["tail_states"]
    assert {(row["tail_number"], row["known_at"]) for row in rows} == expected
    for row in random.Random(3).sample(rows, min(SAMPLE, len(rows))):  # noqa: S311
        tail = row["tail_number"]
        state = oracle.tail_state(movements, row["known_at"], tail)
        assert_equal(row, {"tail_number": tail} | state, f"{tail} at {row['known_at']}")


def test_a_flight_is_described_by_what_was_planned_when_it_was_published(
    built: Tables, bronze: Tables, oracle: ModuleType
) -> None:
    plans = conformed(bronze["schedule"])
    planes = {(p["tail_number"], p["known_at"]): p for p in conformed(bronze["planes"])}
    snapshots = sorted({known_at for _, known_at in planes})
    for row in built["flights"]:
        at = row["known_at"]
        known = oracle.newest(plans, ("flight_id",), lambda plan, at=at: plan["known_at"] <= at)
        mine = next(plan for plan in known if plan["flight_id"] == row["flight_id"])
        known = [plan for plan in known if plan["known_at"] > at - 3 * DAY]
        snapshot = max((each for each in snapshots if each <= at), default=snapshots[0])
        plane = planes.get((mine["tail_number"], snapshot), {})
        year = plane.get("year_built")
        expected = (
            {name: value for name, value in mine.items() if name in row}
            | traffic(mine, known)
            | previous_leg(mine, known, oracle.minutes)
            | {name: plane.get(name) for name in ("manufacturer", "num_seats", "num_engines")}
            | {"aircraft_age_years": year and mine["local_date"].year - year}
            | {"local_weekday": mine["local_date"].isoweekday()}
            | {"planned_duration_minutes": planned(mine, oracle.minutes)}
        )
        assert_equal(row, without(expected, "known_at", "known_date"), row["flight_id"])


def without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def planned(plan: Row, minutes: Callable[[timedelta], float]) -> float:
    return minutes(plan["scheduled_arrival_at"] - plan["scheduled_departure_at"])


def traffic(mine: Row, known: list[Row]) -> Row:
    def hour(plan: Row) -> datetime:
        return plan["scheduled_departure_at"].replace(minute=0)

    same = [plan for plan in known if hour(plan) == hour(mine)]
    here = [plan for plan in same if plan["origin"] == mine["origin"]]
    there = [plan for plan in same if plan["destination"] == mine["destination"]]
    own = [plan for plan in here if plan["carrier"] == mine["carrier"]]
    return {
        "num_planned_departures_same_hour": len(here),
        "num_planned_carrier_departures_same_hour": len(own),
        "num_planned_to_destination_same_hour": len(there),
    }


def previous_leg(mine: Row, known: list[Row], minutes: Callable[[timedelta], float]) -> Row:
    leaves = mine["scheduled_departure_at"]
    before = [
        plan
        for plan in known
        if mine["tail_number"] is not None
        and plan["tail_number"] == mine["tail_number"]
        and plan["scheduled_departure_at"] < leaves
    ]
    leg = max(before, key=lambda p: (p["scheduled_departure_at"], p["flight_id"]), default=None)
    names = ("flight_id", "origin", "destination", "scheduled_departure_at", "scheduled_arrival_at")
    slack = leg and minutes(leaves - leg["scheduled_arrival_at"]) - planned(leg, minutes)
    return {f"previous_leg_{name}": leg and leg[name] for name in names} | {
        "rotation_slack_minutes": slack,
        "num_previous_legs_same_day": sum(p["local_date"] == mine["local_date"] for p in before),
    }


def test_labels_are_the_known_arrivals(
    built: Tables, bronze: Tables, oracle: ModuleType, world: ModuleType
) -> None:
    end = world.START + world.DAYS * DAY
    arrivals = oracle.newest(
        bronze["movements"],
        ("flight_id", "movement", "known_at"),
        lambda row: row["movement"] == "arrived" and world.START <= row["known_at"] < end,
    )
    expected = {
        (row["flight_id"], row["known_at"], row["delay_minutes"], row["delay_minutes"] > 15)
        for row in arrivals
    }
    names = ("flight_id", "known_at", "arrival_delay_minutes", "is_late")
    assert {tuple(row[name] for name in names) for row in built["labels"]} == expected
    assert len(built["labels"]) == len(expected)


def test_dimensions_are_the_newest_snapshot(lake: Any, built: Tables, bronze: Tables) -> None:
    newest = max(row["known_at"] for row in bronze["planes"])
    expected = {
        r["tail_number"]: r["num_seats"] for r in bronze["planes"] if r["known_at"] == newest
    }
    assert {r["tail_number"]: r["num_seats"] for r in lake.rows("silver", "planes")} == expected


@pytest.mark.parametrize("key", ["2026-03-09", "2026-03-09T05", "2026-03-09T1445"])
def test_a_part_of_a_range_built_again_changes_nothing(key: str, lake: Any, built: Tables) -> None:
    result = lake.transform(key)
    interval = Interval.parse(key)
    for name in lake.case.tables("gold"):
        assert lake.rows("gold", name) == built[name], name
        grid = name in GRIDS or name in ("origin_weather_states", "decisions")
        shift = timedelta(microseconds=1 if grid else 0)
        counted = sum(interval.start <= r["known_at"] - shift < interval.end for r in built[name])
        assert result["rows"][lake.case.table("gold", name)] == counted, name
    assert set(result["reads"]) == {lake.case.table("bronze", f.name) for f in lake.case.feeds}


def test_nothing_decided_before_a_cut_moves_when_all_that_became_known_later_is_corrupted(
    lake: Any, built: Tables, bronze: Tables
) -> None:
    cut = datetime(2026, 3, 9, 14, 20, tzinfo=UTC)
    for name in ("schedule", "movements", "weather"):
        kept = [row for row in bronze[name] if row["known_at"] <= cut]
        wrong = [scrambled(row) for row in bronze[name] if row["known_at"] > cut]
        lake.write_bronze(name, kept + wrong[::2])
    try:
        lake.transform("2026-03-09/2026-03-10")
        moved = 0
        for name in lake.case.tables("gold"):
            found, expected = lake.rows("gold", name), built[name]
            before = [row for row in found if row["known_at"] <= cut]
            assert before == [row for row in expected if row["known_at"] <= cut], name
            moved += found != expected
        assert moved == len(lake.case.tables("gold")), "the scramble must reach every table"
    finally:
        for name in ("schedule", "movements", "weather"):
            lake.write_bronze(name, bronze[name])


def scrambled(row: Row) -> Row:
    changes = {
        "delay_minutes": lambda value: value and value + 500,
        "temperature_fahrenheit": lambda value: value + 100,
        "destination": lambda _: "SEA",
        "scheduled_departure_at": lambda value: value - timedelta(hours=10),
    }
    return row | {name: change(row[name]) for name, change in changes.items() if name in row}


def test_a_broken_data_test_is_told_in_one_line(lake: Any, built: Tables, bronze: Tables) -> None:
    late = [
        row | {"scheduled_arrival_at": row["scheduled_departure_at"]} for row in bronze["schedule"]
    ]
    lake.write_bronze("schedule", late)
    try:
        with pytest.raises(CheckFailed, match=r"^data test within_.* found \d+ rows") as failed:
            lake.transform("2026-03-09")
        assert "\n" not in str(failed.value)
    finally:
        lake.write_bronze("schedule", bronze["schedule"])


def test_bronze_must_be_published_up_to_the_interval(lake: Any, bronze: Tables) -> None:
    with pytest.raises(CheckFailed, match="is published up to 2026-03-12 00:00:00"):
        lake.transform("2026-03-12")


def test_bronze_is_read_at_a_version_and_not_by_its_view(lake: Any, built: Tables) -> None:
    done = journal.newest_done(lake.engine, lake.case.name, TRANSFORM)
    assert done
    assert {table.partition(".")[0] for table in done.outcome.reads} == {"bronze"}
    store = objects.lineage(lake.settings)
    models = compiled.read(store, lake.case.name, done.outcome.details.compiled or "")
    assert models
    sql = " ".join(model.sql for model in models)
    for name in lake.case.tables("bronze"):
        pinned = rf"from {lake.case.build_table('bronze', name)} version as of \d+"
        assert re.search(pinned, sql), name
        assert lake.case.table("bronze", name) not in sql
