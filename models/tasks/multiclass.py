"""One of several classes: a probability each.

Shape suffixes: B rows, C classes, U units, R draws.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from models.errors import DataRefused
from models.tasks.binary import SMALLEST
from models.tasks.fields import answer_field
from models.tasks.means import counted, divided, mean_metric, roc_auc_draws, summed
from models.tasks.task import Array, Evidence, Metric, Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Probabilities are float32: their sum is 1 to this.
_SUM_TOLERANCE = 1e-3

_ANSWER = pa.schema(
    [
        answer_field("predicted_class", pa.string(), "the most probable class"),
        answer_field("probability", pa.float32(), "the probability of that class", low=0, high=1),
        answer_field(
            "probabilities",
            pa.map_(pa.string(), pa.float32()),
            "the probability of each class; together 1",
        ),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Multiclass(Task):
    """A label that is one of some texts.

    Args:
        classes: all of them, in the order of the outputs.
        num_class_rows_min: rows of a class that at least two classes need, so that evidence says
            anything.

    Raises:
        ValueError: fewer than two classes, or one that occurs twice.
    """

    name: ClassVar[str] = "multiclass"
    fact_titles: ClassVar[Mapping[str, str]] = {"largest_class_rate": "Share of the largest class"}
    classes: tuple[str, ...]
    num_class_rows_min: int = 30

    def __post_init__(self) -> None:
        if len(set(self.classes)) != len(self.classes) or len(self.classes) < 2:  # noqa: PLR2004
            raise ValueError(
                f"Multiclass.classes: {self.classes} are not two or more different classes; "
                "name each value of the label once"
            )

    @property
    def label(self) -> pa.DataType:
        return pa.string()

    @property
    def answer(self) -> pa.Schema:
        return _ANSWER

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return _METRICS

    @property
    def num_outputs(self) -> int:
        return len(self.classes)

    def encode(self, name: str, label: pa.ChunkedArray) -> Array:
        codes = pc.index_in(label.cast(pa.string()), value_set=pa.array(self.classes))
        if codes.null_count:
            row = pc.index(pc.is_null(codes), True).as_py()
            raise DataRefused(
                f"{name}: {codes.null_count} of {len(codes)} labels are none of the classes "
                f"{', '.join(self.classes)}, the first in row {row} ({label[row].as_py()!r}); "
                "add it to the task's classes, or leave such rows without a label"
            )
        encoded: Array = codes.to_numpy().astype(float)
        return encoded

    def answered(self, output_BO: Array) -> pa.Table:
        probability_BC = output_BO.astype(np.float32)
        best_B = probability_BC.argmax(1)
        names = pa.array(self.classes)
        offsets = np.arange(0, probability_BC.size + 1, len(self.classes), dtype=np.int32)
        keys = names.take(pa.array(np.tile(np.arange(len(names)), len(probability_BC))))
        probabilities = pa.MapArray.from_arrays(offsets, keys, pa.array(probability_BC.ravel()))
        best = probability_BC.max(1) if len(probability_BC) else np.empty(0, np.float32)
        return pa.table([names.take(pa.array(best_B)), best, probabilities], schema=_ANSWER)

    def outputs(self, answer: pa.Table) -> Array:
        if not answer.num_rows:
            return np.empty((0, len(self.classes)))
        found = answer["probabilities"].combine_chunks()
        expected = list(self.classes) * answer.num_rows
        if found.keys.to_pylist() != expected:
            raise DataRefused(
                f"probabilities: the answers are not about {', '.join(self.classes)} in this "
                "order, each once; the model is of other classes: train again"
            )
        probability_BC: Array = found.items.to_numpy(zero_copy_only=False).reshape(
            answer.num_rows, -1
        )
        return probability_BC.astype(float)

    def adapted(self, answer: pa.Table) -> pa.Table:
        """A class that is new has the probability 0; that of one that is gone, the others share."""
        found = answer["probabilities"].combine_chunks()
        if found.keys.to_pylist() == list(self.classes) * answer.num_rows:
            return answer
        codes = pc.index_in(found.keys, value_set=pa.array(self.classes)).fill_null(-1).to_numpy()
        row_B = np.repeat(np.arange(answer.num_rows), np.diff(found.offsets.to_numpy()))
        kept_BC = np.zeros((answer.num_rows, len(self.classes)))
        kept_BC[row_B[codes >= 0], codes[codes >= 0]] = found.items.to_numpy()[codes >= 0]
        total_B = kept_BC.sum(1, keepdims=True)
        shared_BC = np.divide(kept_BC, total_B, where=total_B > 0, out=np.ones_like(kept_BC))
        return self.answered(shared_BC / shared_BC.sum(1, keepdims=True))

    def checked(self, answer: pa.Table) -> pa.Table:
        super().checked(answer)
        probability_BC = self.outputs(answer)
        is_bad_B = ~(np.abs(probability_BC.sum(1) - 1) <= _SUM_TOLERANCE)
        is_bad_B |= ~((probability_BC >= 0) & (probability_BC <= 1)).all(1)
        if is_bad_B.any():
            row = int(np.flatnonzero(is_bad_B)[0])
            raise DataRefused(
                f"probabilities: the answer to row {row} is {probability_BC[row].tolist()}, not "
                "shares that are 1 together; nothing is published: look at its inputs, or roll back"
            )
        self._check_best(answer, self.answered(probability_BC))
        return answer

    def _check_best(self, answer: pa.Table, expected: pa.Table) -> None:
        for name in ("predicted_class", "probability"):
            is_other = pc.not_equal(answer[name], expected[name])
            if pc.any(is_other).as_py():
                row = pc.index(is_other, True).as_py()
                raise DataRefused(
                    f"{name}: the answer to row {row} is {answer[name][row].as_py()}, which is not "
                    f"the most probable class's, {expected[name][row].as_py()}; nothing is "
                    "published: the model's family answers wrongly"
                )

    def losses(self, evidence: Evidence) -> Array:
        return log_losses(evidence)

    def lacks(self, evidence: Evidence) -> str:
        often = np.sort(np.bincount(evidence.label_B.astype(int), minlength=2))[::-1]
        if often[1] >= self.num_class_rows_min:
            return ""
        return (
            f"{often[1]:,} rows of the second class by number, {self.num_class_rows_min:,} "
            "are needed"
        )

    def facts(self, evidence: Evidence) -> Mapping[str, float]:
        if not len(evidence):
            return {}
        counts = np.bincount(evidence.label_B.astype(int))
        return {"largest_class_rate": float(counts.max() / counts.sum())}

    def refuse_unlearnable(self, training: Array, others: Sequence[Array]) -> None:
        seen = {code for label_B in others for code in np.unique(label_B)}
        never = sorted(seen - set(np.unique(training)))
        if never:
            names = ", ".join(self.classes[int(code)] for code in never)
            raise DataRefused(
                f"{names}: seen among the rows that the model is judged by, and never in training; "
                "learn from more days, or leave the class out of labels and the task's classes"
            )

    def pictures(self, evidence: Evidence) -> "Mapping[str, Callable[[Axes], None]]":
        return {"confusion": partial(_draw_confusion, self.classes, evidence)}


def log_losses(evidence: Evidence) -> Array:
    """Each row's log loss in nats; probabilities are kept 1e-7 away from 0."""
    rows = np.arange(len(evidence))
    said_B = evidence.answer_BO[rows, evidence.label_B.astype(int)]
    losses: Array = -np.log(np.clip(said_B, SMALLEST, 1))
    return losses


