"""A small table with a label for each task, and jobs that learn from it."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.columns import Columns
from models.family import Settings
from models.job import Job
from models.spec import ModelSpec
from models.tasks import Binary, Multiclass, Regression, Task
from models.trees.settings import Trees

COLUMNS = Columns(numeric=("x", "z"), categorical=("c", "d"))
LABELS: dict[str, Task] = {
    "yes": Binary(),
    "kind": Multiclass(classes=("low", "mid", "high")),
    "much": Regression(),
}
TREES = Trees(num_rounds=400, patience=10, min_rows=20, learning_rate=0.1)


def made(num_rows: int, seed: int) -> pa.Table:
    """A third of `z` is missing; `d` has rare values, and some that are missing."""
    random = np.random.default_rng(seed)
    x, z = random.normal(size=num_rows), random.normal(size=num_rows)
    c = random.choice(["a", "b", "c"], num_rows, p=[0.6, 0.3, 0.1])
    d = random.choice(["u", "v", "w", "rare", None], num_rows, p=[0.4, 0.3, 0.2, 0.01, 0.09])
    is_gone = random.random(num_rows) < 1 / 3
    known = x + 2 * (c == "b") + 0.5 * np.where(is_gone, 1, z) + (d == "v")
    value = known + random.normal(size=num_rows)
    return pa.table(
        {
            "x": x,
            "z": pa.array(z, mask=is_gone),
            "c": c,
            "d": pa.array(d, pa.string()),
            "yes": value > 1,
            "kind": np.where(value < 0, "low", np.where(value < 2, "mid", "high")),
            "much": value * 10,
            "day": random.integers(0, 14, num_rows),
        }
    )


def job_of(folder: Path, label: str, settings: Settings, **changes: Any) -> Job:
    """A job with its rows, 1,500 to learn from unless said otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"training": changes.pop("training", None), "validation": None}
    for seed, (name, num_rows) in enumerate((("training", 1500), ("validation", 500))):
        table = made(num_rows, seed) if parts[name] is None else parts[name]
        pq.write_table(table, folder / f"{name}.parquet")
    return Job(
        spec=ModelSpec(columns=COLUMNS, task=LABELS[label], settings=settings),
        label=label,
        tables={name: folder / f"{name}.parquet" for name in parts},
        folder=folder,
        **changes,
    )


def learn_here(job: Job, _: str) -> None:
    """In place of `members._run`: a member is learned in this process, which is quicker."""
    job.folder.mkdir(parents=True, exist_ok=True)
    import_module(f"models.{job.spec.settings.family}.worker").run(job)
