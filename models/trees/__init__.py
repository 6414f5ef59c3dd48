"""Boosted trees on rows of numbers and categories: LightGBM, stored as its own text."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.columns import Columns
from models.family import NOTHING, Family, Scorer, Settings
from models.margins import MARGINS
from models.tasks import Binary, Multiclass, Regression, Task
from models.trees.settings import Trees

if TYPE_CHECKING:
    from models.artifact import Manifest

CATEGORIES = "categories.json"
TREES = "{name}.trees.txt"
_BYTES_MAX = 64 * 2**20


class BoostedTrees(Family):
    """One process learns, with as many threads as it is given; the tasks are those of rows."""

    name = Trees.family
    settings = Trees
    files: Mapping[str, int] = {
        "*.trees.txt": _BYTES_MAX,
        CATEGORIES: _BYTES_MAX,
        MARGINS: 2**10,
    }
    requires = ("lightgbm",)

    def refusal(self, task: Task, columns: Columns, settings: Settings) -> str:  # noqa: ARG002
        if not isinstance(task, Binary | Multiclass | Regression):
            return f"trees have no objective for the task {task.name}; look for another family"
        return ""

    def command(self, job: Path, *, num_processes: int) -> list[str]:  # noqa: ARG002
        return [sys.executable, "-m", "models.trees.worker", str(job)]

    def open(
        self,
        folder: Path,
        manifest: "Manifest",
        bases: Mapping[str, Path] = NOTHING,  # noqa: ARG002
        *,
        num_threads: int = 1,
        device: str = "cpu",  # noqa: ARG002  trees are asked on the CPU
    ) -> Scorer:
        from models.trees import scoring

        return scoring.load(folder, manifest.columns, manifest.task, num_threads)


FAMILY: Any = BoostedTrees()
