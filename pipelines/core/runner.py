"""The stage runner: journal row, lock, fence, cost; every stage of every case passes through it."""

import os
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from importlib import import_module
from typing import Any

from sqlalchemy import Engine, func, insert, update

from pipelines import services
from pipelines.core import journal, lease
from pipelines.core.errors import NothingDue
from pipelines.core.settings import Settings
from pipelines.core.stage import Context, Outcome
from pipelines.core.version import code_version
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import UseCase

# Each module has `run(context) -> Outcome`; it is imported only when its stage runs.
STAGES: Mapping[str, str] = {
    "extract": "pipelines.data.extract.job",
    "ingest": "pipelines.data.ingest.job",
    "validate": "pipelines.data.validate.job",
    "transform": "pipelines.data.transform.run",
    "materialize": "pipelines.data.materialize",
    "due": "pipelines.learning.due",
    "assemble": "pipelines.learning.assemble.job",
    "train": "pipelines.learning.train.job",
    "promote": "pipelines.learning.promote",
    "predict": "pipelines.learning.predict",
    "monitor": "pipelines.learning.monitor.job",
    "rollback": "pipelines.learning.rollback",
}
_WITH_MLFLOW = {"train", "promote", "predict", "monitor", "rollback"}


def run(
    settings: Settings,
    case: UseCase,
    stage: str,
    interval: Interval,
    options: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run one stage of one interval and return what the command line prints as JSON.

    Raises:
        MillraceError: the stage failed; its row in `ops.runs` says the same.
    """
    # A stage run by hand starts the embedded engine; where it is up this costs milliseconds.
    mlflow = ["mlflow"] if stage in _WITH_MLFLOW else []
    services.ensure(settings, ("postgres", "spark", *mlflow))
    engine = journal.engine(settings)
    attempt = _started(engine, case, stage, interval)
    began = time.monotonic()
    told = _told(settings, engine, case, stage, interval, attempt, options or {})
    with (
        told,
        _failure_noted(engine, attempt),
        lease.hold(engine, case.name, attempt, settings.lock_timeout_seconds) as held,
    ):
        context = Context(settings, case, interval, held, options or {})
        outcome: Outcome = import_module(STAGES[stage]).run(context)
        cost = _cost(began)
        _end(engine, attempt, state="done", result=asdict(outcome), **cost)
    place = {"stage": stage, "case": case.name, "interval": interval.key, "attempt": attempt}
    return {**place, **asdict(outcome), **cost}


def _told(
    settings: Settings,
    engine: Engine,
    case: UseCase,
    stage: str,
    interval: Interval,
    attempt: int,
    options: Mapping[str, str],
) -> AbstractContextManager[None]:
    """The stage's lineage events: START on entering; on leaving what the journal says by then."""
    from pipelines.insight.lineage import attempt as lineage

    module = STAGES[stage]
    return lineage.told(settings, engine, case, interval, attempt, module=module, options=options)


def _started(engine: Engine, case: UseCase, stage: str, interval: Interval) -> int:
    row = insert(journal.runs).values(
        case_name=case.name,
        stage=stage,
        interval=interval.key,
        state="running",
        code_version=code_version(),
        airflow_run=os.environ.get("MILLRACE_AIRFLOW_RUN"),
    )
    with engine.begin() as connection:
        return int(connection.execute(row.returning(journal.runs.c.attempt)).scalar_one())


@contextmanager
def _failure_noted(engine: Engine, attempt: int) -> Iterator[None]:
    try:
        yield
    except NothingDue as nothing:
        _end(engine, attempt, state="nothing due", error=str(nothing))
        raise
    except BaseException as error:
        _end(engine, attempt, state="failed", error=f"{type(error).__name__}: {error}"[:4000])
        raise


def _end(engine: Engine, attempt: int, **values: Any) -> None:
    row = update(journal.runs).where(journal.runs.c.attempt == attempt)
    with engine.begin() as connection:
        connection.execute(row.values(ended_at=func.now(), **values))


def _cost(began: float) -> dict[str, float]:
    """Of this process and the children it waited for; the Spark server's share is not in it."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "wall_seconds": round(time.monotonic() - began, 2),
        "cpu_seconds": round(sum(usage.ru_utime + usage.ru_stime for usage in used), 2),
        "peak_memory_mib": round(max(usage.ru_maxrss for usage in used) / 1024, 1),
    }
