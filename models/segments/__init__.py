"""A model for each value of a category, and a fallback, learned on all rows, for the rest."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from models import members
from models.columns import Columns, text_column
from models.errors import ModelRefused
from models.family import NOTHING, Family, Scorer, Settings
from models.segments.settings import Segments
from models.tasks import Task

if TYPE_CHECKING:
    from models.artifact import Manifest, Model

SEGMENTS = "segments.json"
FALLBACK = "fallback"


class SegmentedModels(Family):
    """The members learn one after the other, each as its own family does."""

    name = Segments.family
    settings = Segments
    files: Mapping[str, int] = {SEGMENTS: 2**20}

    def refusal(self, task: Task, columns: Columns, settings: Settings) -> str:
        if task.together:
            return f"segments part single rows, and {task.name} is asked by whole units"
        assert isinstance(settings, Segments)  # noqa: S101  of this family
        if settings.column not in columns.categorical:
            return (
                f"Segments.column: {settings.column!r} is no categorical column of the model; it "
                f"has {', '.join(columns.categorical) or 'none'}"
            )
        return members.refusal(task, columns, {"of each segment": settings.member})

    def command(self, job: Path, *, num_processes: int) -> list[str]:  # noqa: ARG002
        return [sys.executable, "-m", "models.segments.worker", str(job)]

    def open(
        self,
        folder: Path,
        manifest: "Manifest",
        bases: Mapping[str, Path] = NOTHING,
        *,
        num_threads: int = 1,
        device: str = "cpu",
    ) -> Scorer:
        models = members.opened(
            folder, manifest.members, bases, num_threads=num_threads, device=device
        )
        column, names = _parted(folder / SEGMENTS, models, manifest.columns)
        return Parted(manifest.task, manifest.columns, column, names, models)

    def settings_to_json(self, settings: Settings) -> dict[str, Any]:
        return members.settings_to_json(settings)

    def settings_from_json(self, values: Mapping[str, Any]) -> Settings:
        return members.settings_from_json(Segments, values)


class Parted(Scorer):
    """Each row is answered by the model of its segment."""

    def __init__(
        self,
        task: Task,
        columns: Columns,
        column: str,
        names: Mapping[str, str],
        models: "Mapping[str, Model]",
    ) -> None:
        self.asked, self.answer = columns.schema, task.answer
        self._task, self._column, self._names, self._models = task, column, names, models

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:
        value_B = text_column(table, self._column).combine_chunks()
        known = list(self._names)
        segment_B = pc.fill_null(pc.index_in(value_B, value_set=pa.array(known, pa.string())), -1)
        segment_B = segment_B.to_numpy()
        output_BO = np.empty((table.num_rows, self._task.num_outputs))
        for segment in np.unique(segment_B):
            name = FALLBACK if segment < 0 else self._names[known[segment]]
            rows = np.flatnonzero(segment_B == segment)
            said = self._models[name].score(table.take(rows), options)
            output_BO[rows] = self._task.outputs(said)
        return self._task.answered(output_BO)

    @property
    def requires(self) -> frozenset[str]:
        return frozenset().union(*(model.requires for model in self._models.values()))

    def close(self) -> None:
        for model in self._models.values():
            model.close()


def _parted(
    path: Path, models: "Mapping[str, Model]", columns: Columns
) -> tuple[str, Mapping[str, str]]:
    """The column, and the member of each of its values.

    Raises:
        ModelRefused: the file does not name a category of the model, and a member of each value.
    """
    try:
        found = json.loads(path.read_text())
        column, names = str(found["column"]), dict(found["members"])
        fits = column in columns.categorical and {FALLBACK, *names.values()} == set(models)
    except (KeyError, OSError, TypeError, ValueError):
        fits = False
    if not fits:
        raise ModelRefused(
            f"{path.name} does not say who answers what; restore it, or roll back to an earlier "
            "version"
        )
    return column, names


FAMILY: Any = SegmentedModels()
