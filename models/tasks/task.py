"""What every task is: its label, its answer, and how answers are judged.

Shape suffixes: B rows, O numbers of an answer, U units, R draws.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from models.columns import numeric_matrix
from models.errors import DataRefused
from models.plain import Plain
from models.tasks.fields import check_field
from models.tasks.levels import Levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array: TypeAlias = npt.NDArray[Any]

# The column of a row's day, UTC: what a task draws by that names no other unit.
DAY = "day"


@dataclass(frozen=True)
class Evidence:
    """Answers to rows whose labels are known.

    Args:
        label_B: float64, as the task encodes it.
        answer_BO: float64, the numbers of each answer in the task's order.
        unit_B: whole numbers from 0; rows of one unit are drawn together.
        beside: what else of the rows its metrics look at (`Task.beside`), float64 [B], by column.
    """

    label_B: Array
    answer_BO: Array
    unit_B: Array
    beside: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.label_B)

    @property
    def num_units(self) -> int:
        return int(self.unit_B.max()) + 1 if len(self) else 0

    def where(self, is_kept_B: Array) -> "Evidence":
        """That of some rows; the units keep their numbers, so that all are drawn alike."""
        beside = {name: value_B[is_kept_B] for name, value_B in self.beside.items()}
        label_B, answer_BO = self.label_B[is_kept_B], self.answer_BO[is_kept_B]
        return replace(
            self, label_B=label_B, answer_BO=answer_BO, unit_B=self.unit_B[is_kept_B], beside=beside
        )


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number for many answers.

    Args:
        name, title: in files and journals, and for people.
        value: on all rows; None where it is undefined: a gate takes it as *no proof* (B21).
        draws: on each of R draws of units at once, [R] by how often each is in, [R, U]; NaN
            where a draw leaves it undefined.
        floor, loss_max: what a gate asks that says nothing else; None: it must say so itself,
            as where the metric has the label's unit.
    """

    name: str
    title: str
    higher_is_better: bool
    value: Callable[[Evidence], float | None]
    draws: Callable[[Evidence, Array], Array]
    floor: float | None = None
    loss_max: float | None = None


