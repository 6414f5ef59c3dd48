"""The year 2013 by the platform's own stages: one row a landed flight, as known two hours ahead."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from benchmarks.harness import Timings, own_platform
from pipelines import services
from pipelines.core import cases, journal
from pipelines.core.registry import ASSEMBLE
from pipelines.core.settings import Settings
from pipelines.core.stage import Context
from pipelines.core.version import code_version
from pipelines.insight import status
from pipelines.learning import inputs
from pipelines.use_cases import find
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.model import LABELS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

CASE = find("flight_delays")
CALENDAR = {CASE.name: {"calendar": "2013"}}
# Quarters: the first run's 90 days fit the Spark server's heap. The year's first flights are
# planned the evening before, its last ones land on the next day.
RANGES = (
    "2012-12-31/2013-03-31",
    "2013-04-01/2013-06-30",
    "2013-07-01/2013-09-30",
    "2013-10-01/2014-01-01",
)
STAGES: Sequence[Sequence[str]] = (
    ("extract",),
    ("ingest",),
    ("validate_raw",),
    ("transform",),
    ("validate_features",),
)
# The mark `is_batch` would lose flights planned for 02:00 UTC: two hours before is midnight.
TWO_HOURS_AHEAD = "lead_minutes = 120"
# What the table holds beside the model's inputs and its label.
_OUTSIDE = ("flight_id", "known_at", "label_known_at")
MADE_BY = b"millrace.code_version"


def table(path: Path, *, anew: bool) -> pa.Table:
    """The year's rows, from the file, or built and written into it."""
    if anew or not path.exists():
        with platform() as (settings, environment):
            run_stages(settings, environment)
            rows = joined(settings)
        write(rows.replace_schema_metadata({MADE_BY: code_version()}), path)
    return pq.read_table(path)


@contextmanager
def platform() -> Iterator[tuple[Settings, Mapping[str, str]]]:
    """One that is gone afterwards, or the one in MILLRACE_QUALITY_HOME, which stays."""
    home = os.environ.get("MILLRACE_QUALITY_HOME")
    if home is None:
        with own_platform(sources=CALENDAR) as made:
            yield made
        return
    settings = Settings(home=Path(home), sources=CALENDAR)
    try:
        yield settings, settings.environment()
    finally:
        services.stop(settings)


def run_stages(settings: Settings, environment: Mapping[str, str]) -> None:
    """Publish the year's features, range by range, by the command line; what is there, stays."""
    services.ensure(settings, ("postgres", "spark"))
    for key in due(status.known_until(journal.engine(settings), CASE)):
        for stage in STAGES:
            _run(stage, key, environment)
    # Applies the case's definitions, by which Feast joins.
    _run(("materialize",), RANGES[-1], environment)


def due(known_until: datetime | None) -> list[str]:
    """The ranges that are not published yet."""
    return [key for key in RANGES if known_until is None or Interval.parse(key).end > known_until]


def _run(stage: Sequence[str], key: str, environment: Mapping[str, str]) -> None:
    name, *options = stage
    command = [sys.executable, "-m", "pipelines", name, CASE.name, "--interval", key, *options]
    timings = Timings(" ".join((*stage, key)))
    timings.run(command, environment)
    print(f"{timings.name:<52}{timings.worst:>8.1f} s", flush=True)


def joined(settings: Settings) -> pa.Table:
    """Labelled decisions with what was known at each, in the order of their instants.

    Raises:
        CheckFailed: the join lost or made rows.
    """
    engine = journal.engine(settings)
    # It only reads: without a lease it can commit nothing.
    context = Context(
        settings=settings,
        case=CASE,
        interval=Interval.parse(RANGES[-1]),
        stage=ASSEMBLE,
        engine=engine,
        attempt=0,
        lease=None,
        chosen=CASE.model("late"),
    )
    try:
        return _joined(context)
    finally:
        # Before the server goes: the client of a dead one waits for it when Python ends.
        context.spark.stop()
        engine.dispose()


def _joined(context: Context) -> pa.Table:
    start, end = Interval.parse(RANGES[0]).start, Interval.parse(RANGES[-1]).end
    columns = cases.model(CASE.name, context.model).columns
    asked = _labelled(context, Interval(start, end, f"{start:%Y}")).localCheckpoint()
    names = (*columns.inputs, context.model.label, *_OUTSIDE)
    with inputs.as_known(context, asked) as known:
        rows = known.select(*names).toArrow()
    inputs.require_rows("point-in-time join", asked.count(), rows.num_rows)
    return rows.sort_by([("known_at", "ascending"), ("flight_id", "ascending")])


def _labelled(context: Context, stretch: Interval) -> "DataFrame":
    """The decisions two hours ahead of flights that landed, and since when that is known."""
    label, key = context.model.label, ", ".join(context.model.row_key)
    known = context.spark.sql(f"""
        select {key}, max_by({label}, known_at) as {label}, min(known_at) as label_known_at
        from {CASE.table("gold", LABELS)}
        where {label} is not null
        group by {key}
    """)
    decisions = inputs.decisions(context, stretch).where(TWO_HOURS_AHEAD)
    return decisions.join(known, list(context.model.row_key), "inner")


def write(rows: pa.Table, path: Path) -> None:
    """A Parquet file that is whole, or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    pq.write_table(rows, unfinished)
    unfinished.replace(path)
