"""The point-in-time join against a look at every pair; and the edges that Feast documents."""

import os
import random
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from pipelines.stores import asof
from pipelines.stores.asof import States
from tests.point_in_time import HOUR, KINDS, START, distinct, expected, world


def joined(rows: pa.Table, found: pa.Table, states: States) -> dict[int, Any]:
    answer = asof.joined(rows, found, states, "event_timestamp").to_pylist()
    assert [row["n"] for row in answer] == rows["n"].to_pylist(), "rows were lost, made or moved"
    return {row["n"]: tuple(row[name] for name in states.features.values()) for row in answer}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_each_row_meets_the_state_that_a_look_at_every_pair_finds(kind, seed):
    rng = random.Random(seed)  # noqa: S311
    rows, found = world(rng, 600, 900)
    found = distinct(found, KINDS[kind])
    answer = joined(rows, found, KINDS[kind])
    assert answer == expected(rows, found, KINDS[kind]), f"seed {seed}"
    nothing = sum(values == (None, None) for values in answer.values())
    assert 0 < nothing < rows.num_rows or not KINDS[kind].keys


def one(at: datetime, *states: tuple[datetime, datetime, int], **changes: Any) -> int | None:
    """What a row of entity x at an instant gets, of states of x (instant, creation, value)."""
    rows = pa.table({"n": [0], "a": ["x"], "event_timestamp": [at]})
    found = pa.Table.from_pylist(
        [{"a": "x", "at": at, "created": created, "value": value} for at, created, value in states]
    )
    given = {"keys": {"a": "a"}, "features": {"value": "value"}, "created": "created"}
    asked = States(at="at", **{**given, **changes})  # type: ignore[arg-type]
    (value,) = joined(rows, found, asked)[0]
    return value  # type: ignore[no-any-return]


NO_ZONE = """
from pipelines.stores.asof import engine

with engine() as connection:
    same = "select timestamp '2026-03-08 02:30' = timestamptz '2026-03-08 02:30+00'"
    print(*connection.sql(same).to_arrow_table().to_pydict().values())
"""


def test_the_engine_has_no_zone_of_the_machine():
    """In a process of its own: DuckDB looks up the machine's zone once."""
    zone = {**os.environ, "TZ": "America/New_York"}
    command = [sys.executable, "-c", NO_ZONE]
    answer = subprocess.run(command, env=zone, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[True]"


def test_both_ends_of_a_ttl_count():
    micro = timedelta(microseconds=1)
    state = (START, START, 1)
    assert one(START, state, ttl=HOUR) == 1
    assert one(START - micro, state, ttl=HOUR) is None
    assert one(START + HOUR, state, ttl=HOUR) == 1
    assert one(START + HOUR + micro, state, ttl=HOUR) is None


def test_of_one_instant_the_state_created_last_counts():
    assert one(START, (START, START + HOUR, 2), (START, START, 1)) == 2


def test_a_state_created_later_does_not_hide_what_was_known():
    restated = (START, START + 2 * HOUR, 2)
    assert one(START + HOUR, (START, START, 1), restated, created_by_then=True) == 1
    assert one(START + 2 * HOUR, (START, START, 1), restated, created_by_then=True) == 2


def test_an_older_state_that_comes_late_replaces_nothing():
    late = (START, START + 3 * HOUR, 1)
    newer = (START + HOUR, START + HOUR, 2)
    assert one(START + 5 * HOUR, late, newer, created_by_then=True) == 2


def test_a_state_whose_feature_is_null_is_a_state():
    assert one(START + HOUR, (START, START, 1), (START + HOUR, START + HOUR, None)) is None
