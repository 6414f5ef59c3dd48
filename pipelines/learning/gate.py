"""Whether a challenger becomes the champion, by the metric and the evidence of its task."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.core.errors import MillraceError
from pipelines.use_cases.spec.model import Gate

if TYPE_CHECKING:
    from models.tasks import Task
    from models.tasks.bootstrap import ConfidenceInterval
    from models.tasks.task import Evidence, Metric


@dataclass(frozen=True)
class Seen:
    """What the gate looks at, on the evaluation rows of the challenger's training set.

    Args:
        lacking: what the evidence needs more of, as its task says; empty: nothing.
        value: the challenger's; None where it is undefined.
        gain: how much better than the champion on the same rows; None without a champion, or
            undefined.
    """

    metric: "Metric"
    num_rows: int
    lacking: str
    value: "ConfidenceInterval | None"
    gain: "ConfidenceInterval | None"


def seen(gate: Gate, task: "Task", ours: "Evidence", theirs: "Evidence | None") -> Seen:
    """The evidence of both, by the gate's metric.

    Raises:
        MillraceError: the task has no such metric.
    """
    from models.tasks.bootstrap import Bootstrap

    metric, bootstrap = metric_of(gate, task), Bootstrap(level=gate.confidence)
    return Seen(
        metric=metric,
        num_rows=len(ours),
        lacking=task.lacks(ours),
        value=bootstrap.interval(metric, ours),
        gain=bootstrap.gain(metric, theirs, ours) if theirs is not None else None,
    )


def metric_of(gate: Gate, task: "Task") -> "Metric":
    """The metric that a model is judged by.

    Raises:
        MillraceError: its task has no such metric.
    """
    try:
        return task.metric(gate.metric)
    except ValueError as error:
        raise MillraceError(f"Gate.metric: {error}") from error


def verdict(gate: Gate, seen: Seen, *, has_champion: bool) -> tuple[bool, str]:
    """Whether the challenger becomes the champion, and why, in words.

    Raises:
        MillraceError: neither the gate nor its metric says what is enough.
    """
    lacking = _lacking(gate, seen, has_champion)
    if lacking or seen.value is None:
        return False, lacking
    metric, own, gain = seen.metric, seen.value, seen.gain
    said = f"{metric.title} {own.estimate:.3f} ({own.low:.3f} to {own.high:.3f})"
    floor = _limit(gate, metric, "floor")
    end, worse = ("lower", own.low) if metric.higher_is_better else ("upper", own.high)
    if worse < floor if metric.higher_is_better else worse > floor:
        return False, f"{said}, its {end} end must reach {floor:g}"
    if not gain:
        return True, f"{said}; the first champion"
    loss_max = _limit(gate, metric, "loss_max")
    said = f"{said}, a gain of {gain.estimate:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
    if gain.low < -loss_max:
        return False, f"{said}, it may lose {loss_max:g} at most"
    return True, said


def _limit(gate: Gate, metric: "Metric", name: str) -> float:
    """What the gate says, else what the metric asks of everybody."""
    for found in (getattr(gate, name), getattr(metric, name)):
        if found is not None:
            return float(found)
    raise MillraceError(
        f"Gate.{name}: {metric.name} is in the label's unit, so nobody but the case knows what "
        f"is enough; say it, as Gate(metric={metric.name!r}, {name}=...)"
    )


def _lacking(gate: Gate, seen: Seen, has_champion: bool) -> str:
    """What the evidence lacks to say anything; empty: nothing."""
    if seen.num_rows < gate.num_rows_min:
        return (
            f"{seen.num_rows:,} evaluation rows, {gate.num_rows_min:,} are needed: "
            "no data is no proof"
        )
    if seen.lacking:
        return seen.lacking
    if seen.value is None or (has_champion and seen.gain is None):
        return (
            f"{seen.metric.title} is undefined on these rows: more units, such as days, are needed"
        )
    return ""
