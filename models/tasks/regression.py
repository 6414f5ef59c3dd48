"""How much: a median, and an interval that holds a share of what happens.

Shape suffixes: B rows, Q quantiles, U units, R draws.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.errors import DataRefused
from models.tasks.fields import answer_field
from models.tasks.means import divided, mean_metric, summed
from models.tasks.task import Array, Evidence, Metric, Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Places of an answer's numbers.
LOW, MIDDLE, HIGH = range(3)


@dataclass(frozen=True, kw_only=True)
class Regression(Task):
    """A label that is a number, answered by its median and a central interval.

    Args:
        coverage: the share of labels that the interval is to hold, as many below as above it.
        num_rows_min: rows below which evidence says nothing.

    Raises:
        ValueError: a coverage that is no share.
    """

    name: ClassVar[str] = "regression"
    fact_titles: ClassVar[Mapping[str, str]] = {"label_mean": "Mean of the labels"}
    coverage: float = 0.8
    num_rows_min: int = 100

    def __post_init__(self) -> None:
        if not 0 < self.coverage < 1:
            raise ValueError(f"Regression.coverage: {self.coverage} is not between 0 and 1")

    @property
    def quantiles(self) -> tuple[float, float, float]:
        """Those of low, middle and high."""
        tail = (1 - self.coverage) / 2
        return tail, 0.5, 1 - tail

    @property
    def label(self) -> pa.DataType:
        return pa.float64()

    @property
    def answer(self) -> pa.Schema:
        held = f"of the interval that holds {self.coverage:.0%}"
        return pa.schema(
            [
                answer_field("low", pa.float32(), f"the lower end {held}", not_above="prediction"),
                answer_field("prediction", pa.float32(), "the median", not_above="high"),
                answer_field("high", pa.float32(), f"the upper end {held}"),
            ]
        )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        pinball = self.losses
        return (
            Metric(
                name="d2_pinball_score",
                title="D² of pinball loss",
                higher_is_better=True,
                value=self._d2,
                draws=self._d2_draws,
                floor=0.0,
                loss_max=0.01,
            ),
            mean_metric("mean_pinball_loss", "Pinball loss", pinball, higher_is_better=False),
            _ABSOLUTE_ERROR,
            _SQUARED_ERROR,
            _COVERAGE,
            _WIDTH,
        )

    @property
    def num_outputs(self) -> int:
        return 3

    def encode(self, name: str, label: pa.ChunkedArray) -> Array:
        is_number = pa.types.is_integer(label.type) or pa.types.is_floating(label.type)
        if not (is_number or pa.types.is_decimal(label.type)):
            raise DataRefused(f"{name}: labels are {label.type}, not numbers; cast them")
        value_B: Array = label.cast(pa.float64()).to_numpy().astype(float)
        wrong = np.flatnonzero(~np.isfinite(value_B))
        if wrong.size:
            raise DataRefused(
                f"{name}: {wrong.size} of {value_B.size} labels are no finite numbers, the first "
                f"in row {wrong[0]} ({label[int(wrong[0])].as_py()}); leave rows without a label "
                "out"
            )
        return value_B

    def answered(self, output_BO: Array) -> pa.Table:
        columns = [pa.array(output_BO[:, place], pa.float32()) for place in range(3)]
        return pa.table(columns, schema=self.answer)

    def outputs(self, answer: pa.Table) -> Array:
        names = self.answer.names
        columns = [answer[name].to_numpy().astype(float) for name in names]
        output_BQ: Array = np.column_stack(columns)
        return output_BQ

    def losses(self, evidence: Evidence) -> Array:
        """The mean over low, middle and high of each one's pinball loss (Koenker, 1978)."""
        above_BQ = evidence.label_B[:, None] - evidence.answer_BO
        share_Q = np.array(self.quantiles)
        lost: Array = np.maximum(share_Q * above_BQ, (share_Q - 1) * above_BQ).mean(1)
        return lost

    def lacks(self, evidence: Evidence) -> str:
        if len(evidence) < self.num_rows_min:
            return f"{len(evidence):,} rows, {self.num_rows_min:,} are needed"
        return ""

    def facts(self, evidence: Evidence) -> Mapping[str, float]:
        return {"label_mean": float(evidence.label_B.mean())} if len(evidence) else {}

    def refuse_unlearnable(self, training: Array, others: Sequence[Array]) -> None:  # noqa: ARG002
        if len(training) and training.min() == training.max():
            raise DataRefused(
                f"every label to learn from is {training[0]}: there is nothing to say"
            )

    def pictures(self, evidence: Evidence) -> "Mapping[str, Callable[[Axes], None]]":
        return {
            "predictions": partial(_draw_predictions, evidence),
            "coverage": partial(_draw_coverage, evidence, self.coverage),
        }

    def _d2(self, evidence: Evidence) -> float | None:
        """The share of pinball loss saved against always saying the labels' own quantiles."""
        if not len(evidence):
            return None
        found = float(self._d2_draws(evidence, np.ones((1, evidence.num_units)))[0])
        return None if np.isnan(found) else found

    def _d2_draws(self, evidence: Evidence, weight_RU: Array) -> Array:
        order_B = np.argsort(evidence.label_B, kind="stable")
        label_B, unit_B = evidence.label_B[order_B], evidence.unit_B[order_B]
        own_R = np.array(
            [_own_loss(label_B, weight_U[unit_B], self.quantiles) for weight_U in weight_RU]
        )
        lost_R = summed(weight_RU, self.losses(evidence), evidence.unit_B)
        return 1 - divided(lost_R, own_R)


