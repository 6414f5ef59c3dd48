"""Answers to texts: naive Bayes on the counts of their words. No column is a number."""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from models.columns import Columns, text_column
from models.errors import DataRefused
from models.family import NOTHING, Family, Scorer, Settings
from models.files import write_json
from models.job import Job
from models.tasks import Binary, Task

WORDS = "words.json"


@dataclass(frozen=True, kw_only=True)
class WordCounts(Settings):
    family: ClassVar[str] = "word_counts"
    added: float = 1.0


class WordCountsFamily(Family):
    name = WordCounts.family
    settings = WordCounts
    files: Mapping[str, int] = {WORDS: 2**20}

    def refusal(self, task: Task, columns: Columns, settings: Settings) -> str:
        fits = isinstance(task, Binary) and len(columns.categorical) == 1 and not columns.numeric
        return "" if fits else "word counts answer yes or no to one text"

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
        return Counted(json.loads((folder / WORDS).read_text()), manifest.task, manifest.columns)


class Counted(Scorer):
    def __init__(self, weights: dict[str, float], task: Task, columns: Columns) -> None:
        self.asked, self.answer = columns.schema, task.answer
        self.weights, self.task, (self.column,) = weights, task, columns.categorical

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:
        texts = text_column(table, self.column).to_pylist()
        logit = np.array([sum(self.weights.get(w, 0.0) for w in text.split()) for text in texts])
        return self.task.answered((1 / (1 + np.exp(-logit)))[:, None].reshape(-1, 1))


def learn(job: Job) -> None:
    """The log of how much oftener each word stands in texts of yes."""
    table, settings = pq.read_table(job.tables["training"]), job.spec.settings
    assert isinstance(settings, WordCounts)
    if not table.num_rows:
        raise DataRefused("there are no training rows")
    label = job.spec.task.encode(job.label, table[job.label])
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    column = job.spec.columns.categorical[0]
    for text, yes in zip(text_column(table, column).to_pylist(), label.tolist(), strict=True):
        counts[bool(yes)].update(text.split())
    words = sorted(counts[True] | counts[False])
    total = {yes: of.total() + settings.added * len(words) for yes, of in counts.items()}
    share = {yes: {w: (of[w] + settings.added) / total[yes] for w in words}
             for yes, of in counts.items()}  # fmt: skip
    weights = {w: float(np.log(share[True][w] / share[False][w])) for w in words}
    write_json(job.artifact / WORDS, weights)


FAMILY: Any = WordCountsFamily()
