"""Lists of items for a user: candidates by two retrievers, then trees that put them in order."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.columns import Columns
from models.family import NOTHING, Refreshed, Scorer, Settings
from models.tasks import Ranking, Task
from models.two_stage.settings import TwoStage

if TYPE_CHECKING:
    from models.artifact import Manifest

CATALOGUE, INDEX = "catalogue.arrow", "index.faiss"
SETTINGS, RETRIEVAL, CATEGORIES = "settings.json", "retrieval.json", "categories.json"
SIMILARITY, ITEM_VECTORS = "similarity.arrow", "item_vectors.arrow"
CONTENT_VECTORS, RANKER = "content_vectors.arrow", "ranker.trees.txt"

_SMALL, _LARGE = 2**20, 512 * 2**20


class TwoStageRankings(Refreshed):
    """One process learns; what it opens needs neither torch nor Spark."""

    name = TwoStage.family
    settings = TwoStage
    files: Mapping[str, int] = {
        **dict.fromkeys((SETTINGS, RETRIEVAL, CATEGORIES, CONTENT_VECTORS), _SMALL),
        **dict.fromkeys((CATALOGUE, INDEX, SIMILARITY, ITEM_VECTORS, RANKER), _LARGE),
    }
    requires = ("faiss", "lightgbm", "scipy")

    def refusal(self, task: Task, columns: Columns, settings: Settings) -> str:  # noqa: ARG002
        if not isinstance(task, Ranking):
            return f"two stages answer a ranking, not the task {task.name}; take another family"
        if len(columns.categorical_lists) != 1 or len(columns.numeric_lists) > 1:
            return (
                "two stages need one list of texts, the items taken, and at most one of numbers, "
                "their ratings"
            )
        return ""

    def command(self, job: Path, *, num_processes: int) -> list[str]:  # noqa: ARG002
        return [sys.executable, "-m", "models.two_stage.worker", str(job)]

    def open(
        self,
        folder: Path,
        manifest: "Manifest",
        bases: Mapping[str, Path] = NOTHING,  # noqa: ARG002
        *,
        num_threads: int = 1,
        device: str = "cpu",  # noqa: ARG002  it is asked on the CPU
    ) -> Scorer:
        from models.two_stage.folder import scorer

        assert isinstance(manifest.task, Ranking)  # noqa: S101  `refusal` has seen to it
        return scorer(folder, manifest.task, manifest.columns, num_threads)

    def refresh(
        self,
        folder: Path,
        manifest: "Manifest",  # noqa: ARG002  what it needs to know lies in the folder
        tables: Mapping[str, Path],
    ) -> Mapping[str, Any]:
        from models.two_stage.refresh import refreshed

        return refreshed(folder, tables)


FAMILY: Any = TwoStageRankings()
