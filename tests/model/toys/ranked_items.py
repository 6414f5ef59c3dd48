"""Ranked items: what a query likes is learned; which items there are is an index, refreshed."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from models.columns import Columns, text_matrix
from models.errors import DataRefused
from models.family import NOTHING, Refreshed, Scorer, Settings
from models.files import write_json
from models.job import Job
from models.tasks import Task
from models.tasks.task import units_of
from tests.model.toys.ordering import Ordering

LIKES, ITEMS = "likes.json", "items.json"


@dataclass(frozen=True, kw_only=True)
class RankedItems(Settings):
    family: ClassVar[str] = "ranked_items"
    unknown_score: float = 0.0


class RankedItemsFamily(Refreshed):
    name = RankedItems.family
    settings = RankedItems
    files: Mapping[str, int] = {LIKES: 2**20, ITEMS: 2**20}

    def refusal(self, task: Task, columns: Columns, settings: Settings) -> str:
        fits = isinstance(task, Ordering) and columns.categorical == ("query", "item")
        return "" if fits else "ranked items answer an ordering of query and item"

    def command(self, job: Path, *, num_processes: int) -> list[str]:
        return [sys.executable, "-m", "tests.model.toys.worker", str(job)]

    def open(
        self,
        folder: Path,
        manifest: Any,
        bases: Mapping[str, Path] = NOTHING,
        *,
        num_threads: int = 1,
        device: str = "cpu",
    ) -> Scorer:
        likes, items = (json.loads((folder / name).read_text()) for name in (LIKES, ITEMS))
        return Ranked(likes, items, manifest.task, manifest.columns)

    def refresh(self, folder: Path, manifest: Any, tables: Mapping[str, Path]) -> Any:
        items = indexed(tables["items"])
        write_json(folder / ITEMS, items)
        return {"num_items": len(items)}


class Ranked(Scorer):
    def __init__(self, likes: Any, items: Any, task: Task, columns: Columns) -> None:
        self.asked, self.answer = columns.schema, task.answer
        self.likes, self.items, self.task = likes, items, task

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:
        pairs = text_matrix(table, ("query", "item")).tolist()
        score = np.array([self.likes.get(q, {}).get(self.items.get(i), 0.0) for q, i in pairs])
        unit, rank = units_of(table, self.task.unit), np.empty(len(pairs))
        for each in np.unique(unit):
            rows = np.flatnonzero(unit == each)
            rank[rows[np.argsort(-score[rows], kind="stable")]] = np.arange(1, len(rows) + 1)
        return self.task.answered(np.column_stack([score, rank]))


def indexed(items: Path) -> dict[str, str]:
    table = pq.read_table(items)
    return dict(zip(table["item"].to_pylist(), table["kind"].to_pylist(), strict=True))


def learn(job: Job) -> None:
    """The mean relevance, by query, of each kind of item."""
    table, items = pq.read_table(job.tables["training"]), indexed(job.tables["items"])
    if not table.num_rows:
        raise DataRefused("there are no training rows")
    label = job.spec.task.encode(job.label, table[job.label])
    seen: dict[str, dict[str, list[float]]] = {}
    pairs = zip(table["query"].to_pylist(), table["item"].to_pylist(), label.tolist(), strict=True)
    for query, item, relevance in pairs:
        seen.setdefault(query, {}).setdefault(items[item], []).append(relevance)
    likes = {q: {kind: float(np.mean(all_)) for kind, all_ in of.items()} for q, of in seen.items()}
    write_json(job.artifact / LIKES, likes)
    write_json(job.artifact / ITEMS, items)


FAMILY: Any = RankedItemsFamily()
