"""The gate: champion and challenger on the same recent rows, then the journal, then the alias."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipelines.core import cases
from pipelines.core.errors import CheckFailed, MillraceError
from pipelines.core.outcomes import Judged, Outcome
from pipelines.core.stage import Context
from pipelines.learning import champion, gate, registry
from pipelines.learning.champion import KEPT, PROMOTED, Champion
from pipelines.learning.gate import Seen
from pipelines.stores import mlflow

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

    from models.tasks import Task
    from models.tasks.task import Array, Evidence

log = logging.getLogger(__name__)


def run(context: Context) -> Outcome[Judged]:
    """Judge the interval's challenger; promote it by compare-and-set if it passes.

    Raises:
        CheckFailed: the interval has no challenger, or the champion learned from newer rows.
    """
    challenger = _challenger(context)
    before = champion.current(context.engine, context.case.name, context.model.name)
    if before and before.version == challenger.number:
        champion.align_alias(context)
        said = Judged(decision=KEPT, version=before.version, reason="it is it")
        return Outcome(details=said)
    _refuse_the_past(challenger, before)
    seen = _seen(context, challenger, before)
    passed, reason = gate.verdict(context.model.gate, seen, has_champion=before is not None)
    decision = PROMOTED if passed else KEPT
    row = {
        "case_name": context.case.name,
        "model": context.model.name,
        "interval": context.interval.key,
        "version": challenger.number,
        "decision": decision,
        "reason": reason,
        "champion_before": before.version if before else None,
        "cutoff": challenger.cutoff,
        "metric": seen.metric.name,
        "value": seen.value.estimate if seen.value else None,
        "evidence": _noted(seen),
        "attempt": context.attempt,
    }
    with context.commit() as connection:
        champion.succeed(connection, row, before)
    champion.align_alias(context)
    log.info("version %d: %s; %s", challenger.number, decision, reason)
    return Outcome(
        rows={"evaluation": seen.num_rows},
        details=Judged(decision=decision, version=challenger.number, reason=reason),
    )


def _noted(seen: Seen) -> Mapping[str, Any]:
    """What the gate looked at, as the journal keeps it."""
    found = {"num_rows": seen.num_rows, "metric": seen.metric.name, "lacking": seen.lacking}
    return {
        **found,
        "value": seen.value and asdict(seen.value),
        "gain": seen.gain and asdict(seen.gain),
    }


def _challenger(context: Context) -> mlflow.Version:
    """The newest version that was trained for this interval."""
    for version in registry.of(context.settings, context.case, context.model).versions():
        if version.interval == context.interval.key:
            return version
    raise CheckFailed(
        f"{context.case.name}.{context.model.name} has no version trained for "
        f"{context.interval}; run train first"
    )


def _refuse_the_past(challenger: mlflow.Version, before: Champion | None) -> None:
    """A rebuilt old interval trains an old model: the champion never moves back in time."""
    if before and challenger.cutoff < before.cutoff:
        raise CheckFailed(
            f"version {challenger.number} learned up to {challenger.cutoff}, the champion, version "
            f"{before.version}, up to {before.cutoff}; to go back, say `millrace rollback`"
        )


def _seen(context: Context, challenger: mlflow.Version, before: Champion | None) -> Seen:
    from models.tasks.task import units_of

    task = cases.model(context.case.name, context.model).task
    rows = _evaluation(context, challenger)
    units = units_of(rows, task.unit)
    ours = _answered(context, task, challenger.number, rows, units)
    # What the champion has taken in since it was learned knows of these rows.
    theirs = _answered(context, task, before.learned, rows, units) if before else None
    return gate.seen(context.model.gate, task, ours, theirs)


def _evaluation(context: Context, challenger: mlflow.Version) -> "pa.Table":
    """Of the training set that the challenger learned from; another may be published by now."""
    name = context.model.training_set
    table = context.read_version("gold", name, challenger.training_set)
    rows = f"select *, unix_date(to_date(known_at)) as day from {table} where part = 'evaluation'"
    return context.spark.sql(rows).toArrow()


def _answered(
    context: Context, task: "Task", number: int, rows: "pa.Table", units: "Array"
) -> "Evidence":
    """The answers of a version, beside the labels.

    Raises:
        MillraceError: the version needs inputs that the training set has no more, or answers
            another task.
    """
    from models.errors import ModelError

    try:
        label = context.model.label
        model = champion.load(context.settings, context.case, context.model, number)
        return task.evidence(label, rows, task.adapted(model.score(rows)), units)
    except ModelError as error:
        raise MillraceError(
            f"version {number} can't score this training set ({error}); "
            "keep the column until a model without it is champion, or `millrace rollback`"
        ) from error
