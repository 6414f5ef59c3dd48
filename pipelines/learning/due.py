"""Whether a case's model is to be retrained now: by its cadence, by drift, and not twice."""

import json
import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from pipelines.core import journal
from pipelines.core.errors import NothingDue
from pipelines.core.journal import runs, verdicts
from pipelines.core.stage import Context, Outcome
from pipelines.learning import champion, inputs
from pipelines.learning.champion import Trained
from pipelines.use_cases.spec.training import DECISIONS, LABELS, Cadence

log = logging.getLogger(__name__)

_DAYS_BETWEEN: dict[Cadence, int | None] = {"nightly": 1, "weekly": 7, "on drift": None}


def run(context: Context) -> Outcome:
    """Say why to retrain.

    Raises:
        NothingDue: in words, why not.
    """
    if context.options["what"] == "drift":
        found = _verdict(context)
        if not (found and found["due"]):
            raise NothingDue(found["reason"] if found else f"{context.interval} was not watched")
        return Outcome(details={"reason": found["reason"]})
    last = champion.last_training(context.engine, context.case.name)
    reason = _reason(context, last)
    state = _state(context)
    if last and state == _noted_before(context, last.attempt):
        raise NothingDue("the last model was trained from these very tables and settings")
    log.info("due: %s", reason)
    return Outcome(reads=state["tables"], details={"reason": reason, "state": state})


def _reason(context: Context, last: Trained | None) -> str:
    """
    Raises:
        NothingDue: neither the cadence nor drift asks for it.
    """
    if last is None:
        return "there is no model yet"
    found = _verdict(context)
    if found and found["due"]:
        return f"drift: {found['reason']}"
    if context.options.get("forced") == "yes":
        return "asked for in the trigger form"
    cadence, cutoff = context.training.cadence, last.cutoff
    if by_cadence(cadence, cutoff, context.interval.end):
        return f"{cadence}: the last model learned up to {cutoff:%Y-%m-%d}"
    raise NothingDue(
        f"cadence is {cadence}, the last model learned up to {cutoff:%Y-%m-%d}, no drift is due"
    )


def by_cadence(cadence: Cadence, cutoff: datetime, end: datetime) -> bool:
    """Whether so much time has passed since the champion's cutoff.

    Example:
        >>> from datetime import UTC
        >>> by_cadence("weekly", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 7, tzinfo=UTC))
        False
    """
    days = _DAYS_BETWEEN[cadence]
    return days is not None and end - cutoff >= timedelta(days=days)


def _verdict(context: Context) -> dict[str, Any] | None:
    """The newest verdict on this interval."""
    mine = select(verdicts.c.due, verdicts.c.reason).where(
        verdicts.c.case_name == context.case.name, verdicts.c.interval == context.interval.key
    )
    with context.engine.connect() as connection:
        row = connection.execute(mine.order_by(verdicts.c.id.desc()).limit(1)).first()
    return dict(row._mapping) if row else None


def _state(context: Context) -> dict[str, Any]:
    """What the model would be trained from: published versions, cutoff, settings."""
    case = context.case
    names = (*(state.name for state in case.entity_states), DECISIONS, LABELS)
    return {
        "tables": {
            case.table("gold", name): context.require_published("gold", name) for name in names
        },
        "cutoff": context.interval.end.isoformat(),
        "training": repr(case.training),
        "model": json.dumps(inputs.model(case.name).to_json()),
    }


def _noted_before(context: Context, attempt: int) -> dict[str, Any] | None:
    """The state that `due` noted for a training."""
    row = journal.newest_done(context.engine, context.case.name, "due", runs.c.attempt < attempt)
    return row.result["details"].get("state") if row else None
