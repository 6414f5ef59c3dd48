"""A Delta table's folder: the rows that its log names, and none that it has deleted.

The log is read by `deltalake`; the data files are read here, one after the other, since its own
engines either refuse deletion vectors and mapped columns or give the rows in no order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote

import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.data.reading import arrow_columns, arrow_files
from pipelines.data.reading.batches import COLUMNS_MAX, FileRefused

if TYPE_CHECKING:
    from deltalake import DeltaTable

_PHYSICAL_NAME = "delta.columnMapping.physicalName"
# What a log may ask of its readers, and this one does.
_UNDERSTOOD = frozenset(
    {
        *("deletionVectors", "columnMapping", "timestampNtz", "v2Checkpoint"),
        *("vacuumProtocolCheck", "typeWidening", "typeWidening-preview"),
    }
)


@dataclass(frozen=True)
class _DataFile:
    """A Parquet file of the table: the values of its partition columns, and which rows are left."""

    path: str
    partition: Mapping[str, pa.Scalar]
    kept: pa.Array | None


@dataclass(frozen=True)
class DeltaFolder:
    """A Delta table as it was when it was first asked.

    Args:
        address: the folder's path, or its URL in an object store.
        open: a fresh stream of a file by its path in the folder, which can be read from any place.
        file: the table's name, for `FILE` and for messages.
        options: of the store, as `deltalake` names them.
        left_out: names of files, as `files` has them, whose rows are not read.
    """

    address: str
    open: Callable[[str], BinaryIO]
    file: str
    options: Mapping[str, str] | None = None
    left_out: frozenset[str] = frozenset()

    def version(self) -> int:
        """The version of the table: the same one is the same rows.

        Raises:
            FileRefused: its log can't be read.
        """
        return int(self._table.version())

    def header(self) -> list[str]:
        """The names of the columns; of a struct those of its fields, as `struct.field`.

        Raises:
            FileRefused: its log can't be read, or it has too many columns.
        """
        names = arrow_columns.flat_names(self._schema)
        if len(names) > COLUMNS_MAX:
            raise FileRefused(f"{self.file} has {len(names)} columns, above {COLUMNS_MAX}")
        return names

    @property
    def flattened(self) -> list[str]:
        """The columns that are structs, and become a column a field."""
        return [field.name for field in self._schema if arrow_columns.is_nested(field)]

    def files(self) -> list[str]:
        """The names of the files that the log has now; one of a name never changes.

        Raises:
            FileRefused: the log can't be read.
        """
        return [self._name(found) for found in self._data_files()]

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The rows, typed; a line is the row's number in its data file.

        Raises:
            FileRefused: the log or a data file can't be read.
        """
        for found in self._data_files():
            if self._name(found) not in self.left_out:
                yield from self._rows(found, columns)

    def _name(self, found: _DataFile) -> str:
        return f"{self.file}/{found.path}"

    @cached_property
    def _table(self) -> "DeltaTable":
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError

        try:
            table = DeltaTable(self.address, storage_options=dict(self.options or {}))
        except (DeltaError, OSError) as error:
            said = str(error).splitlines()[0]
            raise FileRefused(f"the log of {self.file} can't be read: {said}") from error
        unknown = {*(table.protocol().reader_features or ())} - _UNDERSTOOD
        if unknown:
            raise FileRefused(
                f"{self.file} needs {', '.join(sorted(unknown))} of its readers, which Millrace "
                "does not know; write it as Parquet, or without that feature"
            )
        return table

    @cached_property
    def _schema(self) -> pa.Schema:
        return pa.schema(self._table.schema().to_arrow())

    @cached_property
    def _logical(self) -> Mapping[str, str]:
        """The names in the table of the columns in its files, which a mapping makes differ."""
        found: dict[str, str] = {}
        for field in self._schema:
            within = field.type if arrow_columns.is_nested(field) else ()
            found[_physical(field)] = field.name
            found |= {
                f"{_physical(field)}.{_physical(inner)}": f"{field.name}.{inner.name}"
                for inner in within
            }
        return found

    def _data_files(self) -> Iterator[_DataFile]:
        """By their paths, so that the same version gives the same order."""
        added = pa.table(self._table.get_add_actions()).sort_by("path")
        kept = {} if added.num_rows == 0 else self._kept()
        for row in range(added.num_rows):
            path = unquote(added["path"][row].as_py())
            if "://" in path or path.startswith("/") or ".." in path.split("/"):
                raise FileRefused(f"the log of {self.file} names {path}, outside of its folder")
            yield _DataFile(path, self._partition(added, row), kept.get(path.rpartition("/")[2]))

    def _partition(self, added: pa.Table, row: int) -> Mapping[str, pa.Scalar]:
        if "partition" not in added.column_names:
            return {}
        values = added["partition"][row]
        return {self._logical.get(name, name): values[name] for name in values}

    def _kept(self) -> Mapping[str, pa.Array]:
        """Which rows of a data file are left, by its name, which no other has."""
        vectors = pa.table(self._table.deletion_vectors())
        names = (path.rpartition("/")[2] for path in vectors["filepath"].to_pylist())
        return dict(zip(map(unquote, names), vectors["selection_vector"], strict=True))

    def _rows(self, found: _DataFile, columns: Sequence[str]) -> Iterator[pa.Table]:
        physical = {logical: each for each, logical in self._logical.items()}
        asked = [physical.get(column, column) for column in columns]
        line = 1
        reader = arrow_files.ArrowFile(lambda: self.open(found.path), self._name(found))
        for whole in reader.batches(asked):
            batch = whole.rename_columns([self._logical.get(n, n) for n in whole.column_names])
            for column in found.partition.keys() & set(columns):
                repeated = arrow_columns.plain(pa.repeat(found.partition[column], len(batch)))
                batch = batch.append_column(column, repeated)
            yield batch if found.kept is None else batch.filter(_mask(found.kept, line, len(batch)))
            line += len(whole)


def _physical(field: pa.Field) -> str:
    metadata = field.metadata or {}
    return str(metadata.get(_PHYSICAL_NAME.encode(), field.name.encode()).decode())


def _mask(kept: pa.ListScalar, line: int, num_rows: int) -> pa.Array:
    """Rows beyond a vector's end are left, too."""
    found = kept.values.slice(line - 1, num_rows)
    beyond = pa.array([True] * (num_rows - len(found)), pa.bool_())
    return pa.concat_arrays([found, beyond])
