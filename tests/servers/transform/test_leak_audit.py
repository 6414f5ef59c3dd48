"""The training inputs, recomputed from raw events that were known at each decision."""

import random
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from pipelines.core import cases
from pipelines.core.registry import LEAKS, PREDICT
from pipelines.core.stage import Context
from pipelines.learning import inputs
from pipelines.learning.leaks import moved
from pipelines.stores import dbt_project, feast
from pipelines.use_cases.spec.interval import Interval
from tests.servers.contexts import held_context

Row = dict[str, Any]
Tables = dict[str, list[Row]]
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
SAMPLE = 150
# Each grid state: its keys, its step in minutes, how many days it looks back, its brute force.
GRIDS = {
    "origin_states": (("origin",), 15, 3, "origin_state"),
    "origin_carrier_states": (("origin", "carrier"), 60, 3, "origin_carrier_state"),
    "destination_states": (("destination",), 60, 3, "destination_state"),
    "carrier_route_states": (("carrier", "origin", "destination"), 1440, 28, "carrier_route_state"),
}


def instants(plan: Row) -> set[datetime]:
    leaves = plan["scheduled_departure_at"]
    return {leaves.replace(hour=0, minute=0, second=0), leaves - 120 * MINUTE}


def test_a_decision_is_taken_at_its_instants_on_the_plan_known_then(
    built: Tables, bronze: Tables, oracle: ModuleType, world: ModuleType
) -> None:
    plans = bronze["schedule"]
    end = world.START + world.DAYS * DAY
    possible = {(plan["flight_id"], at) for plan in plans for at in instants(plan)}
    expected = {}
    for flight_id, at in possible:
        known = oracle.newest(
            [plan for plan in plans if plan["flight_id"] == flight_id],
            ("flight_id",),
            lambda plan, at=at: plan["known_at"] < at,
        )
        fresh = known and known[0]["known_at"] >= at - 3 * DAY
        if fresh and at in instants(known[0]) and world.START < at <= end:
            expected[flight_id, at] = known[0]["scheduled_departure_at"]
    found = {(row["flight_id"], row["known_at"]): row for row in built["decisions"]}
    assert set(found) == set(expected)
    for (flight_id, at), leaves in expected.items():
        row = found[flight_id, at]
        assert row["lead_minutes"] == (leaves - at) / MINUTE
        assert row["is_batch"] is (at == leaves.replace(hour=0, minute=0, second=0))


@pytest.fixture(scope="module", params=[None, 75], ids=["in batch", "online after 75 minutes"])
def online_after_minutes(request: pytest.FixtureRequest) -> int | None:
    found: int | None = request.param
    return found


@pytest.fixture(scope="module")
def joined(
    lake: Any, built: Tables, world: ModuleType, online_after_minutes: int | None
) -> list[Row]:
    """All decisions with their inputs, by the very function that training and prediction use."""
    name = lake.case.name
    from features import flight_delays as features
    from models import flight_delays as model

    described = dbt_project.described
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, f"features.{name}", features)
        patch.setattr(
            dbt_project,
            "described",
            lambda _, layer, table: {
                **described("flight_delays", layer, table),
                "name": f"{name}_{table}",
            },
        )
        definitions = cases.features(lake.case)
    with feast.applied(lake.settings, name, definitions, pinned={}):
        pass
    last = (world.START + (world.DAYS - 1) * DAY).date()
    interval = Interval.parse(f"{world.START.date()}/{last}")
    context = Context(
        settings=lake.settings,
        case=lake.case,
        interval=interval,
        stage=PREDICT,
        engine=lake.engine,
        attempt=0,
        lease=None,
        chosen=replace(lake.case.model("late"), online_after_minutes=online_after_minutes),
    )
    context.__dict__["spark"] = lake.spark
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, f"models.{name}", model)
        asked = inputs.decisions(context, interval)
        with inputs.as_known(context, asked) as known:
            rows = known.toArrow().to_pylist()
    assert len(rows) == len(built["decisions"])
    return rows


def test_every_input_is_what_was_known_at_the_decision(
    joined: list[Row],
    online_after_minutes: int | None,
    bronze: Tables,
    oracle: ModuleType,
    world: ModuleType,
) -> None:
    """Of a model that answers online: what was known so long before it."""
    plans, movements = (
        [row | {"tail_number": (row["tail_number"] or "").strip().upper() or None} for row in rows]
        for rows in (bronze["schedule"], bronze["movements"])
    )
    seed = 20261121
    print(f"seed {seed}")
    # The first day's states lack those of the days before, which were not built.
    late = [row for row in joined if row["known_at"] > world.START + DAY]
    for row in random.Random(seed).sample(late, min(SAMPLE, len(late))):  # noqa: S311
        at = row["known_at"] - (online_after_minutes or 0) * MINUTE
        for name, (keys, step, days, brute_force) in GRIDS.items():
            instant = at - (at - world.START) % (step * MINUTE)
            entity = {key: row[key] for key in keys}
            known = oracle.Known.before(instant, plans, movements, days, **entity)
            expected = getattr(oracle, brute_force)(known)
            if not any(
                plan["known_at"] < instant and plan["known_at"] >= instant - days * DAY
                for plan in known.plans
            ):
                expected = dict.fromkeys(expected)
            assert_inputs(row, name, expected)
        weather = oracle.weather_state(
            bronze["weather"], at - (at - world.START) % (15 * MINUTE), row["origin"]
        )
        if weather:
            assert_inputs(row, "origin_weather_states", weather)
        assert_inputs(row, "tail_states", tail(oracle, movements, row, at))


def tail(oracle: ModuleType, movements: list[Row], row: Row, at: datetime) -> Row:
    """The aircraft's newest state, none older than three days."""
    heard = [
        movement["known_at"]
        for movement in movements
        if movement["tail_number"] == row["tail_number"] and movement["known_at"] <= at
    ]
    if row["tail_number"] is None or not heard or max(heard) < at - 3 * DAY:
        return {"last_flight_id": None, "num_departures_3d": None}
    state: Row = oracle.tail_state(movements, max(heard), row["tail_number"])
    return state


def assert_inputs(row: Row, state: str, expected: Row) -> None:
    where = f"{row['flight_id']} at {row['known_at']}: {state}"
    for name, value in expected.items():
        found = row[f"{state}__{name}"]
        if isinstance(value, float) and found is not None:
            assert found == pytest.approx(value, abs=1e-9), f"{where} {name}"
        else:
            assert found == value, f"{where} {name}"


def test_leaks_accuses_nothing_of_these_tables(lake: Any, built: Tables, world: ModuleType) -> None:
    """On a grid instant at which facts become known, after a snapshot that is not the last."""
    cut = world.START + DAY + 14 * 60 * MINUTE
    asked = (lake.settings, lake.engine, lake.case, Interval.parse("2026-03-08"), LEAKS)
    with held_context(*asked) as context:
        found, num_rows = moved.found(replace(context, chosen=lake.case.model("late")), [cut])
    assert [str(each) for each in found] == []
    since = [r for r in built["origin_states"] if world.START + DAY < r["known_at"] <= cut]
    assert num_rows > len(since) > 100
