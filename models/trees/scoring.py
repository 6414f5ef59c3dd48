"""Boosted trees, opened from LightGBM's own text.

Shape suffixes: B rows, O outputs.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models import margins
from models.columns import Columns
from models.family import NOTHING, Scorer
from models.tasks import Regression, Task
from models.tasks.task import Array
from models.trees import CATEGORIES, TREES, inputs, text
from models.trees.inputs import Categories


def booster_names(task: Task) -> tuple[str, ...]:
    """The boosters of a task: a quantile each, or one."""
    return tuple(task.answer.names) if isinstance(task, Regression) else ("answer",)


class Boosters(Scorer):
    """One booster, or one a quantile; then `margin_Q` is added to the quantiles."""

    def __init__(
        self,
        boosters: Sequence[lightgbm.Booster],
        known: Categories,
        columns: Columns,
        task: Task,
        num_threads: int,
        margin_Q: Array | None = None,
    ) -> None:
        self.asked, self.answer = columns.schema, task.answer
        self._boosters, self._known, self._columns = boosters, known, columns
        self._task, self._num_threads, self._margin_Q = task, num_threads, margin_Q

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:  # noqa: ARG002
        x_BF = inputs.matrix(table, self._columns, self._known)
        if not len(x_BF):
            return self._task.answered(np.empty((0, self._task.num_outputs)))
        return self._task.answered(self.outputs(x_BF))

    def outputs(self, x_BF: Array) -> Array:
        """The numbers of each answer, [B, O]."""
        output_BO = np.column_stack([self._said(booster, x_BF) for booster in self._boosters])
        if not isinstance(self._task, Regression):
            return output_BO
        # Each quantile has its own trees, so that two may cross: in order they are no worse
        # (Chernozhukov et al., "Quantile and Probability Curves without Crossing", 2010).
        ordered_BQ: Array = np.sort(output_BO, 1)
        return ordered_BQ if self._margin_Q is None else np.sort(ordered_BQ + self._margin_Q, 1)

    def _said(self, booster: lightgbm.Booster, x_BF: Array) -> Array:
        said: Array = np.asarray(booster.predict(x_BF, num_threads=self._num_threads))
        return said


def load(folder: Path, columns: Columns, task: Task, num_threads: int) -> Boosters:
    """Open a folder of ours.

    Raises:
        ModelRefused: a file is not of our shape, or of other columns than it is said to be.
    """
    known = inputs.read(folder / CATEGORIES, columns)
    paths = [folder / TREES.format(name=name) for name in booster_names(task)]
    num_outputs = 1 if isinstance(task, Regression) else task.num_outputs
    boosters = [text.booster(path, len(columns.inputs), num_outputs) for path in paths]
    margin_Q = margins.read(folder) if isinstance(task, Regression) else None
    return Boosters(boosters, known, columns, task, num_threads, margin_Q)
