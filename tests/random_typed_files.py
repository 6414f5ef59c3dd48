"""Typed files that pandas, pyarrow and DuckDB write of a table, and what is to be known of them."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import duckdb
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from pyarrow import feather

from pipelines.data.reading.dialect import Dialect
from pipelines.data.reading.notation import Notation
from pipelines.data.reading.values import arrow_type
from tests.random_tables import Table, rows_of, with_values


@dataclass(frozen=True)
class Written:
    """A file, and all that is to be known of it.

    Args:
        table: what stands in it: not all that was to be written.
        lines: of the records; None: it has none.
    """

    name: str
    content: bytes
    table: Table
    dialect: Dialect = Dialect()  # noqa: RUF009
    notations: Mapping[str, Notation] = field(default_factory=dict)
    lines: Sequence[int] | None = None


Writer: TypeAlias = Callable[[random.Random, Table], Written]


def parquet(draw: random.Random, table: Table) -> Written:
    made = BytesIO()
    how = draw.choice(["pandas", "pyarrow", "duckdb"])
    if how == "pandas":
        frame(table).to_parquet(made)
    elif how == "pyarrow":
        groups = draw.choice([1, 10, 1000])
        pq.write_table(arrow(table, draw.choice(["UTC", None])), made, row_group_size=groups)
    else:
        made.write(copied(table, "format parquet"))
    return _typed(f"{how}.parquet", made.getvalue(), table)


def arrow_file(draw: random.Random, table: Table) -> Written:
    made = BytesIO()
    compression = draw.choice(["uncompressed", "lz4", "zstd"])
    feather.write_feather(arrow(table, "UTC"), made, compression=compression)
    return _typed("pyarrow.feather", made.getvalue(), table)


def json_file(draw: random.Random, table: Table) -> Written:
    """A list of objects, or an object a line."""
    # pandas writes fifteen digits at most.
    table = with_values(table, "double", lambda value: round(value, 6) + 0.0)
    table = with_values(table, "double", lambda value: value if abs(value) < 1e8 else value // 1e6)
    is_lines = draw.random() < 0.5
    if draw.random() < 0.5:
        made = copied(table, f"format json, array {not is_lines}")
    else:
        is_ascii = draw.random() < 0.5
        text = frame(table).to_json(
            orient="records",
            lines=is_lines,
            force_ascii=is_ascii,
            date_format="iso",
            date_unit="us",
        )
        made = text.encode()
    name = "a.jsonl" if is_lines else "a.json"
    lines = range(1, len(rows_of(table)) + 1)
    return Written(name, made, table, lines=lines if is_lines else None)


TYPED: Sequence[Writer] = (parquet, arrow_file, json_file)


def _typed(name: str, content: bytes, table: Table) -> Written:
    return Written(name, content, table, lines=range(1, len(rows_of(table)) + 1))


_DTYPES = {"string": "string", "bigint": "Int64", "double": "float64", "boolean": "boolean"}


def frame(table: Table) -> pd.DataFrame:
    return pd.DataFrame({each.name: _series(each.kind, each.values) for each in table})


def _series(kind: str, values: list[Any]) -> "pd.Series[Any]":
    if kind not in ("date", "timestamp"):
        return pd.Series(values, dtype=_DTYPES[kind])
    return pd.Series(pd.to_datetime(values, utc=True).tz_localize(None).as_unit("us"))


def arrow(table: Table, zone: str | None) -> pa.Table:
    columns = {}
    for each in table:
        made = pa.array(each.values, arrow_type(each.kind))
        columns[each.name] = (
            pa.array(made.cast(pa.int64()), pa.timestamp("us", zone))
            if each.kind == "timestamp"
            else made
        )
    return pa.table(columns)


def copied(table: Table, options: str) -> bytes:
    with TemporaryDirectory() as folder, duckdb.connect() as database:
        path = Path(folder) / "a"
        database.register("made", arrow(table, None))
        database.execute(f"COPY made TO {quoted(str(path))} ({options})")
        return path.read_bytes()


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
