"""A net on rows of numbers and categories: learned by torchrun, opened by ONNX Runtime."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.columns import Columns
from models.family import NOTHING, Family, Scorer, Settings
from models.tabular_net.settings import TabularNet
from models.tasks import Binary, Multiclass, Regression, Task

if TYPE_CHECKING:
    from models.artifact import Manifest

FILE = "model.onnx"
# Our largest net so far is 2 MB; serving must not be filled by a file from elsewhere.
BYTES_MAX = 64 * 2**20


class TabularNets(Family):
    """Any number of processes learn one net; the tasks are those of single rows."""

    name = TabularNet.family
    settings = TabularNet
    files: Mapping[str, int] = {FILE: BYTES_MAX}
    requires = ("onnx", "onnxruntime")

    def refusal(self, task: Task, columns: Columns, settings: Settings) -> str:  # noqa: ARG002
        if not isinstance(task, Binary | Multiclass | Regression):
            return f"a tabular_net has no head for the task {task.name}; look for another family"
        return "" if columns.numeric else "a tabular_net needs at least one number column"

    def command(self, job: Path, *, num_processes: int) -> list[str]:
        """By torchrun, which restarts all processes from the last checkpoint where one dies.

        A hung process is killed 5 s after the others gave it up.
        """
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--shutdown-timeout=5"]
        processes = [f"--nproc-per-node={num_processes}", "--max-restarts=1"]
        return [sys.executable, *torchrun, *processes, "-m", "models.tabular_net.worker", str(job)]

    def open(
        self,
        folder: Path,
        manifest: "Manifest",
        bases: Mapping[str, Path] = NOTHING,  # noqa: ARG002
        *,
        num_threads: int = 1,
        device: str = "cpu",
    ) -> Scorer:
        from models.tabular_net import onnx_file

        content = (folder / FILE).read_bytes()
        return onnx_file.load(
            content, manifest.columns, manifest.task, num_threads=num_threads, device=device
        )


FAMILY: Any = TabularNets()
