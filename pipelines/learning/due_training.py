"""Whether a model is to be retrained now: by its cadence, by drift, and not twice."""

import json
import logging
from datetime import datetime, timedelta
from typing import Any

from pipelines.core import cases, journal
from pipelines.core.errors import NothingDue
from pipelines.core.journal import Done, runs
from pipelines.core.outcomes import Outcome, Trained, TrainingDue
from pipelines.core.registry import DUE_TRAINING
from pipelines.core.stage import Context
from pipelines.learning import champion, verdicts
from pipelines.use_cases.spec.model import DECISIONS, LABELS, Cadence

log = logging.getLogger(__name__)

_DAYS_BETWEEN: dict[Cadence, int | None] = {"nightly": 1, "weekly": 7, "on drift": None}


def run(context: Context) -> Outcome[TrainingDue]:
    """Say why to retrain.

    Raises:
        NothingDue: in words, why not.
    """
    last = champion.last_training(context.engine, context.case.name, context.model.name)
    reason = _reason(context, last)
    state = _state(context)
    if last and state == _noted_before(context, last.attempt):
        raise NothingDue("the last model was trained from these very tables and settings")
    log.info("due: %s", reason)
    return Outcome(details=TrainingDue(reason=reason, state=state))


def _reason(context: Context, last: Done[Trained] | None) -> str:
    """
    Raises:
        NothingDue: neither the cadence nor drift asks for it.
    """
    if last is None:
        return "there is no model yet"
    found = verdicts.newest(context)
    if found and found.due:
        return f"drift: {found.reason}"
    if "forced" in context.options:
        return "asked for in the trigger form"
    cadence, cutoff = context.model.cadence, last.outcome.details.cutoff
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


def _state(context: Context) -> dict[str, Any]:
    """What the model would be trained from: published versions, cutoff, settings."""
    case, model = context.case, context.model
    for name in (*(state.name for state in case.entity_states), DECISIONS, LABELS):
        context.read_known("gold", name)
    for layer, name in model.whole_tables:
        context.read_known(layer, name)
    return {
        "tables": dict(context.reads),
        "cutoff": context.interval.end.isoformat(),
        "training": repr(model),
        "model": json.dumps(cases.model(case.name, model).to_json()),
    }


def _noted_before(context: Context, attempt: int) -> Any:
    """The state that was noted for a training."""
    earlier = (runs.c.model == context.model.name, runs.c.attempt < attempt)
    done = journal.newest_done(context.engine, context.case.name, DUE_TRAINING, *earlier)
    return done and done.outcome.details.state
