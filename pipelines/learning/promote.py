"""The gate: champion and challenger on the same recent rows, then the journal, then the alias."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, text

from pipelines.core.errors import CheckFailed, MillraceError, Superseded
from pipelines.core.journal import promotions
from pipelines.core.outcomes import Judged, Outcome
from pipelines.core.stage import Context
from pipelines.learning import champion
from pipelines.learning.champion import KEPT, PROMOTED, Champion
from pipelines.stores import mlflow
from pipelines.use_cases.spec.training import TRAINING_SET, Gate

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

    from models.bootstrap import ConfidenceInterval

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evidence:
    """What the gate looks at, on the evaluation rows of the challenger's training set.

    Args:
        roc_auc: the challenger's; None where it is undefined.
        gain: challenger minus champion on the same rows; None without a champion, or undefined.
    """

    num_rows: int
    num_class_rows: int
    roc_auc: "ConfidenceInterval | None"
    gain: "ConfidenceInterval | None"


def verdict(gate: Gate, evidence: Evidence, *, has_champion: bool) -> tuple[bool, str]:
    """Whether the challenger becomes the champion, and why, in words.

    Example:
        >>> verdict(Gate(), Evidence(10, 2, None, None), has_champion=False)
        (False, '10 evaluation rows, 1,000 are needed: no data is no proof')
    """
    lacking = _lacking(gate, evidence, has_champion)
    if lacking or evidence.roc_auc is None:
        return False, lacking
    own, gain = evidence.roc_auc, evidence.gain
    said = f"ROC AUC {own.estimate:.3f} ({own.low:.3f} to {own.high:.3f})"
    if own.low < gate.roc_auc_min:
        return False, f"{said}, its lower end must reach {gate.roc_auc_min}"
    if not gain:
        return True, f"{said}; the first champion"
    said = f"{said}, {gain.estimate:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}) to the champion"
    if gain.low < -gate.roc_auc_loss_max:
        return False, f"{said}, it may lose {gate.roc_auc_loss_max} at most"
    return True, said


def _lacking(gate: Gate, evidence: Evidence, has_champion: bool) -> str:
    """What the evidence lacks to say anything; empty: nothing."""
    if evidence.num_rows < gate.num_rows_min:
        return (
            f"{evidence.num_rows:,} evaluation rows, {gate.num_rows_min:,} are needed: "
            "no data is no proof"
        )
    if evidence.num_class_rows < gate.num_class_rows_min:
        return (
            f"{evidence.num_class_rows:,} rows of the rarer outcome, "
            f"{gate.num_class_rows_min:,} are needed"
        )
    if evidence.roc_auc is None or (has_champion and evidence.gain is None):
        return "ROC AUC is undefined on these rows: days of both outcomes are needed"
    return ""


def run(context: Context) -> Outcome[Judged]:
    """Judge the interval's challenger; promote it by compare-and-set if it passes.

    Raises:
        CheckFailed: the interval has no challenger, or the champion learned from newer rows.
    """
    case = context.case.name
    challenger = _challenger(context)
    before = champion.current(context.engine, case)
    if before and before.version == challenger.number:
        champion.align_alias(context.settings, context.engine, case)
        said = Judged(decision=KEPT, version=before.version, reason="it is it")
        return Outcome(details=said)
    _refuse_the_past(challenger, before)
    evidence = _evidence(context, challenger, before)
    passed, reason = verdict(context.training.gate, evidence, has_champion=before is not None)
    decision = PROMOTED if passed else KEPT
    row = {
        "case_name": case,
        "interval": context.interval.key,
        "version": challenger.number,
        "decision": decision,
        "reason": reason,
        "champion_before": before.version if before else None,
        "cutoff": challenger.cutoff,
        "roc_auc": evidence.roc_auc.estimate if evidence.roc_auc else None,
        "evidence": asdict(evidence),
        "attempt": context.attempt,
    }
    with context.commit() as connection:
        _set(connection, row, before)
    champion.align_alias(context.settings, context.engine, case)
    log.info("version %d: %s; %s", challenger.number, decision, reason)
    return Outcome(
        rows={"evaluation": evidence.num_rows},
        details=Judged(decision=decision, version=challenger.number, reason=reason),
    )


def _challenger(context: Context) -> mlflow.Version:
    """The newest version that was trained for this interval."""
    for version in mlflow.versions(mlflow.connect(context.settings), context.case.name):
        if version.interval == context.interval.key:
            return version
    raise CheckFailed(
        f"{context.case.name} has no version trained for {context.interval}; run train first"
    )


def _refuse_the_past(challenger: mlflow.Version, before: Champion | None) -> None:
    """A rebuilt old interval trains an old model: the champion never moves back in time."""
    if before and challenger.cutoff < before.cutoff:
        raise CheckFailed(
            f"version {challenger.number} learned up to {challenger.cutoff}, the champion, version "
            f"{before.version}, up to {before.cutoff}; to go back, say `millrace rollback`"
        )


def _evidence(context: Context, challenger: mlflow.Version, before: Champion | None) -> Evidence:
    from models.bootstrap import Bootstrap
    from models.columns import label_vector

    rows = _evaluation(context, challenger)
    label = label_vector(rows, context.training.label)
    days = rows["day"].to_numpy()
    bootstrap = Bootstrap(level=context.training.gate.confidence)
    ours = _scores(context, challenger.number, rows)
    gain = None
    if before and rows.num_rows:
        theirs = _scores(context, before.version, rows)
        gain = bootstrap.difference("roc_auc", label, theirs, ours, days)
    return Evidence(
        num_rows=rows.num_rows,
        num_class_rows=int(min(label.sum(), len(label) - label.sum())),
        roc_auc=bootstrap.interval("roc_auc", label, ours, days) if rows.num_rows else None,
        gain=gain,
    )


def _evaluation(context: Context, challenger: mlflow.Version) -> "pa.Table":
    """Of the training set that the challenger learned from; another may be published by now."""
    table = context.read_version("gold", TRAINING_SET, challenger.training_set)
    rows = f"select *, unix_date(to_date(known_at)) as day from {table} where part = 'evaluation'"
    return context.spark.sql(rows).toArrow()


def _scores(context: Context, number: int, rows: "pa.Table") -> Any:
    """Probabilities of a version, [B].

    Raises:
        MillraceError: the version needs inputs that the training set has no more.
    """
    from models.errors import ModelError

    try:
        return champion.load(context.settings, context.case.name, number).score(rows)
    except ModelError as error:
        raise MillraceError(
            f"version {number} can't score this training set ({error}); "
            "keep the column until a model without it is champion, or `millrace rollback`"
        ) from error


def _set(connection: Connection, row: Mapping[str, Any], before: Champion | None) -> None:
    """Compare and set: the champion is still the one that the challenger was compared with.

    Raises:
        Superseded: another one was promoted, or rolled back to, in the meantime.
    """
    # Readers go on. A lock of rows would not keep two first champions apart.
    connection.execute(text(f"lock table {promotions.fullname} in exclusive mode"))
    now = champion.read(connection, row["case_name"])
    if (now and now.version) != (before and before.version):
        raise Superseded(
            f"version {now.version if now else None} became the champion of {row['case_name']} "
            "in the meantime; run promote again, to compare with that one"
        )
    connection.execute(insert(promotions).values(**row))
