"""The process that learns it: `python -m models.shifted_naive.worker JOB.json`.

Shape suffixes: B rows.
"""

import sys

import numpy as np
import pyarrow.parquet as pq
from models.columns import numeric_matrix
from models.errors import DataRefused
from models.files import write_json
from models.job import Job, main
from models.tasks import Forecast
from tests.model.toys.shifted_naive import SHIFT
from tests.model.toys.shifted_naive.settings import ShiftedNaive


def run(job: Job) -> None:
    """Leave the quantiles of the naive forecast's errors.

    Raises:
        DataRefused: there are no rows to learn from.
    """
    task, settings = job.spec.task, job.spec.settings
    assert isinstance(task, Forecast)
    assert isinstance(settings, ShiftedNaive)
    rows = pq.read_table(job.tables["training"])
    if not rows.num_rows:
        raise DataRefused("there are no training rows; widen the interval they come from")
    naive_B = numeric_matrix(rows, [task.naive])[:, 0].astype(float)
    error_B = task.encode(job.label, rows[job.label]) - naive_B
    job.artifact.mkdir(parents=True, exist_ok=True)
    shift = settings.share * np.quantile(error_B, task.quantiles)
    write_json(job.artifact / SHIFT, {"shift": shift.tolist()})
    facts = {"num_processes": 1, "num_training_rows": rows.num_rows}
    job.finish({"history": [], "facts": facts})


if __name__ == "__main__":
    sys.exit(main(run))