@dataclass(frozen=True, kw_only=True)
class Task(Plain, ABC):
    """A kind of question.

    Args:
        unit: the columns whose equal values are drawn together by the bootstrap, since such rows
            share what is not in the inputs: days, unless said otherwise.
        fact_titles: what people call its `facts` and `answer_facts`, by their names.
    """

    name: ClassVar[str]
    fact_titles: ClassVar[Mapping[str, str]] = {}
    unit: tuple[str, ...] = (DAY,)

    @property
    def together(self) -> tuple[str, ...]:
        """The columns whose equal values are scored together, as answers depend on each other.

        None: each row is answered alone.
        """
        return ()

    @property
    def beside(self) -> tuple[str, ...]:
        """Number columns of a row that the metrics look at, beside its label and its answer.

        They are inputs of the model, so that whoever keeps an answer keeps them.
        """
        return ()

    @property
    def levels(self) -> Levels | None:
        """How answers add up; None: each is for itself."""
        return None

    @property
    @abstractmethod
    def label(self) -> pa.DataType:
        """What a label is, in the table of labels."""

    @property
    @abstractmethod
    def answer(self) -> pa.Schema:
        """The fields of an answer, by `answer_field`."""

    @property
    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]:
        """How answers are judged; the first is the gate's, unless it names another."""

    @property
    @abstractmethod
    def num_outputs(self) -> int:
        """How many numbers an answer is made of: O."""

    @abstractmethod
    def encode(self, name: str, label: pa.ChunkedArray) -> Array:
        """Labels as float64 [B].

        Raises:
            DataRefused: a label is null or outside the task's schema; says in which row.
        """

    @abstractmethod
    def answered(self, output_BO: Array) -> pa.Table:
        """Numbers as answers."""

    @abstractmethod
    def outputs(self, answer: pa.Table) -> Array:
        """Answers as float64 [B, O]: what `answered` was given."""

    def losses(self, evidence: Evidence) -> Array:
        """Each row's loss under a proper scoring rule, [B]: what a weighting of models lowers.

        Raises:
            NotImplementedError: a single row has none, as where an answer is one of an order.
        """
        raise NotImplementedError(f"{self.name} has no loss of a single row")

    def lacks(self, evidence: Evidence) -> str:  # noqa: ARG002
        """What evidence needs more of before it says anything, in words; empty: nothing."""
        return ""

    def facts(self, evidence: Evidence) -> Mapping[str, float]:  # noqa: ARG002
        """Of the labels, for a reader who compares two times."""
        return {}

    def refuse_unlearnable(self, training: Array, others: Sequence[Array]) -> None:
        """Refuse labels that can't be learned.

        Args:
            training: the labels to learn from, encoded.
            others: those that the model is to be judged by.

        Raises:
            DataRefused: says which, and what to do.
        """

    def answer_facts(self, answer: pa.Table) -> Mapping[str, float]:  # noqa: ARG002
        """Of many answers together, no label needed: what two times are compared by."""
        return {}

    def pictures(self, evidence: Evidence) -> "Mapping[str, Callable[[Axes], None]]":  # noqa: ARG002
        """What draws a picture of the answers, by its name."""
        return {}

    def checked(self, answer: pa.Table) -> pa.Table:
        """An answer of this task and nothing else.

        Raises:
            DataRefused: another field or type, a null, NaN, or a value out of its bounds.
        """
        found = [(each.name, each.type) for each in answer.schema]
        if found != [(each.name, each.type) for each in self.answer]:
            raise DataRefused(f"{self.name}: the answer is {found}, not {self.answer.names}")
        for each in self.answer:
            check_field(each, answer)
        return answer

    def adapted(self, answer: pa.Table) -> pa.Table:
        """What the task as it was before answered, as an answer of the task as it is now."""
        return answer

    def evidence(self, name: str, rows: pa.Table, answer: pa.Table, unit: Array) -> Evidence:
        """Answers beside the labels of their rows, which are the column of that name.

        Raises:
            DataRefused: an answer or a label is none of this task, or lacks its row; see `checked`
                and `encode`.
        """
        check_lengths(name, rows, answer, unit)
        label_B, answer_BO = self.encode(name, rows[name]), self.outputs(self.checked(answer))
        numbers_BF = numeric_matrix(rows, self.beside).astype(float)
        beside = dict(zip(self.beside, numbers_BF.T, strict=True))
        return Evidence(label_B, answer_BO, np.asarray(unit), beside)

    def scores(self, evidence: Evidence) -> dict[str, float | None]:
        """Every metric by its name, after the number of rows and the facts of the labels."""
        found = {metric.name: metric.value(evidence) for metric in self.metrics}
        return {"num_rows": len(evidence), **self.facts(evidence), **found}

    def metric(self, name: str | None = None) -> Metric:
        """The metric of that name; without one the first.

        Raises:
            ValueError: there is none; the message lists those there are.
        """
        for metric in self.metrics:
            if name in (None, metric.name):
                return metric
        raise ValueError(f"{self.name} has no metric {name!r}; it has {self.metric_names}")

    @property
    def metric_names(self) -> tuple[str, ...]:
        return tuple(metric.name for metric in self.metrics)


def check_lengths(name: str, rows: pa.Table, answer: pa.Table, unit: Array) -> None:
    """Refuse evidence that lacks a row.

    Raises:
        DataRefused: there are not as many labels as answers and units.
    """
    if len({rows.num_rows, answer.num_rows, len(unit)}) > 1:
        raise DataRefused(
            f"{name}: {rows.num_rows} labels, {answer.num_rows} answers and {len(unit)} units; "
            "give each row one of each"
        )


def units_of(table: pa.Table, names: Sequence[str]) -> Array:
    """Whole numbers from 0, [B]: the same for rows with equal values in these columns.

    They are in the order of the values, so that a draw does not depend on the order of the rows.

    Raises:
        DataRefused: the table lacks one of them.
    """
    lacking = sorted(set(names) - set(table.column_names))
    if lacking:
        raise DataRefused(f"the rows have no {', '.join(lacking)}, the unit of their task")
    if not table.num_rows:
        return np.empty(0, np.int64)
    ranks_BN = np.column_stack([_ranks(table[name]) for name in names])
    _, unit_B = np.unique(ranks_BN, axis=0, return_inverse=True)
    return unit_B.reshape(-1)


def _ranks(column: pa.ChunkedArray) -> Array:
    """The places of values among those that differ, [B]; null is the last."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    ranks_B: Array = pc.rank(column, sort_keys="ascending", tiebreaker="dense").to_numpy()
    return ranks_B
