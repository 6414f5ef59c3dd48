"""What the journal says about versions: which run wrote one, and of which parts it is made."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Engine, select

from pipelines.core import journal, registry
from pipelines.core.outcomes import Predicted, Trained
from pipelines.core.registry import STAGES
from pipelines.use_cases.spec.interval import Interval

# The stages that make versions; the checks only prove them.
MAKERS = tuple(stage.name for stage in STAGES.values() if stage.makes_versions)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One finished run of a stage, as `ops.runs` has it."""

    attempt: int
    stage: str
    model: str | None
    interval: str
    started_at: datetime
    ended_at: datetime
    reads: Mapping[str, int]
    writes: Mapping[str, int]
    details: Any  # of the type that the stage's entry in the registry names
    code_version: str | None = None
    airflow_run: str | None = None

    def __str__(self) -> str:
        return f"{self.stage} of {self.interval} (attempt {self.attempt})"


@dataclass(frozen=True)
class Publication:
    """One publication of a table, as `ops.published` has it."""

    table: str
    interval: str
    version: int
    published_at: datetime


@dataclass(frozen=True)
class History:
    """All finished runs that make versions, and all publications, oldest first."""

    runs: Sequence[Run]
    publications: Sequence[Publication]

    @cached_property
    def _writers(self) -> Mapping[tuple[str, int], Run]:
        return {(table, v): run for run in self.runs for table, v in run.writes.items()}

    @cached_property
    def _of_table(self) -> Mapping[str, Sequence[Publication]]:
        found: dict[str, list[Publication]] = {}
        for each in self.publications:
            found.setdefault(each.table, []).append(each)
        return found

    def writer(self, table: str, version: int) -> Run | None:
        """The newest run that wrote a version; None: the journal knows of none."""
        return self._writers.get((table, version))

    def parts(self, table: str, version: int) -> list[Publication]:
        """The publications whose rows a version holds: those that no later one replaced whole.

        Of a version that is not published, such as one being built, none.
        """
        ours = self._of_table.get(table, [])
        last = max((at for at, each in enumerate(ours) if each.version == version), default=-1)
        later = Cover()
        newest_first = reversed(ours[: last + 1])
        return [each for each in newest_first if later.add(Interval.parse(each.interval))][::-1]

    def training(self, model: str, number: int) -> Run | None:
        """The run that made a version of a model: of those that name it the first.

        Later ones found it made from the same rows; so did the first, if the one before it died
        after it had registered the version.
        """
        mine = (run for run in self.runs if run.model == model)
        trained = (run for run in mine if isinstance(run.details, Trained))
        return next((run for run in trained if run.details.number == number), None)

    def answered(self, model: str, model_version: int, at: datetime) -> Run | None:
        """The run of `predict` that gave a version's answers at an instant."""
        return next(
            (
                run
                for run in self.runs
                if isinstance(run.details, Predicted)
                and run.model == model
                and run.details.model_version == model_version
                and run.started_at <= at <= run.ended_at
            ),
            None,
        )


class Cover:
    """Intervals of which none lies within another, so that starts and ends have one order.

    Example:
        >>> cover = Cover()
        >>> [cover.add(Interval.parse(key)) for key in ("2026-11-19/2026-11-20", "2026-11-20")]
        [True, False]
    """

    def __init__(self) -> None:
        self._starts: list[datetime] = []
        self._ends: list[datetime] = []

    def add(self, interval: Interval) -> bool:
        """Whether it was not yet within one of them; then it is one, for those within it."""
        before = bisect_right(self._starts, interval.start)
        if before and self._ends[before - 1] >= interval.end:
            return False
        within = slice(
            bisect_left(self._starts, interval.start), bisect_right(self._ends, interval.end)
        )
        self._starts[within], self._ends[within] = [interval.start], [interval.end]
        return True


def read(engine: Engine, case: str) -> History:
    """The history of a case."""
    runs, published = journal.runs, journal.published
    done = (runs.c.case_name == case, runs.c.state == "done", runs.c.stage.in_(MAKERS))
    noted = select(published).where(published.c.case_name == case).order_by(published.c.id)
    with engine.connect() as connection:
        found = connection.execute(select(runs).where(*done).order_by(runs.c.attempt)).all()
        publications = connection.execute(noted).all()
    return History(
        runs=[_run(row) for row in found],
        publications=[
            Publication(row.table_name, row.interval, row.version, row.published_at)
            for row in publications
        ],
    )


def _run(row: Any) -> Run:
    names = ("attempt", "stage", "model", "interval", "started_at", "ended_at", "code_version")
    outcome = journal.parsed(registry.find(row.stage), row.result)
    own = {name: getattr(row, name) for name in (*names, "airflow_run")}
    return Run(**own, reads=outcome.reads, writes=outcome.writes, details=outcome.details)
