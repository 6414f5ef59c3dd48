"""Labels and states for the point-in-time join, and what it must give, found without any engine."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

SEED = 20261126
STATES_AN_ENTITY = 100
TTL_DAYS = 3
DAYS = 30
FEATURES = tuple(f"feature_{number}" for number in range(10))
_DAY = 24 * 60 * 60 * 10**6
_START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 10**6


def make(folder: Path, num_rows: int, num_states: int) -> None:
    """Write `rows.parquet`, `states.parquet` and the same states as the Delta table `gold.states`.

    An entity has 100 states in 30 days, all at instants of their own; some rows come before the
    first state of their entity, or longer than the TTL after the last, and some have no entity.
    """
    from deltalake import write_deltalake  # which a peer's environment need not have

    dice = np.random.default_rng(SEED)
    num_entities = num_states // STATES_AN_ENTITY
    entity = np.repeat(np.arange(num_entities), STATES_AN_ENTITY)
    # Whole seconds, no two alike for one entity: which of two counts would be open.
    seconds = dice.permuted(np.tile(np.arange(DAYS * 24 * 60), (64, 1)), axis=1)
    picked = seconds[np.arange(num_entities) % 64, :STATES_AN_ENTITY] * 60
    at = _START + picked.ravel() * 10**6
    features = {name: dice.normal(size=num_states) for name in FEATURES}
    states = pa.table({"entity": entity, "at": _instants(at), **features})
    asked = dice.integers(0, num_entities + num_entities // 100 + 1, num_rows)
    moment = _START + dice.integers(-_DAY // 10**6, (DAYS + 6) * _DAY // 10**6, num_rows) * 10**6
    rows = pa.table(
        {"row": np.arange(num_rows), "entity": asked, "event_timestamp": _instants(moment)}
    )
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, folder / "rows.parquet")
    pq.write_table(states, folder / "states.parquet")
    write_deltalake(folder / "gold.db" / "states", states)


def _instants(micros: np.ndarray) -> pa.Array:
    return pa.array(micros, pa.int64()).cast(pa.timestamp("us", "UTC"))


def expected(folder: Path) -> str:
    """The digest of the right answer: by each entity's sorted instants, a row at a time."""
    rows, states = (pq.read_table(folder / f"{name}.parquet") for name in ("rows", "states"))
    entity, at = states["entity"].to_numpy(), _micros(states["at"])
    order = np.lexsort((at, entity))
    found = np.full(rows.num_rows, -1)
    begins = np.searchsorted(entity[order], rows["entity"].to_numpy(), "left")
    ends = np.searchsorted(entity[order], rows["entity"].to_numpy(), "right")
    for row, moment in enumerate(_micros(rows["event_timestamp"])):
        mine = order[begins[row] : ends[row]]
        place = np.searchsorted(at[mine], moment, "right") - 1
        if place >= 0 and at[mine[place]] >= moment - TTL_DAYS * _DAY:
            found[row] = mine[place]
    places = pa.array(found, mask=found < 0)
    return digest(rows, {name: states[name].take(places) for name in FEATURES})


def _micros(column: pa.ChunkedArray) -> np.ndarray:
    return column.cast(pa.int64()).to_numpy()


def digest(rows: pa.Table, features: Mapping[str, pa.ChunkedArray] | None = None) -> str:
    """Of an answer's rows, numbers and features, whatever their order."""
    columns: Mapping[str, pa.ChunkedArray] = features or {name: rows[name] for name in FEATURES}
    order = np.argsort(rows["row"].to_numpy(), kind="stable")
    hashed = hashlib.sha256(np.ascontiguousarray(rows["row"].to_numpy()[order]).tobytes())
    for name in _in_order(columns):
        values = columns[name].to_numpy(zero_copy_only=False)[order].astype(float)
        hashed.update(values.tobytes())
    return hashed.hexdigest()


def _in_order(columns: Mapping[str, object]) -> Sequence[str]:
    return [name for name in FEATURES if name in columns]
