"""Trends: a row is a series and how many steps ahead; a line is learned for each series."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from models.columns import Columns, numeric_matrix, text_column
from models.errors import DataRefused
from models.family import NOTHING, Family, Scorer, Settings
from models.files import write_json
from models.job import Job
from models.tasks import Regression, Task
from models.tasks.fields import answer_field
from models.tasks.means import mean_metric
from models.tasks.task import Array, Evidence, Metric

LINES = "lines.json"
ANSWER = pa.schema([answer_field("ahead", pa.float64(), "the mean expected then")])


@dataclass(frozen=True, kw_only=True)
class Trend(Task):
    """A number some steps ahead; the rows of one series are drawn together."""

    name: ClassVar[str] = "trend"
    unit: tuple[str, ...] = ("series",)

    @property
    def label(self) -> pa.DataType:
        return pa.float64()

    @property
    def answer(self) -> pa.Schema:
        return ANSWER

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (ERROR,)

    @property
    def num_outputs(self) -> int:
        return 1

    def encode(self, name: str, label: pa.ChunkedArray) -> Array:
        return Regression().encode(name, label)

    def answered(self, output_BO: Array) -> pa.Table:
        return pa.table([output_BO[:, 0].astype(float)], schema=ANSWER)

    def outputs(self, answer: pa.Table) -> Array:
        found: Array = answer["ahead"].to_numpy()
        return found[:, None]

    def losses(self, evidence: Evidence) -> Array:
        squared: Array = (evidence.answer_BO[:, 0] - evidence.label_B) ** 2
        return squared


def _errors(evidence: Evidence) -> Array:
    errors: Array = np.abs(evidence.answer_BO[:, 0] - evidence.label_B)
    return errors


ERROR = mean_metric("mean_absolute_error", "Absolute error", _errors, higher_is_better=False)


@dataclass(frozen=True, kw_only=True)
class TrendLines(Settings):
    family: ClassVar[str] = "trend_lines"


class TrendLinesFamily(Family):
    name = TrendLines.family
    settings = TrendLines
    files: Mapping[str, int] = {LINES: 2**20}

    def refusal(self, task: Task, columns: Columns, settings: Settings) -> str:
        fits = isinstance(task, Trend) and columns.inputs == ("horizon", "series")
        return "" if fits else "trend lines say a series at a horizon"

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
        return Lines(json.loads((folder / LINES).read_text()), manifest.task, manifest.columns)


class Lines(Scorer):
    def __init__(self, lines: dict[str, list[float]], task: Task, columns: Columns) -> None:
        self.asked, self.answer = columns.schema, task.answer
        self.lines, self.task = lines, task

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:
        horizon = numeric_matrix(table, ("horizon",))[:, 0].astype(float)
        series = text_column(table, "series").to_pylist()
        line = np.array([self.lines.get(each, [0.0, 0.0]) for each in series]).reshape(-1, 2)
        return self.task.answered((line[:, 0] + line[:, 1] * horizon)[:, None])


def learn(job: Job) -> None:
    """The line through what each series came to."""
    table = pq.read_table(job.tables["training"])
    if not table.num_rows:
        raise DataRefused("there are no training rows")
    label = job.spec.task.encode(job.label, table[job.label])
    horizon, series = table["horizon"].to_numpy(), np.array(table["series"].to_pylist())
    lines = {
        str(each): np.polyfit(horizon[series == each], label[series == each], 1)[::-1].tolist()
        for each in np.unique(series)
    }
    write_json(job.artifact / LINES, lines)


FAMILY: Any = TrendLinesFamily()
