"""The naive forecast, shifted by the quantiles of its errors: a family written by the recipe.

`tests/unit/test_recipe.py` copies it to where a family belongs, as `models/shifted_naive`.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.columns import Columns
from models.family import NOTHING, Family, Scorer, Settings
from models.tasks import Forecast, Task
from tests.model.toys.shifted_naive.settings import ShiftedNaive

if TYPE_CHECKING:
    from models.artifact import Manifest

SHIFT = "shift.json"


class ShiftedNaiveForecasts(Family):
    """Learns three numbers."""

    name = ShiftedNaive.family
    settings = ShiftedNaive
    files: Mapping[str, int] = {SHIFT: 2**10}

    def refusal(self, task: Task, columns: Columns, settings: Settings) -> str:
        if not isinstance(task, Forecast):
            return f"only a forecast has a naive one, which the task {task.name} has not"
        return "" if task.naive in columns.numeric else f"name {task.naive} among the inputs"

    def command(self, job: Path, *, num_processes: int) -> list[str]:
        return [sys.executable, "-m", "tests.model.toys.shifted_naive.worker", str(job)]

    def open(
        self,
        folder: Path,
        manifest: "Manifest",
        bases: Mapping[str, Path] = NOTHING,
        *,
        num_threads: int = 1,
        device: str = "cpu",
    ) -> Scorer:
        from tests.model.toys.shifted_naive import scoring

        return scoring.load(folder / SHIFT, manifest.columns, manifest.task)


FAMILY: Any = ShiftedNaiveForecasts()
