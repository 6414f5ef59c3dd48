"""Landing files into a Spark frame of typed rows, read in the server's Python workers."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.data.landing import DataFile
from pipelines.data.reading import rows
from pipelines.data.reading.batches import BATCH_ROWS, FILE, LINE, PROBLEM, RAW, FileRefused
from pipelines.data.reading.delimited import Delimited
from pipelines.data.reading.json_text import JsonText
from pipelines.data.reading.notation import LANDING, Notation
from pipelines.data.reading.rows import FAILED
from pipelines.use_cases.spec.use_case import Feed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.connect.session import SparkSession

_UNKNOWN_MAX = 100
_INSTANT = pa.timestamp("us", "UTC")
_FRAME = (
    "source_file string, part_start timestamp, ingested_at timestamp, source_line int, raw string, "
    "problem string, refusal string, unknown array<string>, failed struct<{failed}>, {columns}"
)


def read(spark: "SparkSession", feed: Feed, files: Sequence[DataFile]) -> "DataFrame":
    """A row a record, and a last row a file (`source_line` 0) with its refusal, if any.

    The values are typed; the texts that were not of their type are in the struct `failed`.
    """
    if files:
        addresses = [file.address for file in files]
        content = spark.read.format("binaryFile").load(addresses).select("path", "content")
    else:
        content = spark.createDataFrame([], "path string, content binary")
    failed = ", ".join(f"`{column.name}`: string" for column in feed.columns)
    columns = ", ".join(f"`{column.name}` {column.type}" for column in feed.columns)
    frame = _FRAME.format(failed=failed, columns=columns)
    return content.mapInArrow(_worker(feed, files), frame)


def _worker(
    feed: Feed, files: Sequence[DataFile]
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    by_place = {file.place: file for file in files}

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for path, content in zip(*batch.columns, strict=True):
                yield from file_batches(content.as_py(), feed, _found(path.as_py(), by_place))

    return work


def _found(path: str, by_place: Mapping[str, DataFile]) -> DataFile:
    """The file by the end of its path, the same under every root, disk or bucket.

    That is case/feed/part/version/name, or without a version for what landed before there were.
    """
    pieces = path.split("/")
    return by_place.get("/".join(pieces[-5:])) or by_place["/".join(pieces[-4:])]


def file_batches(content: bytes, feed: Feed, file: DataFile) -> Iterator[pa.RecordBatch]:
    """The Arrow batches of one file; the last has one row, about the file itself."""
    refusal, unknown = None, set[str]()
    try:
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise FileRefused("the file is not the one that its manifest names; extract it again")
        for found in parsed(content, feed, file.source_file, unknown):
            yield from _framed(found, file).to_batches(BATCH_ROWS)
    except FileRefused as refused:
        refusal = str(refused)
    last = _framed(rows.schema(feed).empty_table(), file).schema.empty_table()
    yield _about(last.schema, file, refusal, sorted(unknown)[:_UNKNOWN_MAX])


def parsed(content: bytes, feed: Feed, name: str, unknown: set[str]) -> Iterator[pa.Table]:
    """The typed rows of a landed file, and into `unknown` the fields that nobody declared.

    Raises:
        FileRefused: the file as a whole breaks its contract.
    """
    if name.endswith(".parquet"):
        yield from rows.landed(content, feed)
        return
    notations = dict.fromkeys(feed.column_names, _notation(feed))
    read = _of_json if feed.format == "jsonl" else _of_csv
    for batch in read(content, feed, name, unknown):
        yield rows.typed(batch, feed.columns, notations)


def _of_csv(content: bytes, feed: Feed, name: str, unknown: set[str]) -> Iterator[pa.Table]:
    reader = Delimited(lambda: BytesIO(content), name)
    header = reader.header()
    _refuse_missing(feed, header)
    unknown.update(set(header) - set(feed.column_names))
    return reader.batches(feed.column_names)


def _of_json(content: bytes, feed: Feed, name: str, unknown: set[str]) -> Iterator[pa.Table]:
    texts = ("string", "date", "timestamp")
    reader = JsonText(
        lambda: BytesIO(content),
        name,
        string_columns=frozenset(c.name for c in feed.columns if c.type in texts),
        required=frozenset(c.name for c in feed.columns if not c.optional),
        is_lines=True,
        unknown=unknown,
    )
    return reader.batches(feed.column_names)


def _notation(feed: Feed) -> Notation:
    return replace(LANDING, missing=frozenset({feed.null_token} - {""}))


def _refuse_missing(feed: Feed, header: Sequence[str]) -> None:
    lacking = [c.name for c in feed.columns if not c.optional and c.name not in header]
    if header and lacking:
        raise FileRefused(f"column {', '.join(lacking)} is missing; the header has {list(header)}")
    twice = sorted(name for name in feed.column_names if header.count(name) > 1)
    if twice:
        raise FileRefused(f"column {', '.join(twice)} is there twice")


def _framed(found: pa.Table, file: DataFile) -> pa.Table:
    """As the frame has it."""
    num_rows = len(found)
    nothing = pa.nulls(num_rows, pa.string())
    apart = {FAILED, FILE, LINE, RAW, PROBLEM, rows.DIGEST}
    values = {name: found[name] for name in found.column_names if name not in apart}
    return pa.table(
        {
            "source_file": found[FILE],
            "part_start": pa.repeat(pa.scalar(file.part.start, _INSTANT), num_rows),
            "ingested_at": pa.repeat(pa.scalar(file.landed_at, _INSTANT), num_rows),
            "source_line": pc.cast(found[LINE], pa.int32()),
            "raw": found[RAW],
            "problem": found[PROBLEM],
            "refusal": nothing,
            "unknown": pa.nulls(num_rows, pa.list_(pa.string())),
            "failed": found[FAILED],
            **values,
        }
    )


def _about(
    schema: pa.Schema, file: DataFile, refusal: str | None, unknown: Sequence[str]
) -> pa.RecordBatch:
    said = {
        "source_file": file.source_file,
        "part_start": file.part.start,
        "ingested_at": file.landed_at,
        "source_line": 0,
        "refusal": refusal,
        "unknown": unknown,
    }
    return pa.RecordBatch.from_pylist([{name: said.get(name) for name in schema.names}], schema)
