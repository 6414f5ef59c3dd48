"""A weighted mean of other models' answers; the weights are learned on the validation rows."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models import families, members
from models.blend.settings import Blend
from models.columns import Columns
from models.errors import ModelRefused
from models.family import NOTHING, Family, Scorer, Settings
from models.plain import check_fields
from models.tasks import Task

if TYPE_CHECKING:
    from models.artifact import Manifest, Model

WEIGHTS = "weights.json"
_SUM_TOLERANCE = 1e-6


class Blends(Family):
    """The members learn one after the other, each as its own family does."""

    name = Blend.family
    settings = Blend
    files: Mapping[str, int] = {WEIGHTS: 2**20}

    def refusal(self, task: Task, columns: Columns, settings: Settings) -> str:
        if type(task).losses is Task.losses:
            return f"a blend has no mean of answers to {task.name}; look for another family"
        assert isinstance(settings, Blend)  # noqa: S101  of this family
        return members.refusal(task, columns, settings.members)

    def command(self, job: Path, *, num_processes: int) -> list[str]:  # noqa: ARG002
        return [sys.executable, "-m", "models.blend.worker", str(job)]

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
        return Mean(manifest.task, manifest.columns, models, _weights(folder / WEIGHTS, models))

    def settings_to_json(self, settings: Settings) -> dict[str, Any]:
        assert isinstance(settings, Blend)  # noqa: S101  of this family
        found = {name: families.to_json(each) for name, each in settings.members.items()}
        return {"members": found}

    def settings_from_json(self, values: Mapping[str, Any]) -> Settings:
        check_fields("Blend", values, ("members",))
        found = values["members"].items()
        return Blend(members={name: families.settings_from_json(each) for name, each in found})


class Mean(Scorer):
    """The members' answers, number by number, by their weights."""

    def __init__(
        self,
        task: Task,
        columns: Columns,
        models: "Mapping[str, Model]",
        weights: Mapping[str, float],
    ) -> None:
        self.asked, self.answer = columns.schema, task.answer
        self._task, self._models, self._weights = task, models, weights

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:
        total_BO = np.zeros((table.num_rows, self._task.num_outputs))
        for name, model in self._models.items():
            total_BO += self._weights[name] * self._task.outputs(model.score(table, options))
        return self._task.answered(total_BO)

    @property
    def requires(self) -> frozenset[str]:
        return frozenset().union(*(model.requires for model in self._models.values()))

    def close(self) -> None:
        for model in self._models.values():
            model.close()


def _weights(path: Path, models: "Mapping[str, Model]") -> Mapping[str, float]:
    """A share of each member, together 1.

    Raises:
        ModelRefused: they are not.
    """
    try:
        found = {str(name): float(share) for name, share in json.loads(path.read_text()).items()}
    except (AttributeError, OSError, TypeError, ValueError):
        found = {}
    fits = set(found) == set(models) and all(0 <= share <= 1 for share in found.values())
    if not fits or abs(sum(found.values()) - 1) > _SUM_TOLERANCE:
        raise ModelRefused(
            f"{path.name} does not hold a share of each of {', '.join(models)}; restore it, or "
            "roll back to an earlier version"
        )
    return found


FAMILY: Any = Blends()
