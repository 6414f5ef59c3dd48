"""One training as a file: what a family's process is told."""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from models import artifact
from models.errors import ModelError
from models.family import NOTHING
from models.files import PARTIAL, write_json
from models.spec import ModelSpec


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training: what, from which rows, into which folder.

    Args:
        spec: the model.
        label: the column to learn.
        tables: Parquet files; `training` to learn from, `validation` to stop or to weigh by.
        folder: where the results go; a run in the same folder goes on where it was.
        bases: files that are built upon and not copied, by name.
        device: cpu or cuda.
        num_processes, num_threads: how many, and how many threads each.
        timeout_seconds: how long a process waits for another before it gives up (R21).

    Raises:
        ValueError: the label is one of the inputs.
    """

    spec: ModelSpec
    label: str
    tables: Mapping[str, Path]
    folder: Path
    bases: Mapping[str, Path] = field(default_factory=dict)
    device: Literal["cpu", "cuda"] = "cpu"
    num_processes: int = 1
    num_threads: int = 1
    timeout_seconds: float = 120

    def __post_init__(self) -> None:
        if self.label in self.spec.columns.inputs:
            raise ValueError(f"Job.label: {self.label!r} is an input, too; leave it out of Columns")

    @property
    def artifact(self) -> Path:
        """The folder of what is to be kept of it."""
        return self.folder / "artifact"

    def write(self, path: Path) -> None:
        """Write the job for the process that learns it."""
        values = {**asdict(self), "spec": self.spec.to_json()}
        write_json(path, json.loads(json.dumps(values, default=str)))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote."""
        values = json.loads(path.read_text())
        files = {
            name: {role: Path(place) for role, place in values[name].items()}
            for name in ("tables", "bases")
        }
        spec = ModelSpec.from_json(values["spec"])
        return cls(**{**values, **files, "folder": Path(values["folder"]), "spec": spec})

    @property
    def result(self) -> Mapping[str, Any]:
        """What `finish` was told."""
        found: Mapping[str, Any] = json.loads((self.folder / "result.json").read_text())
        return found

    def seal(self, corpus: Mapping[str, int] = NOTHING) -> str:
        """Write the manifest of what was learned; its digest.

        Args:
            corpus: the versions of the tables that it holds an index of.

        Raises:
            ModelRefused: a file is there that the family would not open.
        """
        # Of a process that was killed while it wrote.
        for partial in self.artifact.rglob(f"*{PARTIAL}"):
            partial.unlink()
        return artifact.seal(
            self.artifact,
            self.spec.task,
            self.spec.columns,
            self.spec.settings.family,
            members=self.result.get("members", {}),
            bases={name: artifact.sha256_of(path) for name, path in self.bases.items()},
            corpus=corpus,
        )

    def finish(self, result: Mapping[str, Any]) -> None:
        """Say how it went, when the artifact is whole: a result always has its model.

        Args:
            result: `history`, a mapping a round; `facts`, numbers and names for the reader;
                `members`, the digests of artifacts inside, by their folders.
        """
        write_json(self.folder / "result.json", result)
        # Left by an attempt that this one made good.
        (self.folder / "failure.json").unlink(missing_ok=True)


def main(run: Callable[[Job], None]) -> int:
    """Learn the job named on the command line; what forbids a model is said in `failure.json`.

    Returns:
        The process's exit code: 0 a model, 1 none.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    job = Job.read(Path(sys.argv[1]))
    try:
        run(job)
    except ModelError as error:
        failure = {"error": type(error).__name__, "message": str(error)}
        write_json(job.folder / "failure.json", failure)
        logging.error("%s: %s", type(error).__name__, error)
        return 1
    return 0
