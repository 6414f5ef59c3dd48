"""Yes or no: the probability of yes.

Shape suffixes: B rows, U units, R draws.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import label_vector
from models.tasks.fields import answer_field
from models.tasks.means import divided, mean_metric, roc_auc_draws
from models.tasks.task import Array, Evidence, Metric, Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CALIBRATION_BINS = 15
# Probabilities of 0 and 1 would make one wrong row's log loss infinite.
SMALLEST = 1e-7

_ANSWER = pa.schema(
    [answer_field("probability", pa.float32(), "the probability of yes", low=0, high=1)]
)


@dataclass(frozen=True, kw_only=True)
class Binary(Task):
    """A label that is true or false; what one of them alone leaves undefined is None.

    Args:
        num_class_rows_min: rows of the rarer outcome below which evidence says nothing.
    """

    name: ClassVar[str] = "binary"
    fact_titles: ClassVar[Mapping[str, str]] = {"positive_rate": "Share of yes"}
    num_class_rows_min: int = 100

    @property
    def label(self) -> pa.DataType:
        return pa.bool_()

    @property
    def answer(self) -> pa.Schema:
        return _ANSWER

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return _METRICS

    @property
    def num_outputs(self) -> int:
        return 1

    def encode(self, name: str, label: pa.ChunkedArray) -> Array:
        label_B: Array = label_vector(name, label).astype(float)
        return label_B

    def answered(self, output_BO: Array) -> pa.Table:
        return pa.table([pa.array(output_BO[:, 0], pa.float32())], schema=_ANSWER)

    def outputs(self, answer: pa.Table) -> Array:
        probability_B: Array = answer["probability"].to_numpy().astype(float)
        return probability_B[:, None]

    def losses(self, evidence: Evidence) -> Array:
        return log_losses(evidence)

    def lacks(self, evidence: Evidence) -> str:
        num_yes = int(evidence.label_B.sum())
        rarer = min(num_yes, len(evidence) - num_yes)
        if rarer >= self.num_class_rows_min:
            return ""
        return f"{rarer:,} rows of the rarer outcome, {self.num_class_rows_min:,} are needed"

    def facts(self, evidence: Evidence) -> Mapping[str, float]:
        return {"positive_rate": float(evidence.label_B.mean())} if len(evidence) else {}

    def pictures(self, evidence: Evidence) -> "Mapping[str, Callable[[Axes], None]]":
        return {"roc": partial(_draw_roc, evidence), "calibration": partial(_draw_bins, evidence)}


def roc_auc(evidence: Evidence) -> float | None:
    """The chance that a positive row ranks above a negative one; ties count half."""
    from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

    if len(np.unique(evidence.label_B)) < 2:  # noqa: PLR2004
        return None
    return float(roc_auc_score(evidence.label_B, evidence.answer_BO[:, 0]))


def average_precision(evidence: Evidence) -> float | None:
    """Precision averaged over recall; None unless both outcomes are there."""
    from sklearn.metrics import average_precision_score

    if len(np.unique(evidence.label_B)) < 2:  # noqa: PLR2004
        return None
    return float(average_precision_score(evidence.label_B, evidence.answer_BO[:, 0]))


def log_losses(evidence: Evidence) -> Array:
    """Each row's log loss in nats; probabilities are kept 1e-7 away from 0 and 1."""
    kept_B = np.clip(evidence.answer_BO[:, 0], SMALLEST, 1 - SMALLEST)
    losses: Array = -np.log(np.where(evidence.label_B == 1, kept_B, 1 - kept_B))
    return losses


def _squared_errors(evidence: Evidence) -> Array:
    squared: Array = (evidence.answer_BO[:, 0] - evidence.label_B) ** 2
    return squared


def expected_calibration_error(evidence: Evidence) -> float | None:
    """The rows' mean gap between probability and frequency over 15 bins of equal width.

    Guo et al., "On Calibration of Modern Neural Networks" (2017).
    """
    if not len(evidence):
        return None
    every_unit_once = np.ones((1, evidence.num_units))
    return float(_calibration_draws(evidence, every_unit_once)[0])


def _calibration_draws(evidence: Evidence, weight_RU: Array) -> Array:
    probability_B = evidence.answer_BO[:, 0]
    bin_B = np.minimum((probability_B * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    num_units = weight_RU.shape[1]
    gap_US = np.zeros((num_units, CALIBRATION_BINS))
    np.add.at(gap_US, (evidence.unit_B, bin_B), probability_B - evidence.label_B)
    rows_R = weight_RU @ np.bincount(evidence.unit_B, minlength=num_units)
    return divided(np.abs(weight_RU @ gap_US).sum(1), rows_R)


def _roc_auc_draws(evidence: Evidence, weight_RU: Array) -> Array:
    is_yes_B = evidence.label_B == 1
    return roc_auc_draws(is_yes_B, evidence.answer_BO[:, 0], evidence.unit_B, weight_RU)


def _average_precision_draws(evidence: Evidence, weight_RU: Array) -> Array:
    probability_B = evidence.answer_BO[:, 0]
    order_B = np.argsort(-probability_B, kind="stable")
    label_B, unit_B = evidence.label_B[order_B], evidence.unit_B[order_B]
    ends = np.flatnonzero(np.append(np.diff(probability_B[order_B]) != 0, True))
    draws = (_weighted_precision(weight_U[unit_B], label_B, ends) for weight_U in weight_RU)
    return np.fromiter(draws, float, len(weight_RU))


def _weighted_precision(weight_B: Array, label_B: Array, ends: Array) -> float:
    """Average precision of rows in falling order of score; `ends` are the last of equal scores."""
    hits = np.cumsum(weight_B * label_B)[ends]
    rows = np.cumsum(weight_B)[ends]
    if hits[-1] in (0, rows[-1]):
        return float("nan")
    return float(np.sum(np.diff(hits, prepend=0) * divided(hits, rows, empty=0.0)) / hits[-1])


def _draw_roc(evidence: Evidence, axes: "Axes") -> None:
    from sklearn.metrics import roc_curve

    false_rate, true_rate, _ = roc_curve(evidence.label_B, evidence.answer_BO[:, 0])
    axes.plot(false_rate, true_rate)
    axes.plot([0, 1], [0, 1], "--", color="grey")
    axes.set(
        title="ROC, evaluation rows", xlabel="false positive rate", ylabel="true positive rate"
    )


def _draw_bins(evidence: Evidence, axes: "Axes") -> None:
    from sklearn.calibration import calibration_curve  # type: ignore[import-untyped]

    said, label = evidence.answer_BO[:, 0], evidence.label_B
    observed, mean = calibration_curve(label, said, n_bins=15, strategy="quantile")
    axes.plot(mean, observed, marker="o")
    axes.plot([0, 1], [0, 1], "--", color="grey")
    axes.set(title="Calibration, 15 bins of equal size", xlabel="probability", ylabel="frequency")


_METRICS = (
    Metric(
        name="roc_auc",
        title="ROC AUC",
        higher_is_better=True,
        value=roc_auc,
        draws=_roc_auc_draws,
        floor=0.6,
        loss_max=0.01,
    ),
    Metric(
        name="average_precision",
        title="Average precision",
        higher_is_better=True,
        value=average_precision,
        draws=_average_precision_draws,
    ),
    mean_metric("brier_score", "Brier score", _squared_errors, higher_is_better=False),
    mean_metric("log_loss", "Log loss", log_losses, higher_is_better=False),
    Metric(
        name="expected_calibration_error",
        title="Calibration error",
        higher_is_better=False,
        value=expected_calibration_error,
        draws=_calibration_draws,
    ),
)
