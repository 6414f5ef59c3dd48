"""The process that trains, one a rank: `torchrun ... -m models.worker JOB.json`.

Files in: the job, and the Parquet files it names. Files out, in the job's folder, written by rank 0
and atomically: `model.onnx`, `result.json`, `checkpoints/`, or `failure.json` when there is no
model. Alone, `python -m models.worker JOB.json` does the same in one process.
"""

import json
import logging
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from models.checkpoint import Checkpoints, write_atomically, write_json
from models.data import to_rows
from models.errors import ModelError
from models.fit import fit
from models.net import Net
from models.preprocess import count_unknown, fit_statistics
from models.ranks import Ranks, joined
from models.spec import ModelSpec


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training: what, from which rows, into which folder.

    Args:
        spec: the model.
        training: Parquet file of the rows to learn from; the statistics come from them alone.
        validation: Parquet file of the rows that say when to stop.
        folder: where the results go; a run in the same folder goes on from its checkpoints.
        device: cpu (gloo) or cuda (nccl).
        checkpoint_every_steps: how much work a crash may cost.
        timeout_seconds: how long a rank waits for another before it gives up (R21).
    """

    spec: ModelSpec
    training: Path
    validation: Path
    folder: Path
    device: Literal["cpu", "cuda"] = "cpu"
    checkpoint_every_steps: int = 200
    timeout_seconds: float = 120

    def write(self, path: Path) -> None:
        """Write the job for `python -m models.worker PATH`."""
        values = {**asdict(self), "spec": self.spec.to_json()}
        write_atomically(path, json.dumps(values, default=str, indent=2).encode())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote."""
        values = json.loads(path.read_text())
        paths = {name: Path(values[name]) for name in ("training", "validation", "folder")}
        return cls(**{**values, **paths, "spec": ModelSpec.from_json(values["spec"])})


def command(job: Path, *, num_ranks: int, num_restarts: int = 1) -> list[str]:
    """The argument list that trains a job on this machine.

    A rank that dies takes the others down; torchrun starts all again from the last checkpoint,
    `num_restarts` times at most. A hung rank is killed 5 s after the others gave it up.
    """
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--shutdown-timeout=5"]
    ranks = [f"--nproc-per-node={num_ranks}", f"--max-restarts={num_restarts}"]
    return [sys.executable, *torchrun, *ranks, "-m", "models.worker", str(job)]


def run(job: Job, ranks: Ranks) -> None:
    """Train as one of the ranks; rank 0 writes the results.

    Raises:
        ModelError: there is no model; `failure.json` says the same.
    """
    began = time.monotonic()
    checkpoints = job.folder / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    spec, columns = job.spec, job.spec.columns
    training, validation = _read(job.training, spec), _read(job.validation, spec)
    statistics = fit_statistics(training, columns, spec.preprocessing)
    validation_rows = to_rows(validation, columns, statistics)
    fitted = fit(
        Net(statistics, spec.architecture, spec.optimisation.seed),
        to_rows(training, columns, statistics),
        validation_rows,
        spec.optimisation,
        ranks=ranks,
        checkpoints=Checkpoints(checkpoints, job.checkpoint_every_steps),
    )
    if ranks.rank != 0:
        return
    # scikit-learn and onnx: 4 s of CPU that no other rank needs, and no rank at its start.
    from models import results

    facts = {
        "num_ranks": ranks.size,
        "num_training_rows": training.num_rows,
        "num_unknown_categories": count_unknown(validation, columns, statistics),
        "seconds": round(time.monotonic() - began, 2),
    }
    results.write(job.folder, spec, statistics, fitted, validation_rows, facts)


def _read(path: Path, spec: ModelSpec) -> pa.Table:
    return pq.read_table(path, columns=[*spec.columns.inputs, spec.columns.label])


def main() -> int:
    """Exit code 0: a model; 1: none, and `failure.json` says why in one line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    job = Job.read(Path(sys.argv[1]))
    try:
        with joined(job.device, job.timeout_seconds) as ranks:
            run(job, ranks)
    except ModelError as error:
        failure = {"error": type(error).__name__, "message": str(error)}
        write_json(job.folder / "failure.json", failure)
        logging.error("%s: %s", type(error).__name__, error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
