"""How lists are judged: by the task's own metrics, users drawn by the bootstrap.

Shape suffixes: B rows, K places of a list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from benchmarks.picks.contestants import LABEL, TASK
from benchmarks.picks.splits import Split
from models.tasks.bootstrap import Bootstrap
from models.tasks.task import Array, Evidence, units_of

NDCG = f"ndcg_at_{TASK.k}"


@dataclass(frozen=True)
class Run:
    """One contestant's lists, judged."""

    scores: Mapping[str, float]
    evidence: Evidence

    @property
    def ndcg(self) -> float:
        return self.scores[NDCG]

    def interval(self) -> Mapping[str, float] | None:
        """Of nDCG, at 95 %, from 1,000 draws of users."""
        found = Bootstrap().interval(TASK.metric(NDCG), self.evidence)
        return found and asdict(found)

    def gain(self, other: "Run") -> Mapping[str, float] | None:
        """How much better it is than another, on the same draws."""
        found = Bootstrap().gain(TASK.metric(NDCG), other.evidence, self.evidence)
        return found and asdict(found)


def judged(lists: Sequence[Sequence[str]], split: Split) -> Run:
    """Lists in the order of the split's rows."""
    rows = split.test()
    evidence = TASK.evidence(LABEL, rows, _answer(lists), units_of(rows, TASK.unit))
    found = {metric.name: metric.value(evidence) for metric in TASK.metrics}
    scores = {name: value for name, value in found.items() if value is not None}
    return Run({**scores, "map": _published_map(evidence)}, evidence)


def middle(runs: Sequence[Run]) -> Run:
    """The run of the median nDCG."""
    return sorted(runs, key=lambda run: run.ndcg)[len(runs) // 2]


def to_json(runs: Sequence[Run], sar: Run) -> dict[str, Any]:
    """The figures of one contestant."""
    run = middle(runs)
    return {
        "median": dict(run.scores),
        "interval": run.interval(),
        "gain_over_sar": run.gain(sar),
        "runs": [dict(each.scores) for each in runs],
    }


def _published_map(evidence: Evidence) -> float:
    """As in the published table: precision at each hit, over all relevant films, not ten at most.

    The table's figures are of `map`; `map_at_10`, which came later, divides by ten at most.
    """
    hit_BK: Array = evidence.answer_BO
    precision_BK = np.cumsum(hit_BK, 1) / np.arange(1, hit_BK.shape[1] + 1)
    return float(((precision_BK * hit_BK).sum(1) / evidence.label_B).mean())


def _answer(lists: Sequence[Sequence[str]]) -> pa.Table:
    """Lists as answers; what is no list has no part in the metrics."""
    num_rows = len(lists)
    columns = {
        TASK.items: [list(each) for each in lists],
        "scores": [[-float(place) for place in range(len(each))] for each in lists],
        "popularity": [0.0] * num_rows,
        "unseen_share": [0.0] * num_rows,
        "is_fallback": [False] * num_rows,
    }
    return pa.table(columns, schema=TASK.answer)
