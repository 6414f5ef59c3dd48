"""Which of many items next: the best k, best first, judged by what was taken afterwards.

Shape suffixes: B rows, K places of a list, N items of all rows' lists, U units, R draws.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NoReturn

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from models.columns import numeric_list, text_list
from models.errors import DataRefused
from models.tasks import hits
from models.tasks.fields import answer_field
from models.tasks.means import counted, divided, summed
from models.tasks.task import Array, Evidence, Metric, Task, check_lengths

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class Ranking(Task):
    """A label that is the list of relevant items, answered by k items in falling order of score.

    Relevant is relevant: the metrics know no grades. A row without any relevant item has nothing
    to be found, so the metrics are means over the others.

    Args:
        k: items of an answer; fewer only where there are no more.
        items: the name of their list.
        num_rows_min, num_units_min: rows with a relevant item, and units that have such a row,
            below which evidence says nothing.

    Raises:
        ValueError: a list of no place, or one that has the name of another field.
    """

    name: ClassVar[str] = "ranking"
    fact_titles: ClassVar[Mapping[str, str]] = {
        "num_relevant_mean": "Relevant items of a row, mean",
        "has_relevant_share": "Share of rows with a relevant item",
        "num_items": "Different items in all lists",
        "num_items_effective": "Effective number of items",
        "most_listed_share": "Share of lists that have the most listed item",
        "fallback_share": "Share of lists that are a fallback",
    }
    k: int = 10
    items: str = "items"
    num_rows_min: int = 100
    num_units_min: int = 30
    unit: tuple[str, ...] = ("user_id",)

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"Ranking.k: {self.k} is below 1; 10 is usual")
        if self.items in _BESIDE.names:
            raise ValueError(f"Ranking.items: an answer has a field {self.items!r}; name it else")

    @property
    def label(self) -> pa.DataType:
        return pa.list_(pa.string())

    @property
    def answer(self) -> pa.Schema:
        meaning = f"the {self.k} best items, best first"
        return pa.schema([answer_field(self.items, self.label, meaning), *_BESIDE])

    @property
    def metrics(self) -> tuple[Metric, ...]:
        k = self.k
        return (
            _metric(f"ndcg_at_{k}", f"nDCG at {k}", hits.ndcg, floor=0.05, loss_max=0.02),
            _metric(f"map_at_{k}", f"MAP at {k}", hits.average_precision),
            _metric(f"precision_at_{k}", f"Precision at {k}", hits.precision),
            _metric(f"recall_at_{k}", f"Recall at {k}", hits.recall),
        )

    @property
    def num_outputs(self) -> int:
        return self.k

    def encode(self, name: str, label: pa.ChunkedArray) -> Array:
        """How many items are relevant, float64 [B]; one that occurs twice is one."""
        if label.null_count:
            row = pc.index(pc.is_null(label), True).as_py()
            raise DataRefused(
                f"{name}: {label.null_count} of {len(label)} labels are no lists, the first in row "
                f"{row}; give an empty list where nothing was relevant, or leave the row out"
            )
        item_N, offset_B1 = text_list(pa.table({name: label}), name)
        pairs = np.unique(_pairs(pc.index_in(item_N, pc.unique(item_N)), offset_B1), axis=1)
        return np.bincount(pairs[0], minlength=len(label)).astype(float)

    def answered(self, output_BO: Array) -> NoReturn:
        raise NotImplementedError(f"{self.name}: what is relevant does not say which items it is")

    def outputs(self, answer: pa.Table) -> NoReturn:
        raise NotImplementedError(f"{self.name}: items are relevant or not by their row's label")

    def evidence(self, name: str, rows: pa.Table, answer: pa.Table, unit: Array) -> Evidence:
        """The number of relevant items beside whether each place has one: 0 or 1, [B, K]."""
        check_lengths(name, rows, answer, unit)
        label_B = self.encode(name, rows[name])
        hit_BK = _hits(self.checked(answer)[self.items], rows[name], self.k)
        return Evidence(label_B, hit_BK, np.asarray(unit))

    def lacks(self, evidence: Evidence) -> str:
        is_judged_B = evidence.label_B > 0
        num_rows, num_units = is_judged_B.sum(), len(np.unique(evidence.unit_B[is_judged_B]))
        if num_rows >= self.num_rows_min and num_units >= self.num_units_min:
            return ""
        return (
            f"{num_rows:,} rows with a relevant item, of {num_units:,} units; "
            f"{self.num_rows_min:,} of {self.num_units_min:,} are needed"
        )

    def facts(self, evidence: Evidence) -> Mapping[str, float]:
        if not len(evidence):
            return {}
        label_B = evidence.label_B
        return {
            "num_relevant_mean": float(label_B.mean()),
            "has_relevant_share": float((label_B > 0).mean()),
        }

    def answer_facts(self, answer: pa.Table) -> Mapping[str, float]:
        """How many items all lists are made of, how evenly, and how many lists are a fallback.

        `num_items_effective` is the number of items, each listed equally often, that would be as
        diverse: the exponential of the entropy (Jost, "Entropy and diversity", 2006).
        """
        item_N, _ = text_list(answer, self.items)
        if not len(item_N):
            return {}
        count_I = np.array(pc.value_counts(item_N).field("counts"), float)
        share_I = count_I / count_I.sum()
        return {
            "num_items": float(len(count_I)),
            "num_items_effective": float(np.exp(-share_I @ np.log(share_I))),
            "most_listed_share": float(count_I.max() / answer.num_rows),
            "fallback_share": float(pc.mean(answer["is_fallback"]).as_py()),
        }

    def refuse_unlearnable(self, training: Array, others: Sequence[Array]) -> None:  # noqa: ARG002
        if len(training) and not training.any():
            raise DataRefused("no row to learn from has a relevant item: there is nothing to rank")

    def pictures(self, evidence: Evidence) -> "Mapping[str, Callable[[Axes], None]]":
        return {"places": partial(_draw_places, evidence)}

    def checked(self, answer: pa.Table) -> pa.Table:
        """An answer of this task: items without a repeat, k at most, in falling order of score."""
        super().checked(answer)
        item_N, offset_B1 = text_list(answer, self.items)
        score_N, score_offset_B1 = numeric_list(answer, "scores")
        row_N, code_N = _pairs(pc.index_in(item_N, pc.unique(item_N)), offset_B1)
        length_B = np.diff(offset_B1)
        self._refuse_any(length_B > self.k, f"more than {self.k} items")
        self._refuse_any(length_B != np.diff(score_offset_B1), "another number of scores")
        self._refuse_any(_rows(row_N, np.isnan(score_N), len(length_B)), "a score that is none")
        rises_N = np.zeros(len(row_N), bool)
        rises_N[1:] = (row_N[1:] == row_N[:-1]) & (np.diff(score_N) > 0)
        self._refuse_any(_rows(row_N, rises_N, len(length_B)), "scores that rise")
        kept = np.unique(np.stack([row_N, code_N]), axis=1)[0]
        is_repeated_B = np.bincount(kept, minlength=len(length_B)) < length_B
        self._refuse_any(is_repeated_B, "an item twice")
        return answer

    def _refuse_any(self, is_bad_B: Array, what: str) -> None:
        if is_bad_B.any():
            row = np.flatnonzero(is_bad_B)[0]
            raise DataRefused(
                f"{self.items}: the answer to row {row} has {what}; nothing is published: look at "
                "the model's inputs there, or roll back"
            )


_BESIDE = pa.schema(
    [
        answer_field("scores", pa.list_(pa.float32()), "of each item, never rising"),
        answer_field(
            "popularity",
            pa.float32(),
            "the list's mean share of all items that are taken less often, ties counted half",
            low=0,
            high=1,
        ),
        answer_field(
            "unseen_share",
            pa.float32(),
            "the share of the list that nobody had taken when the model was made or refreshed",
            low=0,
            high=1,
        ),
        answer_field(
            "is_fallback",
            pa.bool_(),
            "whether nothing was known of the row, so that it has the most popular items",
        ),
    ]
)


def _pairs(code: pa.Array, offset_B1: Array) -> Array:
    """Row and item code of each item, whole numbers [2, N]."""
    row_N = np.repeat(np.arange(len(offset_B1) - 1), np.diff(offset_B1))
    return np.stack([row_N, code.to_numpy(zero_copy_only=False).astype(np.int64)])


def _rows(row_N: Array, is_bad_N: Array, num_rows: int) -> Array:
    """Whether any item of a row is bad, [B]."""
    found: Array = np.bincount(row_N, is_bad_N, num_rows) > 0
    return found


def _hits(listed: pa.ChunkedArray, relevant: pa.ChunkedArray, k: int) -> Array:
    """1 where the item at a place is relevant, 0 elsewhere and where there is none, [B, K]."""
    table = pa.table({"listed": listed, "relevant": relevant})
    item_N, offset_B1 = text_list(table, "listed")
    known, known_offset_B1 = text_list(table, "relevant")
    codes = pc.unique(pa.concat_arrays([item_N, known]))
    row_N, code_N = _pairs(pc.index_in(item_N, codes), offset_B1)
    known_row, known_code = _pairs(pc.index_in(known, codes), known_offset_B1)
    hit_BK = np.zeros((table.num_rows, k))
    place_N = np.arange(len(row_N)) - offset_B1[row_N]
    found_N = np.isin(row_N * len(codes) + code_N, known_row * len(codes) + known_code)
    hit_BK[row_N, place_N] = found_N
    return hit_BK


def _metric(
    name: str,
    title: str,
    value_of_rows: Callable[[Array, Array], Array],
    *,
    floor: float | None = None,
    loss_max: float | None = None,
) -> Metric:
    """The mean over rows that have anything relevant, [B] and [B, K] in, [B] out."""

    def judged(evidence: Evidence) -> tuple[Array, Array]:
        rows = evidence.label_B > 0
        return value_of_rows(evidence.label_B[rows], evidence.answer_BO[rows]), evidence.unit_B[
            rows
        ]

    def value(evidence: Evidence) -> float | None:
        value_B, _ = judged(evidence)
        return float(value_B.mean()) if value_B.size else None

    def draws(evidence: Evidence, weight_RU: Array) -> Array:
        value_B, unit_B = judged(evidence)
        return divided(summed(weight_RU, value_B, unit_B), counted(weight_RU, unit_B))

    return Metric(
        name=name,
        title=title,
        higher_is_better=True,
        value=value,
        draws=draws,
        floor=floor,
        loss_max=loss_max,
    )


def _draw_places(evidence: Evidence, axes: "Axes") -> None:
    places = range(1, evidence.answer_BO.shape[1] + 1)
    axes.bar(places, evidence.answer_BO[evidence.label_B > 0].mean(0))
    axes.set(title="Relevant items, by place", xlabel="place", ylabel="share of the lists")
