"""What counts as drift, and when drift makes retraining due."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.learning.monitor import quality
from pipelines.learning.monitor.drift import ColumnDrift, Drift
from pipelines.learning.monitor.quality import Quality
from pipelines.use_cases.spec.model import Watch

_NUM_WORST = 3  # columns that a reason names


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


def judge(
    drift: Drift | None, num_rows: int, now: Quality, promised: Quality, watch: Watch
) -> Judgement:
    """Drift is any of: too many drifted inputs, drifted answers, a worse metric.

    Args:
        drift: None where there were fewer than `watch.num_rows_min` rows to compare.
        promised: of the champion's reference, the rows by which it was promoted.
    """
    if drift is None:
        return Judgement(
            None, f"no verdict: {num_rows} predictions, fewer than {watch.num_rows_min}"
        )
    findings = (
        _inputs(drift, watch),
        *(_answer(column) for column in drift.answers),
        quality.loss(now, promised, watch),
    )
    drifted = any(found for found, _ in findings)
    reasons = [said for found, said in findings if found or not drifted]
    reasons += [f"{each.name}: {', '.join(each.notes)}" for each in _noted(drift)]
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
    is_above = column.distance > column.distance_max
    limit = f"{'above' if is_above else 'not above'} {column.distance_max:.3g}"
    distance = f"{column.distance:.3f} ({limit})"
    return distance if before == after else f"{distance}, {missing}"


def _answer(column: ColumnDrift) -> tuple[bool, str]:
    return column.drifted, f"{column.name} moved by {_moved(column)}"


def _noted(drift: Drift) -> list[ColumnDrift]:
    """The columns of which something came or went, those that drifted first."""
    noted = [column for column in (*drift.inputs, *drift.answers) if column.notes]
    return sorted(noted, key=_severity, reverse=True)[:_NUM_WORST]
