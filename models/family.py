"""What every family is: how a model is learned, and how its artifact is opened and asked.

A family is a package of this folder whose `FAMILY` is one of these; `models/families.py` names it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import Columns
from models.plain import Plain
from models.tasks.task import Task

if TYPE_CHECKING:
    from models.artifact import Manifest

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Settings(Plain):
    """How a family learns one model."""

    family: ClassVar[str]


class Scorer(ABC):
    """An opened model: rows in, answers out.

    Args:
        asked: what it reads of a row; a row may have more.
        answer: the fields of an answer.
    """

    asked: pa.Schema
    answer: pa.Schema

    @abstractmethod
    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:
        """An answer a row, in the order of the rows; rows of whole units where the task needs it.

        Raises:
            DataRefused: a column is absent or of the wrong kind.
        """

    @property
    def requires(self) -> frozenset[str]:
        """What the models inside it need beyond its own family."""
        return frozenset()

    def close(self) -> None:  # noqa: B027  # most hold nothing
        """Let go of what it holds."""


class Family(ABC):
    """A way to learn.

    Args:
        name: of its package.
        settings: the type of its models' settings.
        files: what an artifact may hold, as patterns of paths in its folder, and how many bytes
            each at most; nothing else is opened. What a member holds is its own family's to say.
        requires: packages, beyond those of `pipelines`, without which it can't be opened.
    """

    name: str
    settings: type[Settings]
    files: Mapping[str, int]
    requires: Sequence[str] = ()

    def refusal(self, task: Task, columns: Columns, settings: Settings) -> str:  # noqa: ARG002
        """Why it can't learn such a task from such columns so, in words; empty: it can."""
        return ""

    @abstractmethod
    def command(self, job: Path, *, num_processes: int) -> list[str]:
        """The argument list that learns a job (`models.job.Job`) on this machine.

        The process leaves `artifact/` and `result.json` in the job's folder, or `failure.json`.
        """

    @abstractmethod
    def open(
        self,
        folder: Path,
        manifest: "Manifest",
        bases: Mapping[str, Path] = NOTHING,
        *,
        num_threads: int = 1,
        device: str = "cpu",
    ) -> Scorer:
        """Open an artifact whose files are those of its manifest, without a training library.

        Args:
            bases: the files that the manifest names by their digest and does not hold.

        Raises:
            ModelRefused: a file is not of the shape that this family writes.
        """

    def settings_to_json(self, settings: Settings) -> dict[str, Any]:
        """Its settings as plain values."""
        return settings.to_json()

    def settings_from_json(self, values: Mapping[str, Any]) -> Settings:
        """Read what `settings_to_json` gave."""
        return self.settings.from_json(values)


class Refreshed(Family):
    """A family whose artifact takes in what is new without a training, such as an index."""

    @abstractmethod
    def refresh(
        self, folder: Path, manifest: "Manifest", tables: Mapping[str, Path]
    ) -> Mapping[str, Any]:
        """Change the files of a copy of an artifact; it is sealed again afterwards.

        Args:
            tables: Parquet files, by the names of the tables that the model learns from.

        Returns:
            Numbers and names for the reader, such as how many items are new.

        Raises:
            ModelRefused: it would answer worse than its family allows; the copy is thrown away.
        """