def _own_loss(label_B: Array, weight_B: Array, quantiles: Sequence[float]) -> float:
    """The pinball loss of the labels' own quantiles, summed over weighted rows.

    Exactly 0 where all are equal, so that nothing is divided by what rounding leaves.

    Args:
        label_B: in rising order.
        weight_B: how often each row is there.
    """
    rows_B, sum_B = np.cumsum(weight_B), np.cumsum(weight_B * label_B)
    drawn_B = np.flatnonzero(weight_B)
    if not drawn_B.size or label_B[drawn_B[0]] == label_B[drawn_B[-1]]:
        return 0.0
    total = 0.0
    for share in quantiles:
        said = _quantile(label_B, rows_B, share)
        upto = int(np.searchsorted(label_B, said, "right"))
        rows_below, sum_below = (rows_B[upto - 1], sum_B[upto - 1]) if upto else (0.0, 0.0)
        above = (sum_B[-1] - sum_below) - said * (rows_B[-1] - rows_below)
        total += share * above + (1 - share) * (said * rows_below - sum_below)
    return total / len(quantiles)


def _quantile(label_B: Array, rows_B: Array, share: float) -> float:
    """Of rows repeated by their weights, between neighbours by their distance (numpy's default)."""
    place = (rows_B[-1] - 1) * share
    lower, upper = np.floor(place), np.ceil(place)
    at = np.searchsorted(rows_B, [lower, upper], "right")
    first, second = label_B[at]
    return float(first + (second - first) * (place - lower))


def absolute_errors(evidence: Evidence) -> Array:
    """Of the medians, [B]."""
    errors: Array = np.abs(evidence.label_B - evidence.answer_BO[:, MIDDLE])
    return errors


def _held(evidence: Evidence) -> Array:
    low_B, high_B = evidence.answer_BO[:, LOW], evidence.answer_BO[:, HIGH]
    is_held_B: Array = (low_B <= evidence.label_B) & (evidence.label_B <= high_B)
    return is_held_B.astype(float)


def _widths(evidence: Evidence) -> Array:
    widths: Array = evidence.answer_BO[:, HIGH] - evidence.answer_BO[:, LOW]
    return widths


def _squared_errors(evidence: Evidence) -> Array:
    return absolute_errors(evidence) ** 2


def _draw_predictions(evidence: Evidence, axes: "Axes") -> None:
    axes.hexbin(evidence.answer_BO[:, MIDDLE], evidence.label_B, gridsize=40, mincnt=1, bins="log")
    low, high = np.quantile(evidence.label_B, (0.01, 0.99))
    axes.plot([low, high], [low, high], "--", color="grey")
    axes.set(title="What was, by what was said", xlabel="prediction", ylabel="label")


def _draw_coverage(evidence: Evidence, coverage: float, axes: "Axes") -> None:
    """How many labels the intervals held, from the narrowest tenth of them to the widest."""
    tenths = np.array_split(np.argsort(_widths(evidence), kind="stable"), 10)
    held_B = _held(evidence)
    axes.bar(range(1, 11), [held_B[rows].mean() if rows.size else 0 for rows in tenths])
    axes.axhline(coverage, linestyle="--", color="grey")
    axes.set(title="Labels held, by width of the interval", xlabel="tenth", ylabel="share held")


_ABSOLUTE_ERROR = mean_metric(
    "mean_absolute_error", "Absolute error", absolute_errors, higher_is_better=False
)
_SQUARED_ERROR = mean_metric(
    "mean_squared_error", "Squared error", _squared_errors, higher_is_better=False
)
_COVERAGE = mean_metric("interval_coverage", "Labels held", _held, higher_is_better=True)
_WIDTH = mean_metric("interval_width_mean", "Interval width", _widths, higher_is_better=False)
