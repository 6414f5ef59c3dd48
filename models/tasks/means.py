"""What metrics share: means of losses on every draw of units, and exact ROC AUC.

Shape suffixes: B rows, U units, R draws.
"""

from collections.abc import Callable

import numpy as np

from models.tasks.task import Array, Evidence, Metric


def divided(above: Array, below: Array, empty: float = float("nan")) -> Array:
    """A quotient; `empty` where nothing is divided by."""
    quotient: Array = np.divide(above, below, out=np.full(len(above), empty), where=below > 0)
    return quotient


def summed(weight_RU: Array, value_B: Array, unit_B: Array) -> Array:
    """The sum of each draw's rows, [R]."""
    sums: Array = weight_RU @ np.bincount(unit_B, value_B, weight_RU.shape[1])
    return sums


def counted(weight_RU: Array, unit_B: Array) -> Array:
    """The number of each draw's rows, [R]."""
    counts: Array = weight_RU @ np.bincount(unit_B, minlength=weight_RU.shape[1])
    return counts


def mean_metric(
    name: str,
    title: str,
    losses: Callable[[Evidence], Array],
    *,
    higher_is_better: bool,
) -> Metric:
    """The mean of a number that each row has."""

    def value(evidence: Evidence) -> float | None:
        return float(losses(evidence).mean()) if len(evidence) else None

    def draws(evidence: Evidence, weight_RU: Array) -> Array:
        total_R = summed(weight_RU, losses(evidence), evidence.unit_B)
        return divided(total_R, counted(weight_RU, evidence.unit_B))

    return Metric(
        name=name, title=title, higher_is_better=higher_is_better, value=value, draws=draws
    )


def roc_auc_draws(positive_B: Array, score_B: Array, unit_B: Array, weight_RU: Array) -> Array:
    """Exact for any number of draws: won pairs of positives and negatives, counted once by unit."""
    num_units = weight_RU.shape[1]
    ahead, unit_of_ahead = score_B[positive_B], unit_B[positive_B]
    won_UU = np.zeros((num_units, num_units))
    for unit in range(num_units):
        below = np.sort(score_B[~positive_B & (unit_B == unit)])
        wins = np.searchsorted(below, ahead, "left") + np.searchsorted(below, ahead, "right")
        won_UU[:, unit] = np.bincount(unit_of_ahead, wins / 2, num_units)
    positives_R = weight_RU @ np.bincount(unit_of_ahead, minlength=num_units)
    negatives_R = weight_RU @ np.bincount(unit_B[~positive_B], minlength=num_units)
    won_R = np.einsum("ru,uv,rv->r", weight_RU, won_UU, weight_RU, optimize=True)
    return divided(won_R, positives_R * negatives_R)
