"""The naive forecast that each row has, with intervals learned of its errors: what all must beat.

Shape suffixes: B rows, Q quantiles.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import Columns, numeric_matrix
from models.family import NOTHING, Family, Scorer, Settings
from models.groups import Groups
from models.seasonal_naive.settings import SeasonalNaive
from models.tasks import Forecast, Task

if TYPE_CHECKING:
    from models.artifact import Manifest

ERRORS = "errors.json"


class NaiveForecasts(Family):
    """Learns nothing but how wide its intervals are."""

    name = SeasonalNaive.family
    settings = SeasonalNaive
    files: Mapping[str, int] = {ERRORS: 2**20}

    def refusal(self, task: Task, columns: Columns, settings: Settings) -> str:
        if not isinstance(task, Forecast):
            return f"only a forecast has a naive one, and {task.name} is none; take another family"
        assert isinstance(settings, SeasonalNaive)  # noqa: S101  of this family
        lacking = sorted({task.naive, *settings.by} - set(columns.single.inputs))
        return f"the naive forecast needs the inputs {', '.join(lacking)}" if lacking else ""

    def command(self, job: Path, *, num_processes: int) -> list[str]:  # noqa: ARG002
        return [sys.executable, "-m", "models.seasonal_naive.worker", str(job)]

    def open(
        self,
        folder: Path,
        manifest: "Manifest",
        bases: Mapping[str, Path] = NOTHING,  # noqa: ARG002
        *,
        num_threads: int = 1,  # noqa: ARG002
        device: str = "cpu",  # noqa: ARG002
    ) -> Scorer:
        errors = Groups.read(folder / ERRORS, manifest.columns, num_numbers=3)
        return Naive(manifest.task, manifest.columns, errors)


class Naive(Scorer):
    """The naive forecast, plus the quantiles of its errors."""

    def __init__(self, task: Task, columns: Columns, errors: Groups) -> None:
        assert isinstance(task, Forecast)  # noqa: S101  the family takes no other
        self.asked, self.answer = columns.schema, task.answer
        self._task, self._errors = task, errors

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:  # noqa: ARG002
        naive_B1 = numeric_matrix(table, (self._task.naive,)).astype(float)
        return self._task.answered(naive_B1 + self._errors.of(table))


FAMILY: Any = NaiveForecasts()
