"""How much a metric would differ with other units, such as days: a bootstrap of whole units.

Rows of one day share their weather and their queues, so single rows would make the interval far
too narrow. Seeded, and paired: two models meet the same draws.

Shape suffixes: U units, R draws.
"""

from dataclasses import dataclass

import numpy as np

from models.tasks.task import Array, Evidence, Metric

# A draw of one class alone has no ROC AUC; with more such draws the rest says too little.
_UNDEFINED_MAX = 0.05


@dataclass(frozen=True)
class ConfidenceInterval:
    """A metric, or a difference of two, on all rows, with its percentile interval."""

    estimate: float
    low: float
    high: float
    level: float


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """How units are drawn.

    Raises:
        ValueError: too few draws, or a level that is no share.
    """

    num_draws: int = 1000
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.num_draws < 1:
            raise ValueError(f"Bootstrap.num_draws: {self.num_draws} is below 1; 1000 is usual")
        if not 0 < self.level < 1:
            raise ValueError(f"Bootstrap.level: {self.level} is not between 0 and 1")

    def interval(self, metric: Metric, evidence: Evidence) -> ConfidenceInterval | None:
        """The interval of one model's metric; None where it is undefined or of one unit only."""
        return self._interval(metric.value(evidence), self._draws(metric, evidence))

    def gain(self, metric: Metric, before: Evidence, after: Evidence) -> ConfidenceInterval | None:
        """How much better the second is on the same rows and draws; above 0 is better.

        Raises:
            ValueError: they are not of the same rows.
        """
        pairs = ((before.label_B, after.label_B), (before.unit_B, after.unit_B))
        if not all(np.array_equal(*pair) for pair in pairs):
            raise ValueError("two models are compared by their answers to the same rows")
        was, now = metric.value(before), metric.value(after)
        sign = 1 if metric.higher_is_better else -1
        gain_R = sign * (self._draws(metric, after) - self._draws(metric, before))
        estimate = None if was is None or now is None else sign * (now - was)
        return self._interval(estimate, gain_R)

    def _draws(self, metric: Metric, evidence: Evidence) -> Array:
        """The metric of each draw, [R]; NaN where a draw leaves it undefined."""
        if evidence.unit_B.shape != evidence.label_B.shape:
            raise ValueError(
                f"{evidence.unit_B.size} units for {evidence.label_B.size} rows; give each row its "
                "unit"
            )
        num_units = evidence.num_units
        if num_units <= 1:
            return np.full(self.num_draws, np.nan)
        shares = np.full(num_units, 1 / num_units)
        weight_RU = np.random.default_rng(self.seed).multinomial(num_units, shares, self.num_draws)
        return metric.draws(evidence, weight_RU.astype(float))

    def _interval(self, estimate: float | None, draws_R: Array) -> ConfidenceInterval | None:
        undefined = np.isnan(draws_R)
        if estimate is None or undefined.mean() > _UNDEFINED_MAX:
            return None
        tail = (1 - self.level) / 2
        low, high = np.quantile(draws_R[~undefined], (tail, 1 - tail))
        return ConfidenceInterval(estimate, float(low), float(high), self.level)
