"""Answers by three numbers and a row's naive forecast.

Shape suffixes: B rows.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from models.columns import Columns, numeric_matrix
from models.errors import ModelRefused
from models.family import NOTHING, Scorer
from models.tasks import Forecast, Task


class Shifted(Scorer):
    """The naive forecast and the quantiles of its errors."""

    def __init__(self, shift: list[float], columns: Columns, task: Forecast) -> None:
        self.asked, self.answer = columns.schema, task.answer
        self.shift, self.task = shift, task

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:
        naive_B = numeric_matrix(table, [self.task.naive])[:, 0].astype(float)
        return self.task.answered(naive_B[:, None] + np.array(self.shift))


def load(path: Path, columns: Columns, task: Task) -> Scorer:
    """Open what the worker left.

    Raises:
        ModelRefused: it is of another shape.
    """
    found = json.loads(path.read_text())
    shift = found.get("shift") if isinstance(found, dict) else None
    is_whole = isinstance(shift, list) and len(shift) == task.num_outputs
    if not is_whole or not all(isinstance(each, float) for each in shift):
        raise ModelRefused(f"{path.name} does not hold {task.num_outputs} numbers; restore it")
    assert isinstance(task, Forecast)
    return Shifted(shift, columns, task)
