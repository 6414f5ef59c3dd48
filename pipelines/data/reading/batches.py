"""What every reader yields: tables of a few thousand records, and where each record stands.

A batch is an Arrow table of the columns that were asked for, texts or typed as the source has
them, and the four columns below. Of a record that can't be read the values are null.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa  # type: ignore[import-untyped]

# The record's file, relative to the location, and its first physical line (of what has no lines:
# its row), from 1; its text as it stands there, null of what is no text; why it can't be read.
FILE, LINE, RAW, PROBLEM = ORIGIN = ("__file__", "__line__", "__raw__", "__problem__")
BATCH_ROWS = 20_000
# Contract limits: a longer cell is no data but a lost line end, and would fill a worker's memory;
# so would a wider header.
CELL_CHARACTERS_MAX = 1_000_000
COLUMNS_MAX = 1_000


class FileRefused(Exception):
    """The whole file can't be read; the message names the field or the place."""


@dataclass(frozen=True)
class Between:
    """The rows wanted: those with an instant in `[start, end)` in one of the columns, or none.

    Args:
        first, last: rows before the first and from the last instant on are wanted, too: such an
            instant can't be right, so that no interval has them.
    """

    columns: Sequence[str]
    start: datetime
    end: datetime
    first: datetime | None = None
    last: datetime | None = None


class Reader(Protocol):
    """One kind of file, such as `delimited`; a module can be one."""

    def header(self) -> list[str]:
        """The names of the columns, as they stand there."""
        ...

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The records with those of the columns that the file has.

        Raises:
            FileRefused: it can't be read at all.
        """
        ...


class Table(Protocol):
    """Something with rows: a file, a folder, a table of a database."""

    def column_names(self) -> list[str]:
        """The names of its columns, as they stand there."""
        ...

    def batches(
        self,
        columns: Sequence[str],
        between: Between | None = None,
        /,
        *,
        optional: Collection[str] = (),
    ) -> Iterator[pa.Table]:
        """The rows with the columns asked for, all of them, each time.

        Args:
            between: of what can be asked for a part, such as a database, the rows wanted.
            optional: columns that it may lack; they are null then.
        """
        ...


def batch(
    values: Mapping[str, Any],
    lines: Sequence[int] | pa.Array,
    *,
    file: str,
    raws: Sequence[str | None] | pa.Array | None = None,
    problems: Sequence[str | None] | pa.Array | None = None,
) -> pa.Table:
    """A batch of these columns (Arrow arrays, or lists of texts) and the origin of its records."""
    num_rows = len(lines)
    columns = {
        name: column if isinstance(column, pa.Array | pa.ChunkedArray) else _texts(column)
        for name, column in values.items()
    }
    nothing = pa.nulls(num_rows, pa.string())
    columns[FILE] = pa.repeat(pa.scalar(file, pa.string()), num_rows)
    columns[LINE] = pa.array(lines, pa.int64())
    columns[RAW] = nothing if raws is None else pa.array(raws, pa.string())
    columns[PROBLEM] = nothing if problems is None else pa.array(problems, pa.string())
    return pa.table(columns)


def gathered(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in fewer tables: each new one of some rows would cost more than they do."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= BATCH_ROWS:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _texts(column: Sequence[str | None]) -> pa.Array:
    return pa.array(column, pa.string())
