"""The stage runner: journal row, lease, fence, cost; every stage of every case passes here."""

import os
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, func, insert, update

from pipelines import services
from pipelines.core import journal, lease
from pipelines.core.errors import NothingDue
from pipelines.core.registry import Stage
from pipelines.core.settings import Settings
from pipelines.core.stage import Context
from pipelines.core.version import code_version
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase

if TYPE_CHECKING:
    from pipelines.core.outcomes import Outcome


def run(
    settings: Settings,
    case: UseCase,
    stage: Stage[Any],
    interval: Interval,
    options: Mapping[str, str] | None = None,
    model: str | None = None,
) -> dict[str, Any]:
    """Run one stage of one interval and return what the command line prints as JSON.

    Args:
        model: of the case, by name; None: its only one.

    Raises:
        UsageError: the stage is about a model, and there is none of that name, or several.
        MillraceError: the stage failed; its row in `ops.runs` says the same.
    """
    from pipelines.insight.lineage import attempt as lineage

    options = options or {}
    chosen = case.model(model) if stage.of_model else None
    # A stage by hand starts the parts that are embedded; where they are up this costs milliseconds.
    services.ensure(settings, stage.servers)
    engine = journal.engine(settings)
    attempt = _started(engine, case, stage, interval, chosen)
    began = time.monotonic()
    with (
        lineage.reported(settings, engine, case, stage, interval, attempt, options=options),
        _failure_noted(engine, attempt),
        _leased(settings, engine, case, stage, attempt, chosen) as held,
    ):
        context = Context(
            settings=settings,
            case=case,
            interval=interval,
            stage=stage,
            engine=engine,
            attempt=attempt,
            lease=held,
            chosen=chosen,
            options=options,
        )
        outcome: Outcome[Any] = import_module(stage.module).run(context)
        reads = {**context.reads, **outcome.reads}
        result, cost = journal.plain(replace(outcome, reads=reads)), _cost(began)
        _end(engine, attempt, state="done", result=result, **cost)
    place = {"stage": stage.name, "case": case.name, "interval": interval.key, "attempt": attempt}
    place |= {"model": chosen.name} if chosen else {}
    return {**place, **result, **cost}


def _leased(
    settings: Settings,
    engine: Engine,
    case: UseCase,
    stage: Stage[Any],
    attempt: int,
    chosen: Model | None,
) -> AbstractContextManager[lease.Lease | None]:
    """The stage's lease, of a model its own; None for a stage that writes nothing."""
    if stage.lease is None:
        return nullcontext()
    name = f"{stage.lease} of {chosen.name}" if chosen else stage.lease
    return lease.hold(engine, case.name, name, attempt, settings.lock_timeout_seconds)


def _started(
    engine: Engine, case: UseCase, stage: Stage[Any], interval: Interval, chosen: Model | None
) -> int:
    row = insert(journal.runs).values(
        case_name=case.name,
        model=chosen.name if chosen else None,
        stage=stage.name,
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
