"""How good probabilities are, and how sure we are of it.

Labels are 0 or 1. What one class alone leaves undefined (ROC AUC, average precision) is None,
never a number: a gate must take it as *no proof* (B21).
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sklearn_metrics  # type: ignore[import-untyped]

Array: TypeAlias = npt.NDArray[Any]

CALIBRATION_BINS = 15
# Probabilities of 0 and 1 would make one wrong row's log loss infinite.
_SMALLEST = 1e-7


@dataclass(frozen=True)
class Metrics:
    """What a model came to on some rows.

    Args:
        expected_calibration_error: mean gap between probability and frequency over 15 bins of
            equal width, weighted by their rows (Guo et al., 2017).
    """

    num_rows: int
    positive_rate: float
    roc_auc: float | None
    average_precision: float | None
    brier_score: float
    log_loss: float
    expected_calibration_error: float


def evaluate(label_B: Array, probability_B: Array) -> Metrics:
    """All metrics of some rows.

    Raises:
        ValueError: no rows, unequal lengths, labels other than 0 and 1, or no probabilities.
    """
    label_B, probability_B = checked(label_B, probability_B)
    return Metrics(
        num_rows=len(label_B),
        positive_rate=float(label_B.mean()),
        roc_auc=roc_auc(label_B, probability_B),
        average_precision=average_precision(label_B, probability_B),
        brier_score=float(np.mean((probability_B - label_B) ** 2)),
        log_loss=float(log_losses(label_B, probability_B).mean()),
        expected_calibration_error=expected_calibration_error(label_B, probability_B),
    )


def checked(label_B: Array, probability_B: Array) -> tuple[Array, Array]:
    """Both as float64.

    Raises:
        ValueError: see `evaluate`.
    """
    label_B, probability_B = np.asarray(label_B, float), np.asarray(probability_B, float)
    if label_B.shape != probability_B.shape or label_B.ndim != 1 or not label_B.size:
        raise ValueError(
            f"labels {label_B.shape} and probabilities {probability_B.shape} must be two vectors "
            "of the same rows, at least one"
        )
    if not np.isin(label_B, (0, 1)).all():
        raise ValueError("a label is neither 0 nor 1; leave rows without a label out")
    if not ((probability_B >= 0) & (probability_B <= 1)).all():
        raise ValueError("a probability is NaN or not from 0 to 1; score the rows again")
    return label_B, probability_B


def roc_auc(label_B: Array, probability_B: Array) -> float | None:
    """The chance that a positive row ranks above a negative one; ties count half."""
    if len(np.unique(label_B)) == 1:
        return None
    return float(sklearn_metrics.roc_auc_score(label_B, probability_B))


def average_precision(label_B: Array, probability_B: Array) -> float | None:
    """Precision averaged over recall; None unless both classes are there."""
    if len(np.unique(label_B)) == 1:
        return None
    return float(sklearn_metrics.average_precision_score(label_B, probability_B))


def log_losses(label_B: Array, probability_B: Array) -> Array:
    """Each row's log loss in nats; probabilities are kept 1e-7 away from 0 and 1."""
    kept_B = np.clip(probability_B, _SMALLEST, 1 - _SMALLEST)
    losses: Array = -np.log(np.where(label_B == 1, kept_B, 1 - kept_B))
    return losses


def expected_calibration_error(label_B: Array, probability_B: Array) -> float:
    """The rows' mean gap between probability and frequency, by bin of equal width."""
    bin_B = np.minimum((probability_B * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gap = np.bincount(bin_B, probability_B - label_B, CALIBRATION_BINS)
    return float(np.abs(gap).sum() / len(label_B))
