"""Forecasts of another family that add up: airlines to their airport, or whatever the task says."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped]

from models import members
from models.columns import Columns
from models.family import NOTHING, Family, Scorer, Settings
from models.groups import Groups
from models.reconciled.levels import added_up
from models.reconciled.settings import Reconciled
from models.tasks import Forecast, Task

if TYPE_CHECKING:
    from models.artifact import Manifest, Model

VARIANCES = "variances.json"
MEMBER = "forecasts"


class ReconciledForecasts(Family):
    """The member learns as its own family does; then its errors say who gives way to whom."""

    name = Reconciled.family
    settings = Reconciled
    files: Mapping[str, int] = {VARIANCES: 2**20}

    def refusal(self, task: Task, columns: Columns, settings: Settings) -> str:
        if not isinstance(task, Forecast) or task.levels is None:
            return (
                f"nothing says how answers to {task.name} add up: only a Forecast with levels can"
            )
        assert isinstance(settings, Reconciled)  # noqa: S101  of this family
        levels = task.levels
        needed = {levels.column, *([levels.weight] if levels.weight else [])}
        lacking = sorted(needed - set(columns.single.inputs))
        if lacking:
            return f"to add up needs the inputs {', '.join(lacking)}"
        return members.refusal(task, columns, {MEMBER: settings.member})

    def command(self, job: Path, *, num_processes: int) -> list[str]:  # noqa: ARG002
        return [sys.executable, "-m", "models.reconciled.worker", str(job)]

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
        variances = Groups.read(folder / VARIANCES, manifest.columns, num_numbers=1)
        return Added(manifest.task, models[MEMBER], variances)

    def settings_to_json(self, settings: Settings) -> dict[str, Any]:
        return members.settings_to_json(settings)

    def settings_from_json(self, values: Mapping[str, Any]) -> Settings:
        return members.settings_from_json(Reconciled, values)


class Added(Scorer):
    """The member's answers, moved as little as its errors allow until they add up."""

    def __init__(self, task: Task, model: "Model", variances: Groups) -> None:
        assert isinstance(task, Forecast)  # noqa: S101  the family takes no other
        assert task.levels is not None  # noqa: S101  nor one without levels
        self._task, self._levels, self._model, self._variances = task, task.levels, model, variances
        known, instant = model.scorer.asked, pa.timestamp("us", "UTC")
        whole = [pa.field(name, instant) for name in self._levels.by if name not in known.names]
        self.asked, self.answer = pa.schema([*known, *whole]), task.answer

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:
        output_BQ = self._task.outputs(self._model.score(table, options))
        variance_B = self._variances.of(table)[:, 0]
        added_BQ = added_up(self._levels, table, output_BQ, variance_B, self._task.minimum)
        return self._task.answered(added_BQ)

    @property
    def requires(self) -> frozenset[str]:
        return self._model.requires

    def close(self) -> None:
        self._model.close()


FAMILY: Any = ReconciledForecasts()
