"""Two airlines at one airport, some steps ahead: parts that add up, to learn forecasts from."""

import numpy as np
import pyarrow as pa

from models.columns import Columns
from models.linear_net.settings import LinearNet
from models.reconciled.settings import Reconciled
from models.seasonal_naive.settings import SeasonalNaive
from models.tasks import Forecast
from models.tasks.levels import Levels
from models.trees.settings import Trees

BY = ("place", "target", "step")
LEVELS = Levels(column="line", whole="all", by=BY)
TASK = Forecast(naive="week_before", published="is_published", levels=LEVELS)
COLUMNS = Columns(
    numeric=("step", "is_published", "week_before", "day_before", "two_before", "planned"),
    categorical=("place", "line"),
)
NET = LinearNet(
    history=("day_before", "two_before"),
    horizon="step",
    num_epochs=30,
    batch_rows=64,
    learning_rate=0.05,
)
NAIVE = SeasonalNaive(by=("line",))
FEW_TREES = Trees(num_rounds=20, patience=5, min_rows=20, learning_rate=0.2)
SUMS = Reconciled(member=FEW_TREES)


def made(num_targets: int, seed: int) -> pa.Table:
    """Of each target the rows of lines a and b and of all, in no order; `day` is the target's.

    A value is the week's before, half of what the day before was off by, and noise; it moves by
    steps. What the day before was is sometimes missing.
    """
    random = np.random.default_rng(seed)
    week = random.gamma(4, 2, (num_targets, 2)) * [1, 3]
    off = random.normal(size=(num_targets, 2)) * [1, 3]
    step = random.integers(1, 7, num_targets)
    value = week + 0.5 * off + step[:, None] / 3 + random.normal(size=week.shape) * 0.3
    planned = random.integers(1, 20, (num_targets, 2))
    is_gone = np.repeat((random.random(num_targets) < 0.1)[:, None], 3, 1).ravel()

    def level(parts: np.ndarray) -> np.ndarray:
        return np.column_stack([parts, parts.sum(1)]).ravel()

    table = pa.table(
        {
            "place": ["X"] * (3 * num_targets),
            "line": ["a", "b", "all"] * num_targets,
            "target": np.repeat(np.arange(num_targets), 3),
            "step": np.repeat(step, 3),
            "is_published": np.repeat(step <= 3, 3),
            "week_before": level(week),
            "day_before": pa.array(level(week + off), mask=is_gone),
            "two_before": level(week - 0.2 * off),
            "planned": level(planned).astype(float),
            "value": level(value),
            "day": np.repeat(np.arange(num_targets) % 12, 3),
        }
    )
    return table.take(random.permutation(table.num_rows))
