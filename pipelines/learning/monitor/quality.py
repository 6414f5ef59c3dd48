"""How good answers turned out to be, and whether they are worse than promised."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.tasks import Task
from models.tasks.bootstrap import Bootstrap, ConfidenceInterval
from models.tasks.task import DAY, Array, Metric, units_of
from pipelines.learning.monitor.days import DECIDED_DAY
from pipelines.learning.monitor.frames import sample
from pipelines.use_cases.spec.model import Watch


@dataclass(frozen=True)
class Quality:
    """How good the predictions were whose labels are known.

    Args:
        scores: every metric of the task by its name, and facts of the labels; of too few rows
            only their number.
        value: by the gate's metric; None where it is undefined, or of too few rows.
        interval: of the value, a bootstrap of the task's units; None where it can't be drawn, as
            of a single unit.
    """

    metric: Metric
    scores: Mapping[str, float | None]
    value: float | None
    interval: ConfidenceInterval | None = None

    @property
    def num_rows(self) -> int:
        return int(self.scores["num_rows"] or 0)


def measured(table: pa.Table, task: Task, metric: Metric, watch: Watch) -> Quality:
    """Of rows with a `label` and an answer, and the columns of the task's unit if they are there.

    Raises:
        DataRefused: a label or an answer is none of the task.
    """
    if table.num_rows < watch.num_rows_min:
        return Quality(metric, {"num_rows": table.num_rows}, None)
    evidence = task.evidence("label", table, _answers(table, task), _units(table, task))
    scores = task.scores(evidence)
    interval = Bootstrap(level=1 - 2 * watch.metric_alarm_rate).interval(metric, evidence)
    widened = interval and _widened(interval, evidence.num_units)
    return Quality(metric, scores, scores[metric.name], widened)


def answer_facts(
    reference: pa.Table, current: pa.Table, task: Task, watch: Watch
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """What the task says of answers alone: of the reference, and of now; no label is needed.

    Of as many answers of both: more lists have more different items in them.

    Returns:
        Nothing of either where there are too few, or a table lacks a field of the answer.
    """
    sides, names = (reference, current), task.answer.names
    num_rows = min(side.num_rows for side in sides)
    whole = all(set(names) <= set(side.column_names) for side in sides)
    if num_rows < watch.num_rows_min or not whole:
        return {}, {}
    before, now = (
        task.answer_facts(_answers(sample(side.select(names), num_rows), task)) for side in sides
    )
    return before, now


def _answers(table: pa.Table, task: Task) -> pa.Table:
    return task.adapted(table.select(task.answer.names).cast(task.answer))


def _widened(interval: ConfidenceInterval, num_units: int) -> ConfidenceInterval:
    """As wide as so few units ask for: a percentile interval of 5 days has the tails of many.

    By Student's t in place of the normal distribution, and n - 1 in place of n (Hesterberg, The
    American Statistician 69, 2015). Of 5 days its 99 % become 1.8 times as far, of 14 1.2 times.
    """
    from scipy.special import ndtri, stdtrit  # type: ignore[import-untyped]

    tail = (1 + interval.level) / 2
    times = stdtrit(num_units - 1, tail) / ndtri(tail) * np.sqrt(num_units / (num_units - 1))
    low = interval.estimate - times * (interval.estimate - interval.low)
    high = interval.estimate + times * (interval.high - interval.estimate)
    return ConfidenceInterval(interval.estimate, float(low), float(high), interval.level)


def _units(table: pa.Table, task: Task) -> Array:
    """What is drawn together: the task's units, else days, else, of tables without days, rows."""
    own = tuple(DECIDED_DAY if name == DAY else name for name in task.unit)
    for names in (own, (DECIDED_DAY,)):
        if set(names) <= set(table.column_names):
            return units_of(table, names)
    return np.arange(table.num_rows)


def loss(now: Quality, promised: Quality, watch: Watch) -> tuple[bool, str]:
    """Whether the metric is worse than promised by more than it may, and for sure; in words.

    Args:
        promised: of the champion's reference, the rows by which it was promoted.
    """
    metric = now.metric
    if now.value is None or promised.value is None:
        return False, f"no {metric.title} to compare on {now.num_rows} labelled rows"
    said = f"{metric.title} {now.value:.3f} on {now.num_rows} labelled rows"
    than = f"{watch.loss_max:g} worse than the champion's {promised.value:.3f}"
    if _lost(now.value, promised.value, metric) <= watch.loss_max:
        return False, f"{said}, not more than {than}"
    if not _is_sure(now, promised):
        return False, f"{said}, more than {than}, which so few may be by chance"
    return True, f"{said}, more than {than}"


def _lost(now: float, promised: float, metric: Metric) -> float:
    return (promised - now) * (1 if metric.higher_is_better else -1)


def _is_sure(now: Quality, promised: Quality) -> bool:
    """Whether the lower end of the difference's interval is above 0.

    Of two independent samples its distance is that of both own ends, as the legs of a right angle
    (MOVER; Zou and Donner, Statistics in Medicine 27, 2008).
    """
    ours, theirs, metric = now.interval, promised.interval, now.metric
    if ours is None or theirs is None:
        return False
    better, worse = (ours.high, theirs.low) if metric.higher_is_better else (ours.low, theirs.high)
    legs = ours.estimate - better, theirs.estimate - worse
    return _lost(ours.estimate, theirs.estimate, metric) > float(np.hypot(*legs))
