"""The process that learns a naive forecast's errors: `python -m models.seasonal_naive.worker JOB`.

Shape suffixes: B rows.
"""

import sys

import numpy as np
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from models.columns import numeric_matrix
from models.errors import DataRefused
from models.groups import Groups
from models.job import Job, main
from models.seasonal_naive import ERRORS
from models.seasonal_naive.settings import SeasonalNaive
from models.tasks import Forecast
from models.tasks.task import Array


def run(job: Job) -> None:
    """Learn how far off the naive forecast was, group by group.

    Raises:
        DataRefused: there are no rows to learn from.
    """
    task, settings = job.spec.task, job.spec.settings
    assert isinstance(task, Forecast)  # noqa: S101  the family takes no other
    assert isinstance(settings, SeasonalNaive)  # noqa: S101  the job's family is this one
    table = pq.read_table(job.tables["training"])
    if not table.num_rows:
        raise DataRefused("there are no training rows; widen the interval they come from")
    naive_B = numeric_matrix(table, (task.naive,))[:, 0].astype(float)
    error_B = task.encode(job.label, table[job.label]) - naive_B
    groups = Groups.learned(
        table,
        settings.by,
        lambda rows: interval(error_B[rows], task.quantiles),
        settings.num_rows_min,
    )
    job.artifact.mkdir(parents=True, exist_ok=True)
    groups.write(job.artifact / ERRORS)
    facts = {"num_processes": 1, "num_training_rows": table.num_rows}
    job.finish({"history": [], "facts": {**facts, "num_groups": len(groups.numbers)}})


def interval(error_B: Array, quantiles: tuple[float, float, float]) -> list[float]:
    """What is added to the naive forecast for low, middle and high: nothing in the middle."""
    low, _, high = np.quantile(error_B, quantiles).tolist()
    return [min(low, 0.0), 0.0, max(high, 0.0)]


if __name__ == "__main__":
    sys.exit(main(run))