def _hits(evidence: Evidence) -> Array:
    is_hit_B: Array = evidence.answer_BO.argmax(1) == evidence.label_B
    return is_hit_B.astype(float)


def _brier_scores(evidence: Evidence) -> Array:
    """The squared distance to the class that it was, 0 to 2 (Brier, 1950)."""
    was_BC = np.eye(evidence.answer_BO.shape[1])[evidence.label_B.astype(int)]
    scores: Array = ((evidence.answer_BO - was_BC) ** 2).sum(1)
    return scores


def d2_log_loss(evidence: Evidence) -> float | None:
    """The share of log loss that is saved against always saying the classes' frequencies."""
    if not len(evidence):
        return None
    found = float(_d2_draws(evidence, np.ones((1, evidence.num_units)))[0])
    return None if np.isnan(found) else found


def _d2_draws(evidence: Evidence, weight_RU: Array) -> Array:
    classes = evidence.answer_BO.shape[1]
    count_UC = np.zeros((weight_RU.shape[1], classes))
    np.add.at(count_UC, (evidence.unit_B, evidence.label_B.astype(int)), 1)
    count_RC = weight_RU @ count_UC
    rows_R = counted(weight_RU, evidence.unit_B)
    share_RC = count_RC / np.maximum(rows_R, 1)[:, None]
    entropy_R = -(count_RC * np.log(np.where(share_RC > 0, share_RC, 1))).sum(1)
    lost_R = summed(weight_RU, log_losses(evidence), evidence.unit_B)
    return 1 - divided(lost_R, entropy_R)


def roc_auc_ovr(evidence: Evidence) -> float | None:
    """The mean over the classes of ROC AUC, each against the rest; None unless all are there."""
    if not len(evidence):
        return None
    found = float(_roc_auc_ovr_draws(evidence, np.ones((1, evidence.num_units)))[0])
    return None if np.isnan(found) else found


def _roc_auc_ovr_draws(evidence: Evidence, weight_RU: Array) -> Array:
    draws = [
        roc_auc_draws(evidence.label_B == code, score_B, evidence.unit_B, weight_RU)
        for code, score_B in enumerate(evidence.answer_BO.T)
    ]
    mean_R: Array = np.mean(draws, 0)
    return mean_R


def _draw_confusion(classes: Sequence[str], evidence: Evidence, axes: "Axes") -> None:
    from sklearn.metrics import ConfusionMatrixDisplay  # type: ignore[import-untyped]

    ConfusionMatrixDisplay.from_predictions(
        evidence.label_B,
        evidence.answer_BO.argmax(1),
        labels=range(len(classes)),
        display_labels=classes,
        normalize="true",
        colorbar=False,
        xticks_rotation=45,
        ax=axes,
    )
    axes.set(title="Said, by what it was; evaluation rows")


_METRICS = (
    Metric(
        name="d2_log_loss_score",
        title="D² of log loss",
        higher_is_better=True,
        value=d2_log_loss,
        draws=_d2_draws,
        floor=0.0,
        loss_max=0.01,
    ),
    mean_metric("log_loss", "Log loss", log_losses, higher_is_better=False),
    mean_metric("accuracy", "Accuracy", _hits, higher_is_better=True),
    Metric(
        name="roc_auc_ovr",
        title="ROC AUC, one against the rest",
        higher_is_better=True,
        value=roc_auc_ovr,
        draws=_roc_auc_ovr_draws,
    ),
    mean_metric("brier_score", "Brier score", _brier_scores, higher_is_better=False),
)
