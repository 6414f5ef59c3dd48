"""A linear net for forecasts: one map of a series' past for each step ahead, and what is known."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.columns import Columns
from models.family import NOTHING, Family, Scorer, Settings
from models.linear_net.settings import LinearNet
from models.margins import MARGINS
from models.tasks import Forecast, Task

if TYPE_CHECKING:
    from models.artifact import Manifest

NET = "net.json"
SCALES = "scales.json"


class LinearNets(Family):
    """One process learns with torch; numpy answers."""

    name = LinearNet.family
    settings = LinearNet
    files: Mapping[str, int] = {NET: 64 * 2**20, SCALES: 2**20, MARGINS: 2**10}

    def refusal(self, task: Task, columns: Columns, settings: Settings) -> str:
        if not isinstance(task, Forecast):
            return f"a linear net goes on from a naive forecast, and {task.name} has none"
        assert isinstance(settings, LinearNet)  # noqa: S101  of this family
        needed = {task.naive, *settings.history, settings.horizon, *settings.calendar}
        lacking = sorted(needed - set(columns.numeric))
        return f"the linear net needs the numeric inputs {', '.join(lacking)}" if lacking else ""

    def command(self, job: Path, *, num_processes: int) -> list[str]:  # noqa: ARG002
        return [sys.executable, "-m", "models.linear_net.worker", str(job)]

    def open(
        self,
        folder: Path,
        manifest: "Manifest",
        bases: Mapping[str, Path] = NOTHING,  # noqa: ARG002
        *,
        num_threads: int = 1,  # noqa: ARG002
        device: str = "cpu",  # noqa: ARG002  numpy answers
    ) -> Scorer:
        from models.linear_net import scoring

        return scoring.load(folder, manifest.columns, manifest.task)


FAMILY: Any = LinearNets()
