"""Parquet, and Arrow's own files (Feather): what is typed stays typed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.data.reading import arrow_columns
from pipelines.data.reading.batches import BATCH_ROWS, COLUMNS_MAX, FileRefused
from pipelines.data.reading.dialect import RFC_4180, Dialect

_PARQUET, _ARROW, _FEATHER_1, _ENCRYPTED = b"PAR1", b"ARROW1", b"FEA1", b"PARE"
_BROKEN = (pa.ArrowException, OSError, EOFError)


@dataclass(frozen=True)
class ArrowFile:
    """A Parquet, Feather or Arrow file; which, its first bytes say.

    Args:
        open: a fresh stream that can be read from any place.
        file: its name, for `FILE` and for messages.
        dialect: nothing of it matters.
    """

    open: Callable[[], BinaryIO]
    file: str
    dialect: Dialect = RFC_4180

    def header(self) -> list[str]:
        """The names of the columns; of a struct those of its fields, as `struct.field`.

        Raises:
            FileRefused: it is cut off, or none of these files, or has too many columns.
        """
        with self._opened() as (schema, _):
            names = arrow_columns.flat_names(schema)
        if len(names) > COLUMNS_MAX:
            raise FileRefused(f"{self.file} has {len(names)} columns, above {COLUMNS_MAX}")
        return names

    @property
    def flattened(self) -> list[str]:
        """The columns that are structs, and become a column a field."""
        with self._opened() as (schema, _):
            return [field.name for field in schema if arrow_columns.is_nested(field)]

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The rows, typed, with those of the columns that the file has.

        Raises:
            FileRefused: it is cut off, or none of these files.
        """
        line = 1
        with self._opened() as (schema, read):
            for found in read(holding(schema, columns)):
                yield chosen(found, columns, line, self.file)
                line += len(found)

    @contextmanager
    def _opened(self) -> "Iterator[tuple[pa.Schema, Read]]":
        try:
            with self.open() as stream:
                yield _reading(stream, self.file)
        except _BROKEN as error:
            said = str(error).strip().splitlines()[0]
            raise FileRefused(
                f"{self.file} is damaged or cut off ({said}); send the file again"
            ) from error


# The batches with these of a file's columns.
Read = Callable[[Sequence[str]], Iterator[pa.RecordBatch]]


def chosen(found: pa.RecordBatch, columns: Sequence[str], line: int, file: str) -> pa.Table:
    """A batch of what is asked for, from the file's columns as they are."""
    there = arrow_columns.flat(found)
    wanted = {name: there[name] for name in columns if name in there}
    return arrow_columns.typed_batch(wanted, range(line, line + len(found)), file=file)


def holding(schema: pa.Schema, columns: Sequence[str]) -> list[str]:
    """The columns of the file that hold those asked for, each once."""
    wanted = set(columns)
    names = (
        f.name for f in schema if wanted.intersection(arrow_columns.flat_names(pa.schema([f])))
    )
    return list(dict.fromkeys(names))


def _reading(stream: BinaryIO, file: str) -> tuple[pa.Schema, Read]:
    magic = stream.read(len(_ARROW))
    stream.seek(0)
    if magic.startswith(_FEATHER_1):
        raise FileRefused(f"{file} is Feather version 1; write it as Parquet")
    if magic.startswith(_ENCRYPTED):
        raise FileRefused(f"{file} is an encrypted Parquet file; write it without encryption")
    if magic.startswith(_PARQUET):
        return parquet(stream)
    made = pa.ipc.open_file(stream) if magic.startswith(_ARROW) else pa.ipc.open_stream(stream)
    return made.schema, lambda columns: _ipc(made, columns)


def parquet(stream: BinaryIO) -> tuple[pa.Schema, Read]:
    """What a Parquet file has, and how to read it, a row group after the other."""
    made = pq.ParquetFile(stream)

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        yield from made.iter_batches(batch_size=BATCH_ROWS, columns=list(columns))

    return made.schema_arrow, read


def _ipc(
    made: "pa.ipc.RecordBatchFileReader | pa.ipc.RecordBatchStreamReader", columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """A file may be one batch: it is cut to ours."""
    is_file = isinstance(made, pa.ipc.RecordBatchFileReader)
    found = map(made.get_batch, range(made.num_record_batches)) if is_file else iter(made)
    pieces = chain.from_iterable(
        pa.Table.from_batches([each]).to_batches(BATCH_ROWS) for each in found
    )
    places = [made.schema.names.index(name) for name in columns]
    for piece in pieces:
        yield (
            pa.record_batch([piece.column(p) for p in places], names=list(columns))
            if places
            else piece
        )
