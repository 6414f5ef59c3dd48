"""The year 2013 of a case by the platform's own stages: its labelled decisions, as known then."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
from pipelines.use_cases.spec.model import LABELS, Model
from pipelines.use_cases.spec.use_case import UseCase

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

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
# Beside the inputs and labels of a table; then what names its rows.
_INSTANTS = ("known_at", "label_known_at")


@dataclass(frozen=True)
class Asked:
    """Which decisions of a case make the table, and which labels stand beside them.

    Args:
        case: whose stages run.
        models: of the case; their inputs and labels are the columns.
        where: which decisions, in SQL.
        online_after_minutes: as if the models answered online; see `Model`.
    """

    case: UseCase
    models: tuple[str, ...]
    where: str = "true"
    online_after_minutes: int | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.case.model(name).label for name in self.models)

    @property
    def model(self) -> Model:
        """By which rows are joined."""
        first = self.case.model(self.models[0])
        return replace(first, online_after_minutes=self.online_after_minutes)

    @property
    def row_key(self) -> tuple[str, ...]:
        return self.model.row_key

    @property
    def inputs(self) -> tuple[str, ...]:
        """Of all models, each once."""
        specs = (cases.model(self.case.name, self.case.model(name)) for name in self.models)
        return tuple(dict.fromkeys(name for spec in specs for name in spec.columns.inputs))


# The mark `is_batch` would lose flights planned for 02:00 UTC: two hours before is midnight.
LATE = Asked(find("flight_delays"), ("late",), where="lead_minutes = 120")
MADE_BY = b"millrace.code_version"


def table(path: Path, *, anew: bool, asked: Asked = LATE) -> pa.Table:
    """The year's rows, from the file, or built and written into it."""
    (found,) = tables({path: asked}, anew=anew)
    return found


def tables(asked: Mapping[Path, Asked], *, anew: bool) -> list[pa.Table]:
    """The rows of several questions to one case, each from its file, or built and written."""
    missing = {path: each for path, each in asked.items() if anew or not path.exists()}
    if missing:
        (case,) = {each.case for each in missing.values()}
        with platform(case) as (settings, environment):
            run_stages(settings, environment, case)
            made = zip(missing, joined(settings, list(missing.values())), strict=True)
            for path, rows in made:
                write(rows.replace_schema_metadata({MADE_BY: code_version()}), path)
    return [pq.read_table(path) for path in asked]


@contextmanager
def platform(case: UseCase) -> Iterator[tuple[Settings, Mapping[str, str]]]:
    """One that is gone afterwards, or the one in MILLRACE_QUALITY_HOME, which stays."""
    home, sources = os.environ.get("MILLRACE_QUALITY_HOME"), {case.name: {"calendar": "2013"}}
    if home is None:
        with own_platform(sources=sources) as made:
            yield made
        return
    settings = Settings(home=Path(home), sources=sources)
    try:
        yield settings, settings.environment()
    finally:
        services.stop(settings)


def run_stages(settings: Settings, environment: Mapping[str, str], case: UseCase) -> None:
    """Publish the year's features, range by range, by the command line; what is there, stays."""
    services.ensure(settings, ("postgres", "spark"))
    for key in due(status.known_until(journal.engine(settings), case)):
        for stage in STAGES:
            _run(case, stage, key, environment)
    # Applies the case's definitions, by which Feast joins.
    _run(case, ("materialize",), RANGES[-1], environment)


def due(known_until: datetime | None) -> list[str]:
    """The ranges that are not published yet."""
    return [key for key in RANGES if known_until is None or Interval.parse(key).end > known_until]


def _run(case: UseCase, stage: Sequence[str], key: str, environment: Mapping[str, str]) -> None:
    name, *options = stage
    command = [sys.executable, "-m", "pipelines", name, case.name, "--interval", key, *options]
    timings = Timings(" ".join((*stage, key)))
    timings.run(command, environment)
    print(f"{timings.name:<52}{timings.worst:>8.1f} s", flush=True)


def joined(settings: Settings, asked: Sequence[Asked]) -> Iterator[pa.Table]:
    """Of each: labelled decisions with what was known at them, in the order of their instants.

    Raises:
        CheckFailed: the join lost or made rows.
    """
    engine = journal.engine(settings)
    # It only reads: without a lease it can commit nothing.
    context = Context(
        settings=settings,
        case=asked[0].case,
        interval=Interval.parse(RANGES[-1]),
        stage=ASSEMBLE,
        engine=engine,
        attempt=0,
        lease=None,
    )
    try:
        for each in asked:
            yield _joined(replace(context, chosen=each.model), each)
    finally:
        # Before the server goes: the client of a dead one waits for it when Python ends.
        context.spark.stop()
        engine.dispose()


def _joined(context: Context, asked: Asked) -> pa.Table:
    start, end = Interval.parse(RANGES[0]).start, Interval.parse(RANGES[-1]).end
    labelled = _labelled(context, asked, Interval(start, end, f"{start:%Y}")).localCheckpoint()
    names = dict.fromkeys((*asked.row_key, *asked.inputs, *asked.labels, *_INSTANTS))
    with inputs.as_known(context, labelled) as known:
        rows = known.select(*names).toArrow()
    inputs.require_rows("point-in-time join", labelled.count(), rows.num_rows)
    return rows.sort_by([(name, "ascending") for name in ("known_at", *asked.row_key)])


def _labelled(context: Context, asked: Asked, stretch: Interval) -> "DataFrame":
    """The decisions that have a label of any of the models, and since when that is known."""
    newest = ", ".join(f"max_by({label}, known_at) as {label}" for label in asked.labels)
    known = context.spark.sql(f"""
        select {", ".join(asked.row_key)}, {newest}, min(known_at) as label_known_at
        from {asked.case.table("gold", LABELS)}
        where coalesce({", ".join(asked.labels)}) is not null
        group by {", ".join(asked.row_key)}
    """)
    decisions = inputs.decisions(context, stretch).where(asked.where)
    return decisions.join(known, list(asked.row_key), "inner")


def write(rows: pa.Table, path: Path) -> None:
    """A Parquet file that is whole, or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    pq.write_table(rows, unfinished)
    unfinished.replace(path)
