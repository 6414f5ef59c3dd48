"""Which model predicts: the journal says it; MLflow's alias only follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, select

from pipelines.core import journal
from pipelines.core.errors import MillraceError
from pipelines.core.journal import Done, promotions, runs
from pipelines.core.outcomes import Outcome, Predicted, Trained
from pipelines.core.registry import PREDICT, TRAIN
from pipelines.core.settings import Settings
from pipelines.stores import mlflow

if TYPE_CHECKING:
    from models.scoring import Model

PROMOTED, KEPT, ROLLED_BACK = "promoted", "kept", "rolled back"


@dataclass(frozen=True)
class Champion:
    """The version that predicts; nothing known after `cutoff` was learned from."""

    version: int
    cutoff: datetime
    roc_auc: float | None
    promoted_at: datetime


def current(engine: Engine, case: str) -> Champion | None:
    """The champion of a case; None: nothing was promoted yet."""
    with engine.connect() as connection:
        return read(connection, case)


def of_version(engine: Engine, case: str, version: int) -> Champion | None:
    """A version that is, or was, champion."""
    with engine.connect() as connection:
        return read(connection, case, promotions.c.version == version)


def cutoffs(engine: Engine, case: str) -> Mapping[int, datetime]:
    """Each version that is, or was, champion, and the end of what it learned from."""
    named = select(promotions.c.version, promotions.c.cutoff).where(*_champions(case))
    with engine.connect() as connection:
        return {row.version: row.cutoff for row in connection.execute(named)}


def _champions(case: str) -> tuple[Any, ...]:
    return promotions.c.case_name == case, promotions.c.decision.in_((PROMOTED, ROLLED_BACK))


def read(connection: Connection, case: str, *conditions: Any) -> Champion | None:
    """The newest champion, within a transaction."""
    named = select(promotions).where(*_champions(case), *conditions)
    newest = named.order_by(promotions.c.id.desc())
    row = connection.execute(newest.limit(1)).first()
    return Champion(row.version, row.cutoff, row.roc_auc, row.decided_at) if row else None


def align_alias(settings: Settings, engine: Engine, case: str) -> None:
    """Point MLflow's alias to the journal's champion; heals a crash, or a hand, in between."""
    now = current(engine, case)
    if now:
        mlflow.point_alias(mlflow.connect(settings), case, "champion", now.version)


def last_training(engine: Engine, case: str) -> Done[Trained] | None:
    """The newest finished training, whatever the gate said of it; None: nothing was trained yet.

    What cadence and cool-down count from.
    """
    return journal.newest_done(engine, case, TRAIN)


def answered(engine: Engine, case: str, interval: str) -> Outcome[Predicted] | None:
    """How an interval was answered last: a champion since promoted may be another.

    None: no predict of the interval has finished.
    """
    done = journal.newest_done(engine, case, PREDICT, runs.c.interval == interval)
    return done.outcome if done else None


def load(settings: Settings, case: str, number: int) -> "Model":
    """A registered version, ready to score; its bytes are those that train registered.

    Raises:
        MillraceError: they are not, or can't be read.
    """
    from models import scoring
    from models.errors import ModelError

    client = mlflow.connect(settings)
    found = mlflow.version(client, case, number)
    try:
        return scoring.load(mlflow.model_file(client, found), found.digest)
    except ModelError as error:
        raise MillraceError(f"version {number} of {case}: {error}") from error
