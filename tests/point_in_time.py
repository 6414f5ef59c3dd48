"""Random rows and states, and what a point-in-time join of them must say, pair by pair."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from pipelines.stores.asof import States

START = datetime(2026, 3, 29, tzinfo=UTC)  # clocks change in Europe on this day
HOUR = timedelta(hours=1)
LONG_AGO, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# Written together without a separator, some of these pairs read alike; none is a null's name.
NAMES = ["1", "11", "112", "2", "12", "", "None", None]


BOTH = {"a": "a", "b": "b"}
FEATURES = {"value": "v__value", "text": "v__text"}
KINDS = {
    "forever": States(keys=BOTH, features=FEATURES, at="at", created="created"),
    "an hour": States(keys=BOTH, features=FEATURES, at="at", created="created", ttl=HOUR),
    "created by then": States(
        keys=BOTH,
        features=FEATURES,
        at="at",
        created="created",
        ttl=4 * HOUR,
        created_by_then=True,
    ),
    "one key, another name": States(
        keys={"a": "b"}, features=FEATURES, at="at", created="created", ttl=9 * HOUR
    ),
    "no key": States(keys={}, features=FEATURES, at="at", created="created"),
}


def _instant(rng: random.Random) -> datetime:
    """Few different ones, so that they often meet, some an odd microsecond beside another."""
    return START + HOUR * rng.randrange(30) + timedelta(microseconds=rng.choice([0, 0, 0, -1, 1]))


def world(rng: random.Random, num_rows: int, num_states: int) -> tuple[pa.Table, pa.Table]:
    """Numbered rows to join to, and states: of one key, instant and creation one."""
    rows = [
        {"n": n, "a": rng.choice(NAMES), "b": rng.choice(NAMES), "event_timestamp": _instant(rng)}
        for n in range(num_rows)
    ]
    states = {}
    for value in range(num_states):
        key = (rng.choice(NAMES), rng.choice(NAMES), _instant(rng))
        delay = rng.choice([0, 0, 1, 5, None])
        created = None if delay is None else key[2] + HOUR * delay
        states[*key, created] = rng.choice([value, value, None])
    found = [
        {"a": a, "b": b, "at": at, "created": created, "value": value, "text": f"is {value}"}
        for (a, b, at, created), value in states.items()
    ]
    instant = pa.timestamp("us", "UTC")
    keys = [("a", pa.string()), ("b", pa.string())]
    return (
        pa.Table.from_pylist(
            rows, pa.schema([("n", pa.int64()), *keys, ("event_timestamp", instant)])
        ),
        pa.Table.from_pylist(
            found,
            pa.schema(
                [
                    *keys,
                    ("at", instant),
                    ("created", instant),
                    ("value", pa.int64()),
                    ("text", pa.string()),
                ]
            ),
        ),
    )


def distinct(found: pa.Table, states: States) -> pa.Table:
    """One state a key, instant and creation: of several it is left open which one counts."""
    by = [*states.keys, *states.ages]
    others = [name for name in found.column_names if name not in by]
    firsts = found.group_by(by, use_threads=False).aggregate([(name, "first") for name in others])
    return firsts.rename_columns([*by, *others])


def expected(rows: pa.Table, found: pa.Table, states: States) -> dict[int, Any]:
    """The features of each row by its number, by looking at every pair of a row and a state."""
    every = found.to_pylist()
    return {row["n"]: _newest(row, every, states) for row in rows.to_pylist()}


def _newest(row: dict[str, Any], every: list[dict[str, Any]], states: States) -> tuple[Any, ...]:
    then = row["event_timestamp"]
    counted = [
        state
        for state in every
        if all(state[key] == row[name] is not None for key, name in states.keys.items())
        and state[states.at] <= then
        and (states.ttl is None or state[states.at] >= then - states.ttl)
        and not (states.waits and (state[states.created] or NEVER) > then)
    ]
    if not counted:
        return (None,) * len(states.features)
    created = states.created or states.at
    newest = max(counted, key=lambda state: (state[states.at], state[created] or LONG_AGO))
    return tuple(newest[name] for name in states.features)
