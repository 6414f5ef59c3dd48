"""The process that learns forecasts that add up: `python -m models.reconciled.worker JOB.json`.

Shape suffixes: B rows.
"""

import sys
import time

import numpy as np
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from models import members
from models.groups import Groups
from models.job import Job, main
from models.reconciled import MEMBER, VARIANCES
from models.reconciled.settings import Reconciled
from models.tasks import Forecast
from models.tasks.regression import MIDDLE

# A series that was never off would never give way, and two of them could not be reconciled.
_VARIANCE_MIN = 1e-6


def run(job: Job) -> None:
    """Learn the member, then how far off it is on the validation rows of each series.

    Raises:
        ModelError: the member could not be learned.
    """
    began = time.monotonic()
    settings = job.spec.settings
    assert isinstance(settings, Reconciled)  # noqa: S101  the job's family is this one
    job.artifact.mkdir(parents=True, exist_ok=True)
    digests = {members.place(MEMBER): members.learn(job, MEMBER, settings.member, job.tables)}
    variances = _variances(job, settings, digests)
    variances.write(job.artifact / VARIANCES)
    facts = {"num_series": len(variances.numbers), "seconds": round(time.monotonic() - began, 2)}
    job.finish({"history": [], "facts": facts, "members": digests})


def _variances(job: Job, settings: Reconciled, digests: dict[str, str]) -> Groups:
    """The mean squared error of each series; a series is the part of a level of one whole."""
    task, table = job.spec.task, pq.read_table(job.tables["validation"])
    assert isinstance(task, Forecast)  # noqa: S101  the family takes no other
    assert task.levels is not None  # noqa: S101  nor one without levels
    models = members.opened(
        job.artifact, digests, job.bases, num_threads=job.num_threads, device=job.device
    )
    middle_B = task.outputs(models[MEMBER].score(table))[:, MIDDLE]
    squared_B = (task.encode(job.label, table[job.label]) - middle_B) ** 2
    names = {task.levels.column, *task.levels.by}
    series = [name for name in job.spec.columns.categorical if name in names]
    return Groups.learned(
        table,
        series,
        lambda rows: [max(float(np.mean(squared_B[rows])), _VARIANCE_MIN)],
        settings.num_rows_min,
    )


if __name__ == "__main__":
    sys.exit(main(run))
