"""One aggregate over a feed's judged rows: what is counted, and what refuses the whole batch."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812

from pipelines.core.errors import BatchRefused
from pipelines.data.ingest.casts import Casting, type_change
from pipelines.use_cases.spec.use_case import Feed

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, Row

log = logging.getLogger(__name__)


def tally(judged: "DataFrame", feed: Feed) -> Sequence["Row"]:
    """A row a file: its counts, its refusal, its unknown fields, how each column's casts fared."""
    counted = (
        F.count_if(F.col("source_line") > 0).alias("in"),
        F.count_if(F.col("place") == 1).alias("kept"),
        F.count_if("is_bad").alias("quarantined"),
        F.count_if(F.col("place") > 1).alias("duplicates"),
        F.max("refusal").alias("refusal"),
        F.max("unknown").alias("unknown"),
    )
    casts = (_cast(column.name, column.type).alias(column.name) for column in feed.columns)
    return judged.groupBy("source_file").agg(*counted, F.struct(*casts).alias("casts")).collect()


def _cast(name: str, type_: str) -> "Column":
    text = F.col("failed")[name]
    is_whole = text.rlike(r"^-?[0-9]+(?![\s\S])") if type_ in ("int", "bigint") else F.lit(False)
    return F.struct(
        F.count(name).alias("succeeded"),
        F.count(text).alias("failed"),
        F.max(F.when(is_whole, text)).alias("overflowed"),
        F.max(text).alias("sample"),
    )


def counts(found: Sequence["Row"]) -> Mapping[str, int]:
    """Records in, kept, quarantined and dropped as duplicates, over all files."""
    names = ("in", "kept", "quarantined", "duplicates")
    return {name: sum(row[name] for row in found) for name in names}


def refuse(found: Sequence["Row"], feed: Feed) -> None:
    """Refuse the batch for what is wrong with a file as a whole; log fields nobody declared.

    Raises:
        BatchRefused: names every such file, with the field or the line.
    """
    unknown = sorted({name for row in found for name in row.unknown or ()})
    if unknown:
        log.warning("%s: ignored fields that the feed does not declare: %s", feed.name, unknown)
    refused = [f"{row.source_file}: {row.refusal}" for row in found if row.refusal]
    changed = [
        f"{row.source_file}: {why}"
        for row in found
        for casting in _castings(row, feed)
        if (why := type_change(casting))
    ]
    if refused or changed:
        raise BatchRefused(f"{'; '.join(sorted(refused + changed))}; nothing was written")


def _castings(row: "Row", feed: Feed) -> Iterator[Casting]:
    for column in feed.columns:
        yield Casting(column, **row.casts[column.name].asDict())
