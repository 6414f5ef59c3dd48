"""What counts as drift, and when drift makes retraining due."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import label_vector, numeric_matrix
from models.metrics import evaluate
from pipelines.learning.monitor.drift import PREDICTION, ColumnDrift, Drift
from pipelines.use_cases.spec.training import Watch

_NUM_WORST = 3  # columns that a reason names


@dataclass(frozen=True)
class Quality:
    """How good the predictions were whose labels are known; None: too few of them to say.

    Args:
        roc_auc: None as well while only one outcome has been seen.
    """

    num_labelled: int
    positive_rate: float | None = None
    roc_auc: float | None = None
    brier_score: float | None = None


@dataclass(frozen=True)
class Judgement:
    """Whether an interval drifted, None being no verdict, and why."""

    drifted: bool | None
    reason: str


@dataclass(frozen=True)
class PastVerdict:
    """A row of `ops.verdicts`; a higher `id` is newer."""

    id: int
    until: datetime
    drifted: bool | None


def quality(table: pa.Table, num_rows_min: int) -> Quality:
    """Of rows with `label` and `probability`."""
    if table.num_rows < num_rows_min:
        return Quality(table.num_rows)
    probability = numeric_matrix(table, (PREDICTION,))[:, 0]
    found = evaluate(label_vector(table, "label"), probability)
    return Quality(found.num_rows, found.positive_rate, found.roc_auc, found.brier_score)


def judge(
    drift: Drift | None,
    num_rows: int,
    quality: Quality,
    champion_roc_auc: float | None,
    watch: Watch,
) -> Judgement:
    """Drift is any of: too many drifted inputs, drifted predictions, a worse ROC AUC.

    Args:
        drift: None where there were fewer than `watch.num_rows_min` rows to compare.
        num_rows: predictions that were compared, or would have been.
        champion_roc_auc: on its reference, the rows by which it was promoted.
    """
    if drift is None:
        return Judgement(
            None, f"no verdict: {num_rows} predictions, fewer than {watch.num_rows_min}"
        )
    findings = (
        _inputs(drift, watch),
        _prediction(drift.prediction, watch),
        _quality(quality, champion_roc_auc, watch),
    )
    drifted = any(found for found, _ in findings)
    reasons = [said for found, said in findings if found or not drifted]
    return Judgement(drifted, f"{'drift' if drifted else 'no drift'}: {'; '.join(reasons)}")


def is_due(
    drifted: Sequence[bool | None], watch: Watch, cutoff: datetime, end: datetime
) -> tuple[bool, str]:
    """Whether drift makes retraining due, and why.

    Due when `num_drifted` of the last `num_verdicts` verdicts say drift, the newest among them:
    what has passed by itself needs no new model. A None takes the place of a verdict and says no
    drift, so that old drift ages out in days without data too, which are no proof of anything.

    Args:
        drifted: verdicts on the champion, newest first, this interval's included.
        cutoff: nothing known later was learned by the last model.
        end: of this interval.
    """
    window = drifted[: watch.num_verdicts]
    num_drifted = sum(each is True for each in window)
    said = f"{num_drifted} of the last {len(window)} verdicts say drift"
    if None in window:
        said += f" ({window.count(None)} had too few rows)"
    if num_drifted < watch.num_drifted:
        return False, f"not due: {said}, {watch.num_drifted} of {watch.num_verdicts} are needed"
    if window[0] is not True:
        return False, f"not due: {said}, but the newest does not"
    rested_at = cutoff + timedelta(days=watch.cool_down_days)
    if end < rested_at:
        learned = f"the last model learned up to {cutoff:%Y-%m-%d %H:%M}"
        return (
            False,
            f"not due: {said}, but {learned}, which rests until {rested_at:%Y-%m-%d %H:%M}",
        )
    return True, f"due: {said}"


def newest_first(verdicts: Iterable[PastVerdict]) -> list[bool | None]:
    """The flags that `is_due` takes: of each interval's end the verdict given last.

    The end alone says which predictions were judged, so it stands for the interval.
    """
    last = {each.until: each.drifted for each in sorted(verdicts, key=lambda each: each.id)}
    return [last[until] for until in sorted(last, reverse=True)]


def _inputs(drift: Drift, watch: Watch) -> tuple[bool, str]:
    found = drift.drifted_share > watch.drifted_share_max
    count = f"{drift.num_drifted} of {len(drift.inputs)} inputs drifted"
    limit = f"{'above' if found else 'not above'} {watch.drifted_share_max:.0%}"
    worst = sorted(drift.inputs, key=_severity, reverse=True)[:_NUM_WORST]
    named = ", ".join(f"{column.name} {_moved(column)}" for column in worst)
    return found, f"{count} ({drift.drifted_share:.0%}, {limit}; most of all {named})"


def _severity(column: ColumnDrift) -> tuple[bool, float]:
    """A column that appeared or vanished has no distance, and is worse than any that has."""
    without = float("inf") if column.drifted else -1.0
    return column.drifted, without if column.distance is None else column.distance


def _moved(column: ColumnDrift) -> str:
    before, after = f"{column.missing_share_reference:.0%}", f"{column.missing_share_current:.0%}"
    missing = f"missing {before} → {after}"
    if column.distance is None:
        return missing
    distance = f"{column.distance:.3f}"
    return distance if before == after else f"{distance}, {missing}"


def _prediction(prediction: ColumnDrift, watch: Watch) -> tuple[bool, str]:
    limit = f"{'above' if prediction.drifted else 'not above'} {watch.distance_max:g}"
    if prediction.distance is None:
        limit = "no distance"
    return prediction.drifted, f"predictions moved by {_moved(prediction)} ({limit})"


def _quality(quality: Quality, champion: float | None, watch: Watch) -> tuple[bool, str]:
    if quality.roc_auc is None or champion is None:
        return False, f"no ROC AUC to compare on {quality.num_labelled} labelled rows"
    lost = champion - quality.roc_auc
    found = lost > watch.roc_auc_loss_max
    measured = f"ROC AUC {quality.roc_auc:.3f} on {quality.num_labelled} labelled rows"
    limit = f"{'more' if found else 'not more'} than {watch.roc_auc_loss_max:g} below"
    return found, f"{measured}, {limit} the champion's {champion:.3f}"
