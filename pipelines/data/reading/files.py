"""The rows of one file, or of every file of a folder, as batches; nothing is dropped in silence."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.core.errors import BatchRefused
from pipelines.data.reading.arrow_files import ArrowFile
from pipelines.data.reading.batches import COLUMNS_MAX, Between, FileRefused, Reader
from pipelines.data.reading.delimited import Delimited
from pipelines.data.reading.delta_folder import DeltaFolder
from pipelines.data.reading.dialect import RFC_4180, Dialect
from pipelines.data.reading.excel import ExcelSheet
from pipelines.data.reading.json_text import JsonText
from pipelines.data.reading.listing import Folder, Found, Listing, failing_plainly, listed

log = logging.getLogger(__name__)

TABS = {".tsv": "\t", ".tab": "\t", ".psv": "|"}


@dataclass(frozen=True)
class FileTable:
    """The rows of one file, or of every file below a folder, in the order of their paths.

    Args:
        location: an absolute path inside one of `roots`, or the URL of an object store.
        roots: the folders that may be read, `settings.data_roots`.
        dialect: of all files; a .tsv file has tabs.
        left_out: names of files whose rows are not read.

    Raises:
        BatchRefused: the path is outside the roots; see `pipelines.data.reading.paths.allowed`.
    """

    location: str
    roots: Sequence[Path]
    dialect: Dialect = RFC_4180
    left_out: frozenset[str] = frozenset()

    @cached_property
    def listing(self) -> Listing:
        """What is at the location, listed once."""
        found = listed(self.location, self.roots)
        if found.left_alone:
            log.info("left alone: %s", ", ".join(found.left_alone[:10]))
        return found

    def column_names(self) -> list[str]:
        """The columns of all files in the order of their first sight, then those of the folders.

        Raises:
            BatchRefused: a file's header can't be read, names a column twice, or they are too many.
        """
        names: dict[str, None] = {}
        for source in self._sources():
            with _reading(source.path):
                header = source.reader.header()
                _refuse_twice(header)
            names |= dict.fromkeys(header)
        for source in self._sources():
            names |= dict.fromkeys(source.partition)
        if len(names) > COLUMNS_MAX:
            raise BatchRefused(f"{self.location} has {len(names)} columns, above {COLUMNS_MAX}")
        return list(names)

    def without(self, names: Iterable[str]) -> Self:
        """The same listing; the rows of the files of these names are not read."""
        made = replace(self, left_out=frozenset(names))
        made.__dict__["listing"] = self.listing
        return made

    def signatures(self) -> Mapping[str, str]:
        """Of each file what changes when its content does; of a Delta table's files the log says.

        Raises:
            BatchRefused: the log can't be read.
        """
        if (delta := self.listing.delta) is not None:
            with _reading(delta.path):
                return dict.fromkeys(_delta(delta, self.left_out).files(), "")
        return {file.name: file.signature for file in self.listing.files}

    @property
    def flattened(self) -> list[str]:
        """The columns that are records themselves, and become a column a field of theirs."""
        return list(dict.fromkeys(name for each in self._sources() for name in _flattened(each)))

    def batches(
        self,
        columns: Sequence[str],
        _between: Between | None = None,
        /,
        *,
        optional: Collection[str] = (),
    ) -> Iterator[pa.Table]:
        """The rows with the columns asked for, all of them, each time.

        Args:
            optional: columns that a file may lack; they are null then.

        Raises:
            BatchRefused: a file lacks another column, or is no file of its kind.
            MillraceError: there is no file, or the store can't be reached.
        """
        for source in self._sources():
            with _reading(source.path):
                header = source.reader.header() if source.name not in self.left_out else ()
                if not header:
                    continue
                _refuse_twice(header)
                _require(columns, [*header, *source.partition, *optional])
                for table in source.reader.batches(columns):
                    yield _completed(table, columns, source.partition)

    def _sources(self) -> "Iterator[_Source]":
        found = self.listing
        if found.delta is not None:
            yield _Source(_delta(found.delta, self.left_out), found.delta.path, "", {})
            return
        for file in found.files:
            yield _Source(reader_of(file, self.dialect), file.path, file.name, file.partition)


@dataclass(frozen=True)
class _Source:
    """A file, or a table of files, and the columns that its place is."""

    reader: Reader
    path: str
    name: str
    partition: Mapping[str, str | None]


def _flattened(source: _Source) -> Sequence[str]:
    reader = source.reader
    if isinstance(reader, JsonText | ArrowFile | DeltaFolder):
        with _reading(source.path):
            return reader.flattened
    return ()


def reader_of(file: Found, dialect: Dialect) -> Reader:
    """The reader of a file's kind."""
    if file.kind == "arrow":
        return ArrowFile(file.open_seekable, file.name, dialect)
    if file.kind == "excel":
        return ExcelSheet(file.open_seekable, file.name, dialect)
    if file.kind == "json":
        is_lines = file.suffix in (".jsonl", ".ndjson") and not dialect.records
        return JsonText(file.open, file.name, dialect, is_lines=is_lines)
    if file.suffix in TABS and dialect.delimiter == ",":
        dialect = replace(dialect, delimiter=TABS[file.suffix])
    return Delimited(file.open, file.name, dialect)


def _delta(folder: Folder, left_out: frozenset[str]) -> DeltaFolder:
    return DeltaFolder(folder.path, folder.open, folder.name, left_out=left_out)


@contextmanager
def _reading(path: str) -> Iterator[None]:
    """What a file raises, with its name."""
    try:
        with failing_plainly(path):
            yield
    except FileRefused as error:
        raise BatchRefused(f"{path}: {error}") from error


def _refuse_twice(header: Sequence[str]) -> None:
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise FileRefused(
            f"the header has {', '.join(map(repr, twice))} twice: nobody can say which is meant; "
            "rename one at the source"
        )


def _require(columns: Sequence[str], found: Sequence[str]) -> None:
    lacking = [name for name in columns if name not in found]
    if lacking:
        raise FileRefused(f"there is no column {', '.join(lacking)}; there is {', '.join(found)}")


def _completed(
    table: pa.Table, columns: Sequence[str], partition: Mapping[str, str | None]
) -> pa.Table:
    """With the columns that the folders name, and null for those that are nowhere."""
    for name in columns:
        if name not in table.column_names:
            value = pa.scalar(partition.get(name), pa.string())
            table = table.append_column(name, pa.repeat(value, len(table)))
    return table
