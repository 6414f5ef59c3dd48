"""The process that trains, one a rank: `torchrun ... -m models.tabular_net.worker JOB.json`.

Rank 0 writes the results into the job's folder, atomically, and `checkpoints/` on the way. Alone,
`python -m models.tabular_net.worker JOB.json` does the same in one process.
"""

import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from models.files import write_atomically
from models.job import Job, main
from models.tabular_net import FILE
from models.tabular_net.checkpoint import Checkpoints
from models.tabular_net.data import Rows, to_rows
from models.tabular_net.fit import Fitted, fit
from models.tabular_net.heads import Head, head
from models.tabular_net.net import Net
from models.tabular_net.preprocess import Statistics, count_unknown, fit_statistics
from models.tabular_net.ranks import Ranks, joined
from models.tabular_net.settings import TabularNet


def run(job: Job, ranks: Ranks) -> None:
    """Train as one of the ranks; rank 0 writes the results.

    Raises:
        ModelError: there is no model.
    """
    began = time.monotonic()
    checkpoints = job.folder / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    spec, settings = job.spec, job.spec.settings
    assert isinstance(settings, TabularNet)  # noqa: S101  the job's family is this one
    training, validation = (_read(job, role) for role in ("training", "validation"))
    statistics = fit_statistics(training, spec.columns, settings.preprocessing)
    learned, held_out = (_rows(job, table, statistics) for table in (training, validation))
    means = head(spec.task, learned.label_B.numpy().astype(float))
    net = Net(statistics, settings.architecture, spec.task.num_outputs, settings.optimisation.seed)
    fitted = fit(
        net,
        means,
        learned,
        held_out,
        settings.optimisation,
        ranks=ranks,
        checkpoints=Checkpoints(checkpoints, settings.checkpoint_every_steps),
    )
    if ranks.rank != 0:
        return
    facts = {
        "num_processes": ranks.size,
        "num_training_rows": training.num_rows,
        "num_unknown_categories": count_unknown(validation, spec.columns, statistics),
        "seconds": round(time.monotonic() - began, 2),
    }
    write(job, statistics, means, fitted, facts)


def write(
    job: Job, statistics: Statistics, means: Head, fitted: Fitted, facts: Mapping[str, Any]
) -> None:
    """Write the net, then the result."""
    # onnx: a second of CPU that no other rank needs, and no rank at its start.
    from models.tabular_net import onnx_export, onnx_file

    model = onnx_export.to_onnx(fitted.net.cpu(), means, job.spec.columns, statistics)
    onnx_file.check(model)
    job.artifact.mkdir(exist_ok=True)
    write_atomically(job.artifact / FILE, model)
    result = {
        "history": [asdict(epoch) for epoch in fitted.history],
        "facts": {
            **facts,
            "best_epoch": fitted.best_epoch,
            "uninformative_columns": _uninformative(job, statistics),
        },
    }
    job.finish(result)


def _read(job: Job, role: str) -> pa.Table:
    return pq.read_table(job.tables[role], columns=[*job.spec.columns.inputs, job.label])


def _rows(job: Job, table: pa.Table, statistics: Statistics) -> Rows:
    label_B = job.spec.task.encode(job.label, table[job.label])
    return to_rows(table, job.spec.columns, statistics, label_B)


def _uninformative(job: Job, statistics: Statistics) -> list[str]:
    """Number columns of at most one value in training: nothing can be learned from them (B21)."""
    flat_F = np.asarray(statistics.edges_FE[:, 0] == statistics.edges_FE[:, -1])
    pairs = zip(job.spec.columns.numeric, flat_F, strict=True)
    return [name for name, is_flat in pairs if is_flat]


def _run_as_rank(job: Job) -> None:
    with joined(job.device, job.timeout_seconds) as ranks:
        run(job, ranks)


if __name__ == "__main__":
    sys.exit(main(_run_as_rank))
