"""What the runner hands to a stage, for tests that call a stage, or part of one, themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, insert

from pipelines.core import journal, lease
from pipelines.core.registry import Stage
from pipelines.core.settings import Settings
from pipelines.core.stage import Context
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import UseCase


def new_attempt(engine: Engine, case: str, stage: str = "test") -> int:
    """A row of `ops.runs`, which numbers the attempts."""
    row = insert(journal.runs).values(
        case_name=case, stage=stage, interval="2026-11-20", state="running"
    )
    with engine.begin() as connection:
        made: int = connection.execute(row.returning(journal.runs.c.attempt)).scalar_one()
    return made


def replace_holder(engine: Engine, case: str, name: str, attempt: int = 10**6) -> None:
    """What a newer attempt does once it has the lease."""
    row = journal.insert_or_update(journal.fences, case_name=case, lease=name, attempt=attempt)
    with engine.begin() as connection:
        connection.execute(row)


@contextmanager
def held_context(
    settings: Settings, engine: Engine, case: UseCase, interval: Interval, stage: Stage[Any]
) -> Iterator[Context]:
    """A context whose attempt holds the stage's lease."""
    attempt = new_attempt(engine, case.name, stage.name)
    assert stage.lease
    with lease.hold(engine, case.name, stage.lease, attempt, 60) as held:
        yield Context(
            settings=settings,
            case=case,
            interval=interval,
            stage=stage,
            engine=engine,
            attempt=attempt,
            lease=held,
        )
