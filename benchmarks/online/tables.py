"""States of made entities, one each, in a Delta table and in a Parquet file."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from deltalake import write_deltalake

SEED = 20261127
FEATURES = tuple(f"feature_{number}" for number in range(10))
END = datetime(2026, 11, 27, tzinfo=UTC)
TTL = timedelta(days=3)
# A write of so many rows at a time keeps the making of large tables in memory, too.
_ROWS_AT_ONCE = 250_000


def make(folder: Path, view: str, num_entities: int) -> None:
    """`<view>.parquet`, and the same states as the Delta table `gold.<view>`, in no order.

    A tenth of the values is null: Feast reads them from pandas as it finds them there.
    """
    dice = np.random.default_rng(SEED)
    entities = dice.permutation(num_entities)
    writer = None
    for first in range(0, num_entities, _ROWS_AT_ONCE):
        part = _part(dice, entities[first : first + _ROWS_AT_ONCE])
        writer = writer or pq.ParquetWriter(folder / f"{view}.parquet", part.schema)
        writer.write_table(part)
        write_deltalake(folder / "gold.db" / view, part, mode="append" if first else "overwrite")
    if writer:
        writer.close()


def _part(dice: np.random.Generator, entities: np.ndarray) -> pa.Table:
    num_rows = len(entities)
    seconds = dice.integers(0, int(TTL.total_seconds()), num_rows)
    at = (int(END.timestamp()) - seconds) * 10**6
    columns = {
        name: pa.array(dice.normal(size=num_rows), mask=dice.random(num_rows) < 0.1)
        for name in FEATURES
    }
    instants = pa.array(at, pa.int64()).cast(pa.timestamp("us", "UTC"))
    return pa.table({"entity": entities, "at": instants, **columns})


def expected(folder: Path, view: str, entities: Sequence[int]) -> Mapping[str, list[Any]]:
    """The features of some entities, in their order; null for one that is not there."""
    table = pq.read_table(folder / f"{view}.parquet")
    places = pc.index_in(pa.array(entities), table["entity"].combine_chunks())
    return {name: table[name].take(places).to_pylist() for name in FEATURES}


def digest(columns: Mapping[str, Sequence[Any]]) -> str:
    """Of values to the last bit; a null is not NaN."""
    text = repr([[name, list(columns[name])] for name in sorted(columns)])
    return hashlib.sha256(text.encode()).hexdigest()
