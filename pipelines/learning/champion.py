"""Which version of a model predicts: the journal says it; MLflow's alias only follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, insert, select, text

from pipelines.core import journal
from pipelines.core.errors import MillraceError, Superseded
from pipelines.core.journal import Done, promotions, runs
from pipelines.core.outcomes import Outcome, Predicted, Trained
from pipelines.core.registry import PREDICT, TRAIN
from pipelines.core.settings import Settings
from pipelines.learning import registry
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase

if TYPE_CHECKING:
    from models.artifact import Model as Opened
    from pipelines.core.stage import Context

PROMOTED, KEPT, ROLLED_BACK, REFRESHED = "promoted", "kept", "rolled back", "refreshed"


@dataclass(frozen=True)
class Champion:
    """The version that predicts; nothing known after `cutoff` was learned from.

    Args:
        learned: the version that was learned, where this one has only taken in new rows since.
    """

    version: int
    cutoff: datetime
    metric: str | None
    value: float | None
    promoted_at: datetime
    learned: int


def current(engine: Engine, case: str, model: str) -> Champion | None:
    """The champion of a case's model; None: nothing was promoted yet."""
    with engine.connect() as connection:
        return read(connection, case, model)


def of_version(engine: Engine, case: str, model: str, version: int) -> Champion | None:
    """A version that is, or was, champion."""
    with engine.connect() as connection:
        return read(connection, case, model, promotions.c.version == version)


def refreshed_from(engine: Engine, case: str, model: str, learned: int) -> frozenset[int]:
    """A version that was learned, and those that are it with new rows taken in."""
    with engine.connect() as connection:
        found = connection.execute(select(promotions).where(*_champions(case, model))).all()
    return frozenset(row.version for row in found if _learned(row) == learned)


def cutoffs(engine: Engine, case: str, model: str) -> Mapping[int, datetime]:
    """Each version that is, or was, champion, and the end of what it knows."""
    with engine.connect() as connection:
        found = connection.execute(select(promotions).where(*_champions(case, model))).all()
    return {row.version: _knows_until(row) for row in found}


def _knows_until(row: Any) -> datetime:
    """What it learned from, or what it has taken in since."""
    is_refreshed = row.decision == REFRESHED
    until: datetime = Interval.parse(row.interval).end if is_refreshed else row.cutoff
    return until


def _champions(case: str, model: str) -> tuple[Any, ...]:
    is_champion = promotions.c.decision.in_((PROMOTED, ROLLED_BACK, REFRESHED))
    return promotions.c.case_name == case, promotions.c.model == model, is_champion


def read(connection: Connection, case: str, model: str, *conditions: Any) -> Champion | None:
    """The newest champion, within a transaction."""
    named = select(promotions).where(*_champions(case, model), *conditions)
    newest = named.order_by(promotions.c.id.desc())
    row = connection.execute(newest.limit(1)).first()
    if row is None:
        return None
    return Champion(row.version, row.cutoff, row.metric, row.value, row.decided_at, _learned(row))


def _learned(row: Any) -> int:
    return int(row.evidence.get("learned", row.version))


def succeed(connection: Connection, row: Mapping[str, Any], before: Champion | None) -> None:
    """Note a decision, unless another champion than `before` has come in the meantime.

    Raises:
        Superseded: one was promoted, refreshed, or rolled back to.
    """
    # Readers go on. A lock of rows would not keep two first champions apart.
    connection.execute(text(f"lock table {promotions.fullname} in exclusive mode"))
    now = read(connection, row["case_name"], row["model"])
    if (now and now.version) != (before and before.version):
        raise Superseded(
            f"version {now.version if now else None} became the champion of "
            f"{row['case_name']}.{row['model']} in the meantime; run this stage again, to go on "
            "from that one"
        )
    connection.execute(insert(promotions).values(**row))


def align_alias(context: "Context") -> None:
    """Point MLflow's alias to the journal's champion; heals a crash, or a hand, in between."""
    now = current(context.engine, context.case.name, context.model.name)
    if now:
        known = registry.of(context.settings, context.case, context.model)
        known.point_alias("champion", now.version)


def last_training(engine: Engine, case: str, model: str) -> Done[Trained] | None:
    """The newest finished training, whatever the gate said of it; None: nothing was trained yet.

    What cadence and cool-down count from.
    """
    return journal.newest_done(engine, case, TRAIN, runs.c.model == model)


def answered(engine: Engine, case: str, model: str, interval: str) -> Outcome[Predicted] | None:
    """How an interval was answered last: a champion since promoted may be another.

    None: no predict of the interval has finished.
    """
    mine = (runs.c.model == model, runs.c.interval == interval)
    done = journal.newest_done(engine, case, PREDICT, *mine)
    return done.outcome if done else None


def load(settings: Settings, case: UseCase, model: Model, number: int) -> "Opened":
    """A registered version, ready to score; its bytes are those that train registered.

    Raises:
        MillraceError: they are not, or can't be read.
    """
    from models.errors import ModelError

    try:
        return registry.opened(registry.address(settings, case, model, number))
    except ModelError as error:
        raise MillraceError(f"version {number} of {case.name}.{model.name}: {error}") from error
