"""The first rows of a table in memory, of which its columns' types are guessed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.data.reading.batches import FILE, LINE, ORIGIN, PROBLEM, Table
from pipelines.data.reading.typed import as_texts, decoded


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Rows that could be read.

    Args:
        rows: the columns that were asked for.
        is_whole: there are no others.
        problems: the records that could not be read, each with its file, its line and why.
    """

    rows: pa.Table
    is_whole: bool
    problems: Sequence[str] = field(default_factory=tuple)


def sampled(
    table: Table, columns: Sequence[str], num_rows: int, optional: Collection[str] = ()
) -> Sample:
    """About so many of the first rows, whole batches; a type that changes becomes text.

    Args:
        optional: columns that a file may lack; they are null then.
    """
    found: list[pa.Table] = []
    problems: list[str] = []
    is_whole = True
    for batch in table.batches(columns, optional=optional):
        if sum(map(len, found)) >= num_rows:
            is_whole = False
            break
        is_good = pc.is_null(batch[PROBLEM])
        found.append(batch.filter(is_good).drop_columns(list(ORIGIN)))
        problems += map(_said, batch.filter(pc.invert(is_good)).select(ORIGIN).to_pylist())
    rows = {name: united([each[name] for each in found]) for name in columns}
    return Sample(rows=pa.table(rows), is_whole=is_whole, problems=problems)


def united(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """The columns as one: of one type, where they have one, else as texts.

    Example:
        >>> united([pa.chunked_array([[1]]), pa.chunked_array([["x"]])]).to_pylist()
        ['1', 'x']
    """
    chunks = [decoded(chunk) for column in columns for chunk in column.chunks]
    types = {chunk.type for chunk in chunks if chunk.null_count < len(chunk)}
    if len(types) > 1:
        return pa.chunked_array([as_texts(chunk) for chunk in chunks], pa.string())
    kind = next(iter(types), pa.string())
    same = [chunk if chunk.type == kind else pa.nulls(len(chunk), kind) for chunk in chunks]
    return pa.chunked_array(same, kind)


def _said(record: dict[str, object]) -> str:
    return f"{record[FILE]}, line {record[LINE]}: {record[PROBLEM]}"
