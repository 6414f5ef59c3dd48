"""Landing files into bronze; rows that break their contract into quarantine, with all reasons."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812

from expectations.rules import Rule
from pipelines.core import cases
from pipelines.core.outcomes import Ingested, Outcome
from pipelines.core.stage import Context
from pipelines.data import landing
from pipelines.data.ingest import judge, reader, tally
from pipelines.stores import delta, objects
from pipelines.use_cases.spec.use_case import Feed, Layer

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

log = logging.getLogger(__name__)

# Two feeds at a time: the server has work while the client plans and commits.
FEEDS_AT_ONCE = 2


@dataclass(frozen=True)
class Batch:
    """One feed's judged rows of an interval, counted."""

    feed: Feed
    rows: "DataFrame"
    counts: Mapping[str, int]


def run(context: Context) -> Outcome[Ingested]:
    """Replace the interval in the bronze and quarantine tables of every feed.

    Raises:
        BatchRefused: a file breaks its contract as a whole; nothing was written.
    """
    feeds, rules = context.case.feeds, cases.contract(context.case.name).row_rules()
    store = objects.landing(context.settings)
    landed = [landing.landed_files(store, context.case, feed, context.interval) for feed in feeds]
    named = {
        feed.name: {file.source_file: file.sha256 for file in files}
        for feed, files in zip(feeds, landed, strict=True)
    }
    layers: tuple[Layer, ...] = ("bronze", "quarantine")
    with ThreadPoolExecutor(FEEDS_AT_ONCE) as pool:
        batches = list(pool.map(lambda *batch: _read(context, rules, *batch), feeds, landed))
        for layer in layers:
            context.reset_build(layer, tuple(feed.name for feed in feeds), replaces=True)
        versions = list(pool.map(lambda batch: _write(context, batch), batches))
    return Outcome(
        rows={
            f"{batch.feed.name}_{what}": count
            for batch in batches
            for what, count in batch.counts.items()
        },
        writes={table: version for written in versions for table, version in written.items()},
        details=Ingested(files=named),
    )


def _read(
    context: Context,
    rules: Mapping[str, Sequence[Rule]],
    feed: Feed,
    files: Sequence[landing.DataFile],
) -> Batch:
    parsed = reader.read(context.spark, feed, files)
    # Judged once and kept by the server until this process lets go of it: counted, then written
    # twice, without parsing three times.
    rows = judge.judge(parsed, feed, rules.get(feed.name, ()), context.case.grain).localCheckpoint()
    found = tally.tally(rows, feed)
    tally.refuse(found, feed)
    counts = tally.counts(found)
    log.info("%s: %s", feed.name, ", ".join(f"{count} {what}" for what, count in counts.items()))
    return Batch(feed, rows, counts)


def _write(context: Context, batch: Batch) -> Mapping[str, int]:
    known_date = F.col("part_start").cast("date").alias("known_date")
    origin = ("ingested_at", "source_file", "source_line", known_date)
    good = batch.rows.where("place = 1").select(*batch.feed.column_names, *origin)
    # The record's own known_at can't be trusted; its part's start stands for it.
    arrived = F.col("part_start").alias("known_at")
    bad = batch.rows.where("is_bad").select("reasons", "raw", arrived, *origin)
    name = batch.feed.name
    frames: Mapping[Layer, DataFrame] = {"bronze": good, "quarantine": bad}
    num_rows = {"bronze": batch.counts["kept"], "quarantine": batch.counts["quarantined"]}
    return {
        context.case.table(layer, name): _replace(context, layer, name, frame, num_rows[layer])
        for layer, frame in frames.items()
    }


def _replace(context: Context, layer: Layer, name: str, frame: "DataFrame", num_rows: int) -> int:
    """The version that has these rows of the interval, and no others of it."""
    build, lake, interval = context.case.build_table(layer, name), context.lake, context.interval
    days = interval.start.date(), interval.last_date
    context.make_plain(layer, name)
    if num_rows or lake.newest(build) is None or lake.has_days(build, *days):
        delta.replace_interval(context.spark, frame, build, interval)
    return context.built(layer, name)
