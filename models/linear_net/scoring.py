"""A linear net, opened from JSON and asked by numpy.

Shape suffixes: B rows, L hours of history, H steps ahead, F other inputs, G series, Q quantiles.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models import margins
from models.columns import Columns
from models.errors import ModelRefused
from models.family import NOTHING, Scorer
from models.files import write_json
from models.groups import Groups
from models.linear_net import NET, SCALES
from models.linear_net.inputs import Inputs
from models.tasks import Task
from models.tasks.task import Array

_PARTS = ("history_HLQ", "step_HQ", "other_FQ", "series_GQ")


@dataclass(frozen=True)
class Net:
    """The weights: what each quantile is off the naive forecast, in scales of the series."""

    history_HLQ: Array
    step_HQ: Array
    other_FQ: Array
    series_GQ: Array

    def outputs(self, past_BL: Array, step_B: Array, other_BF: Array, series_B: Array) -> Array:
        """The quantiles, [B, Q], of which two may cross."""
        off_BQ: Array = other_BF @ self.other_FQ + self.step_HQ[step_B] + self.series_GQ[series_B]
        for step in np.unique(step_B):
            rows = step_B == step
            off_BQ[rows] += past_BL[rows] @ self.history_HLQ[step]
        return off_BQ

    def to_json(self) -> dict[str, Any]:
        """Plain lists."""
        return {name: getattr(self, name).tolist() for name in _PARTS}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> Self:
        """Read what `to_json` gave.

        Raises:
            ValueError: a part is missing, of another shape, or holds what is no number.
        """
        parts = [np.array(values[name], float).reshape(shapes[name]) for name in _PARTS]
        if not all(np.isfinite(part).all() for part in parts):
            raise ValueError("a weight is no finite number")
        return cls(*parts)


class Ahead(Scorer):
    """The naive forecast, moved by the net and by `margin_Q`."""

    def __init__(
        self,
        net: Net,
        inputs: Inputs,
        scales: Groups,
        columns: Columns,
        task: Task,
        margin_Q: Array,
    ) -> None:
        self.asked, self.answer = columns.schema, task.answer
        self._net, self._inputs, self._scales = net, inputs, scales
        self._task, self._margin_Q = task, margin_Q

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:  # noqa: ARG002
        return self._task.answered(np.sort(self.outputs(table) + self._margin_Q, 1))

    def outputs(self, table: pa.Table) -> Array:
        """Low, middle and high in order, [B, Q], before anything is added to them."""
        inputs, scale_B = self._inputs, self._scales.of(table)[:, 0]
        off_BQ = self._net.outputs(
            inputs.history_of(table, scale_B),
            inputs.steps_of(table),
            inputs.others_of(table),
            self._scales.places(table),
        )
        said: Array = inputs.naive_of(table)[:, None] + scale_B[:, None] * np.sort(off_BQ, 1)
        return said


def write(folder: Path, net: Net, inputs: Inputs, scales: Groups) -> None:
    """Keep all but the margins."""
    write_json(folder / NET, {"inputs": inputs.to_json(), "weights": net.to_json()})
    scales.write(folder / SCALES)


def load(folder: Path, columns: Columns, task: Task) -> Ahead:
    """Open a folder of ours.

    Raises:
        ModelRefused: a file is not of our shape, or of other columns than it is said to be.
    """
    scales = Groups.read(folder / SCALES, columns, num_numbers=1)
    try:
        found = json.loads((folder / NET).read_text())
        inputs = Inputs.from_json(found["inputs"])
        net = Net.from_json(found["weights"], shapes(inputs, len(scales.numbers)))
        read = {inputs.naive, *inputs.history, inputs.horizon, *inputs.calendar, *inputs.numbers}
        fits = read == set(columns.numeric)
    except (KeyError, OSError, TypeError, ValueError):
        fits = False
    if not fits:
        raise ModelRefused(
            f"{NET} holds no net of the model's {len(columns.numeric)} numbers; restore it, or "
            "roll back to an earlier version"
        )
    return Ahead(net, inputs, scales, columns, task, margins.read(folder))


def shapes(inputs: Inputs, num_series: int) -> dict[str, tuple[int, ...]]:
    """Of each part of the weights."""
    num_steps, num_quantiles = len(inputs.steps), 3
    return {
        "history_HLQ": (num_steps, len(inputs.history), num_quantiles),
        "step_HQ": (num_steps, num_quantiles),
        "other_FQ": (inputs.num_others, num_quantiles),
        "series_GQ": (num_series, num_quantiles),
    }
