"""Landing files into a Spark frame of texts; the parsing runs in the server's Python workers."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.data.ingest import delimited, json_lines
from pipelines.data.ingest.records import FileRefused, Reading, Record, physical_lines
from pipelines.data.landing import DataFile
from pipelines.use_cases.spec.use_case import Feed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.connect.session import SparkSession

# Rows in one Arrow batch: some MB, whatever the file's size.
BATCH_ROWS = 20_000

_FRAME = (
    "source_file string, part_start timestamp, ingested_at timestamp, source_line int, "
    "raw string, problem string, refusal string, unknown array<string>, text struct<{text}>"
)


def parse(content: bytes, feed: Feed) -> Reading:
    """The records of a file's content: each line that is not blank is in exactly one.

    Raises:
        FileRefused: the file as a whole breaks its contract.
    """
    lines = physical_lines(content)
    return delimited.read(lines, feed) if feed.format == "csv" else json_lines.read(lines, feed)


def read(spark: "SparkSession", feed: Feed, files: Sequence[DataFile]) -> "DataFrame":
    """A row a record, and a last row a file (`source_line` 0) with its refusal, if any.

    The rows carry the values as texts in the struct `text`, a field a column.
    """
    text = ", ".join(f"`{column.name}` string" for column in feed.columns)
    if files:
        addresses = [file.address for file in files]
        content = spark.read.format("binaryFile").load(addresses).select("path", "content")
    else:
        content = spark.createDataFrame([], "path string, content binary")
    return content.mapInArrow(_worker(feed, files), _FRAME.format(text=text))


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
        reading = parse(content, feed)
    except FileRefused as refused:
        refusal = str(refused)
    else:
        unknown = reading.unknown
        while records := list(islice(reading.records, BATCH_ROWS)):
            yield _batch(records, feed, file)
    yield _batch([Record(0, "", None)], feed, file, refusal=refusal, unknown=unknown)


def _batch(
    records: Sequence[Record],
    feed: Feed,
    file: DataFile,
    *,
    refusal: str | None = None,
    unknown: Iterable[str] = (),
) -> pa.RecordBatch:
    rows = len(records)
    none = (None,) * len(feed.columns)
    lines, raws, values, problems = zip(*records, strict=True)
    texts = zip(*(value or none for value in values), strict=True)
    instant = pa.timestamp("us", tz="UTC")
    columns = {
        "source_file": pa.array([file.source_file] * rows, pa.string()),
        "part_start": pa.array([file.part.start] * rows, instant),
        "ingested_at": pa.array([file.landed_at] * rows, instant),
        "source_line": pa.array(lines, pa.int32()),
        "raw": pa.array(raws, pa.string()),
        "problem": pa.array(problems, pa.string()),
        "refusal": pa.array([refusal] * rows, pa.string()),
        "unknown": pa.array([sorted(unknown)] * rows, pa.list_(pa.string())),
        "text": pa.StructArray.from_arrays(
            [pa.array(column, pa.string()) for column in texts], names=list(feed.column_names)
        ),
    }
    return pa.RecordBatch.from_pydict(columns)
