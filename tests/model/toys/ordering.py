"""A task whose answers depend on each other: in which order should these items be shown?"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from models.errors import DataRefused
from models.tasks import Task
from models.tasks.fields import answer_field
from models.tasks.means import divided
from models.tasks.task import Array, Evidence, Metric

ANSWER = pa.schema(
    [
        answer_field("score", pa.float32(), "how well the item fits the query"),
        answer_field("rank", pa.int32(), "its place among the query's items, from 1", low=1),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Ordering(Task):
    """Relevance of items, by query; rows of one query are scored together."""

    name: ClassVar[str] = "ordering"
    unit: tuple[str, ...] = ("query",)

    @property
    def together(self) -> tuple[str, ...]:
        return self.unit

    @property
    def label(self) -> pa.DataType:
        return pa.int8()

    @property
    def answer(self) -> pa.Schema:
        return ANSWER

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (NDCG,)

    @property
    def num_outputs(self) -> int:
        return 2

    def encode(self, name: str, label: pa.ChunkedArray) -> Array:
        if not pa.types.is_integer(label.type) or label.null_count:
            raise DataRefused(f"{name}: relevance is a whole number")
        found: Array = label.cast(pa.float64()).to_numpy()
        return found

    def answered(self, output_BO: Array) -> pa.Table:
        columns = [pa.array(output_BO[:, 0], pa.float32()), output_BO[:, 1].astype(np.int32)]
        return pa.table(columns, schema=ANSWER)

    def outputs(self, answer: pa.Table) -> Array:
        return np.column_stack([pc.cast(answer[name], pa.float64()) for name in ANSWER.names])


def gains(evidence: Evidence) -> Array:
    """Each query's nDCG, NaN where no item is relevant, [U]."""
    found = np.full(evidence.num_units, np.nan)
    for unit in range(evidence.num_units):
        rows = evidence.unit_B == unit
        gain, rank = 2 ** evidence.label_B[rows] - 1, evidence.answer_BO[rows, 1]
        best = np.sort(gain)[::-1] @ (1 / np.log2(np.arange(2, rows.sum() + 2)))
        if best > 0:
            found[unit] = gain @ (1 / np.log2(rank + 1)) / best
    return found


def _value(evidence: Evidence) -> float | None:
    known = gains(evidence)
    return None if np.isnan(known).all() else float(np.nanmean(known))


def _draws(evidence: Evidence, weights: Array) -> Array:
    known = gains(evidence)
    is_known = ~np.isnan(known)
    return divided(weights[:, is_known] @ known[is_known], weights @ is_known)


NDCG = Metric(name="ndcg", title="nDCG", higher_is_better=True, value=_value, draws=_draws)
