"""How much a metric would differ with other days: a bootstrap of whole days.

Rows of one day share their weather and their queues, so single rows would make the interval far
too narrow. Seeded, and paired: two models meet the same draws of days.

Shape suffixes: B rows, D days, R draws.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from models.metrics import Array, checked, evaluate, log_losses

Metric: TypeAlias = Literal["roc_auc", "average_precision", "brier_score", "log_loss"]

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
    """How days are drawn.

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

    def interval(
        self, metric: Metric, label_B: Array, probability_B: Array, day_B: Array
    ) -> ConfidenceInterval | None:
        """The interval of one model's metric; None where it is undefined or of one day only."""
        label_B, probability_B = checked(label_B, probability_B)
        estimate = getattr(evaluate(label_B, probability_B), metric)
        draws_R = self._draws(metric, label_B, probability_B, day_B)
        return self._interval(estimate, draws_R)

    def difference(
        self, metric: Metric, label_B: Array, champion_B: Array, challenger_B: Array, day_B: Array
    ) -> ConfidenceInterval | None:
        """Challenger minus champion on the same rows and the same draws of days."""
        label_B, champion_B = checked(label_B, champion_B)
        label_B, challenger_B = checked(label_B, challenger_B)
        before = getattr(evaluate(label_B, champion_B), metric)
        after = getattr(evaluate(label_B, challenger_B), metric)
        before_R = self._draws(metric, label_B, champion_B, day_B)
        after_R = self._draws(metric, label_B, challenger_B, day_B)
        estimate = None if before is None or after is None else after - before
        return self._interval(estimate, after_R - before_R)

    def _draws(self, metric: Metric, label_B: Array, probability_B: Array, day_B: Array) -> Array:
        """The metric of each draw, [R]; NaN where a draw leaves it undefined."""
        days, day_B = np.unique(np.asarray(day_B), return_inverse=True)
        if day_B.shape != label_B.shape:
            raise ValueError(f"{day_B.size} days for {label_B.size} rows; give each row its day")
        if len(days) == 1:
            return np.full(self.num_draws, np.nan)
        shares = np.full(len(days), 1 / len(days))
        weight_RD = np.random.default_rng(self.seed).multinomial(len(days), shares, self.num_draws)
        return _METRICS[metric](weight_RD.astype(float), label_B, probability_B, day_B)

    def _interval(self, estimate: float | None, draws_R: Array) -> ConfidenceInterval | None:
        undefined = np.isnan(draws_R)
        if estimate is None or undefined.mean() > _UNDEFINED_MAX:
            return None
        tail = (1 - self.level) / 2
        low, high = np.quantile(draws_R[~undefined], (tail, 1 - tail))
        return ConfidenceInterval(estimate, float(low), float(high), self.level)


def _mean(weight_RD: Array, loss_B: Array, day_B: Array) -> Array:
    num_days = weight_RD.shape[1]
    means: Array = (weight_RD @ np.bincount(day_B, loss_B, num_days)) / (
        weight_RD @ np.bincount(day_B, minlength=num_days)
    )
    return means


def _brier_score(weight_RD: Array, label_B: Array, probability_B: Array, day_B: Array) -> Array:
    return _mean(weight_RD, (probability_B - label_B) ** 2, day_B)


def _log_loss(weight_RD: Array, label_B: Array, probability_B: Array, day_B: Array) -> Array:
    return _mean(weight_RD, log_losses(label_B, probability_B), day_B)


def _roc_auc(weight_RD: Array, label_B: Array, probability_B: Array, day_B: Array) -> Array:
    """Exact for any number of draws: won pairs of positives and negatives, counted once by day."""
    positive_B = label_B == 1
    num_days = weight_RD.shape[1]
    ahead, day_of_ahead = probability_B[positive_B], day_B[positive_B]
    won_DD = np.zeros((num_days, num_days))
    for day in range(num_days):
        below = np.sort(probability_B[~positive_B & (day_B == day)])
        wins = np.searchsorted(below, ahead, "left") + np.searchsorted(below, ahead, "right")
        won_DD[:, day] = np.bincount(day_of_ahead, wins / 2, num_days)
    positives_R = weight_RD @ np.bincount(day_of_ahead, minlength=num_days)
    negatives_R = weight_RD @ np.bincount(day_B[~positive_B], minlength=num_days)
    won_R = np.einsum("rd,de,re->r", weight_RD, won_DD, weight_RD, optimize=True)
    return _divided(won_R, positives_R * negatives_R)


def _average_precision(
    weight_RD: Array, label_B: Array, probability_B: Array, day_B: Array
) -> Array:
    order_B = np.argsort(-probability_B, kind="stable")
    label_B, probability_B, day_B = label_B[order_B], probability_B[order_B], day_B[order_B]
    ends = np.flatnonzero(np.append(np.diff(probability_B) != 0, True))
    draws = (_weighted_precision(weight_D[day_B], label_B, ends) for weight_D in weight_RD)
    return np.fromiter(draws, float, len(weight_RD))


def _weighted_precision(weight_B: Array, label_B: Array, ends: Array) -> float:
    """Average precision of rows in falling order of score; `ends` are the last of equal scores."""
    hits = np.cumsum(weight_B * label_B)[ends]
    rows = np.cumsum(weight_B)[ends]
    if hits[-1] in (0, rows[-1]):
        return float("nan")
    return float(np.sum(np.diff(hits, prepend=0) * _divided(hits, rows, empty=0.0)) / hits[-1])


def _divided(above: Array, below: Array, empty: float = float("nan")) -> Array:
    quotient: Array = np.divide(above, below, out=np.full(len(above), empty), where=below > 0)
    return quotient


_METRICS = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "brier_score": _brier_score,
    "log_loss": _log_loss,
}
