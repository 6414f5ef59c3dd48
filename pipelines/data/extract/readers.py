"""Files of rows, in a folder or an object store, as Arrow tables of texts; nothing is dropped.

A record that can't be split into its columns goes on whole, in the column `UNREAD`.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.dataset as ds  # type: ignore[import-untyped]
from pyarrow import fs

from pipelines.core.errors import BatchRefused, MillraceError
from pipelines.data.extract.files import allowed
from pipelines.data.extract.texts import as_texts, text_of

UNREAD = "__unread__"
BATCH_ROWS = 10_000
# An unclosed quote swallows the rest of a file; ingest reads no longer record either.
QUOTED_LINES_MAX = 100
_STORES = re.compile(r"(?:s3|gs|gcs|abfs|abfss|hdfs)://")
_KINDS = {".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".ndjson": "json", ".json": "json"}
_KINDS |= {".parquet": "parquet", ".pq": "parquet"}

# A record's values in the order of the header, or its text where it has none.
Record: TypeAlias = Sequence[str | None] | str


@dataclass(frozen=True)
class FileTable:
    """The rows of one file, or of every file below a folder, in the order of their paths.

    Args:
        location: an absolute path inside one of `roots`, or the URL of an object store.
        roots: the folders that may be read, `settings.data_roots`.
        delimiter: of CSV files; a .tsv file has tabs.

    Raises:
        BatchRefused: the path is outside the roots; see `pipelines.data.extract.files.allowed`.
    """

    location: str
    roots: Sequence[Path]
    delimiter: str = ","

    def column_names(self) -> list[str]:
        """The columns of the first file."""
        store, (first, *_) = self._files()
        return _header(store, first, self._delimiter(first))

    def batches(self, columns: Sequence[str], _between: object = None) -> Iterator[pa.Table]:
        """The rows as texts, with the columns asked for and `UNREAD`; all of them, each time.

        Raises:
            BatchRefused: a file lacks a column, or is no file of its kind.
            MillraceError: there is no file, or the store can't be reached.
        """
        store, paths = self._files()
        for path in paths:
            try:
                yield from _read(store, path, columns, self._delimiter(path))
            except (OSError, pa.ArrowInvalid, csv.Error) as error:
                raise BatchRefused(f"{path} can't be read: {error}") from error

    def _delimiter(self, path: str) -> str:
        return "\t" if ".tsv" in Path(path).suffixes else self.delimiter

    def _files(self) -> tuple[fs.FileSystem, list[str]]:
        try:
            if _STORES.match(self.location):
                store, path = fs.FileSystem.from_uri(self.location)
                return store, _listed(store, path)
            store, path = fs.LocalFileSystem(), str(allowed(self.location, self.roots))
            return store, [str(allowed(found, self.roots)) for found in _listed(store, path)]
        except (OSError, pa.ArrowInvalid) as error:
            raise MillraceError(f"{self.location} can't be listed: {error}") from error


def _listed(store: fs.FileSystem, path: str) -> list[str]:
    info = store.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        raise MillraceError(f"there is no {path}; run extract again once it is there")
    if info.is_file:
        found = [path]
    else:
        below = store.get_file_info(fs.FileSelector(path, recursive=True))
        found = sorted(each.path for each in below if each.is_file and _is_data(each.path))
    if not found or not all(map(_kind, found)):
        raise BatchRefused(
            f"{path} is, or holds, no file named {', '.join('*' + k for k in _KINDS)}"
        )
    return found


def _is_data(path: str) -> bool:
    """Markers and half-written files begin with a dot or an underscore."""
    return _kind(path) is not None and not Path(path).name.startswith((".", "_"))


def _kind(path: str) -> str | None:
    suffixes = [suffix.lower() for suffix in Path(path).suffixes if suffix.lower() != ".gz"]
    return _KINDS.get(suffixes[-1]) if suffixes else None


def _header(store: fs.FileSystem, path: str, delimiter: str) -> list[str]:
    if _kind(path) == "parquet":
        return list(ds.dataset(path, filesystem=store, format="parquet").schema.names)
    if _kind(path) == "csv":
        return next(_csv_rows(store, path, delimiter), [])
    names: dict[str, None] = {}
    for found in islice(_objects(store, path), 1000):
        names |= dict.fromkeys(found) if isinstance(found, dict) else {}
    return list(names)


def _read(
    store: fs.FileSystem, path: str, columns: Sequence[str], delimiter: str
) -> Iterator[pa.Table]:
    if _kind(path) == "parquet":
        dataset = ds.dataset(path, filesystem=store, format="parquet")
        require(path, columns, dataset.schema.names)
        for batch in dataset.to_batches(columns=list(columns), batch_size=BATCH_ROWS):
            table = pa.Table.from_batches([batch])
            yield text_table({name: as_texts(table[name]) for name in columns}, len(table))
        return
    records = _csv_records if _kind(path) == "csv" else _json_records
    yield from in_batches(columns, records(store, path, columns, delimiter))


def require(where: str, columns: Sequence[str], found: Sequence[str]) -> None:
    """Refuse a table that lacks columns.

    Raises:
        BatchRefused: it does; names it, what it lacks and what there is.
    """
    lacking = [name for name in columns if name not in found]
    if lacking:
        raise BatchRefused(f"{where} has no column {', '.join(lacking)}; it has {', '.join(found)}")


def in_batches(columns: Sequence[str], records: Iterable[Record]) -> Iterator[pa.Table]:
    """Records as tables of bounded size."""
    rows = iter(records)
    none = (None,) * len(columns)
    while part := list(islice(rows, BATCH_ROWS)):
        values = zip(*(none if isinstance(row, str) else row for row in part), strict=True)
        texts = dict(zip(columns, values, strict=True))
        yield text_table(texts, len(part), [r if isinstance(r, str) else None for r in part])


def text_table(
    texts: Mapping[str, Any], num_rows: int, unread: Sequence[str | None] | None = None
) -> pa.Table:
    """A table of texts, with the records that could not be read."""
    arrays = {
        name: column if isinstance(column, pa.ChunkedArray) else pa.array(column, pa.string())
        for name, column in {**texts, UNREAD: unread or [None] * num_rows}.items()
    }
    return pa.table(arrays).cast(pa.schema([(name, pa.string()) for name in arrays]))


def _lines(store: fs.FileSystem, path: str) -> TextIOWrapper:
    """The text of a file; bytes that are no UTF-8 stay visible as `\\xff`."""
    raw: Any = store.open_input_stream(path)
    return TextIOWrapper(raw, encoding="utf-8-sig", errors="backslashreplace", newline="")


def _csv_rows(store: fs.FileSystem, path: str, delimiter: str) -> Iterator[list[str]]:
    with _lines(store, path) as lines:
        reader, before = csv.reader(lines, delimiter=delimiter), 0
        for row in reader:
            if reader.line_num - before > QUOTED_LINES_MAX:
                raise BatchRefused(f"{path}: a quote opened in line {before + 1} is not closed")
            before = reader.line_num
            if row:
                yield row


def _csv_records(
    store: fs.FileSystem, path: str, columns: Sequence[str], delimiter: str
) -> Iterator[Record]:
    rows = _csv_rows(store, path, delimiter)
    header = next(rows, None)
    if header is None:
        return
    require(path, columns, header)
    places = [header.index(name) for name in columns]
    for row in rows:
        yield [row[p] for p in places] if len(row) == len(header) else _csv_text(row)


def _csv_text(row: Sequence[str]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()


def _objects(store: fs.FileSystem, path: str) -> Iterator[dict[str, Any] | str]:
    with _lines(store, path) as lines:
        for line in filter(str.strip, lines):
            try:
                # Numbers stay the texts that stand there, to the last digit.
                found = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
            except (ValueError, RecursionError):
                found = None
            yield found if isinstance(found, dict) else line.rstrip("\r\n")


def _json_records(
    store: fs.FileSystem, path: str, columns: Sequence[str], _delimiter: str
) -> Iterator[Record]:
    for found in _objects(store, path):
        if isinstance(found, str):
            yield found
        else:
            yield [_json_text(found.get(name)) for name in columns]


def _json_text(value: Any) -> str | None:
    return json.dumps(value) if isinstance(value, dict | list) else text_of(value)
