"""The process that learns a blend: `python -m models.blend.worker JOB.json`.

Shape suffixes: M members, B rows, O outputs.
"""

import logging
import sys
import time

import numpy as np
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from scipy.optimize import minimize  # type: ignore[import-untyped]

from models import members
from models.blend import WEIGHTS
from models.blend.settings import Blend
from models.files import write_json
from models.job import Job, main
from models.tasks import Task
from models.tasks.task import Array, Evidence

log = logging.getLogger(__name__)

# The descent ends where a step saves less than this share of the loss.
_PRECISION = 1e-9


def run(job: Job) -> None:
    """Learn the members, then the weights that lower the loss on the validation rows most.

    Raises:
        ModelError: a member could not be learned.
    """
    began = time.monotonic()
    settings = job.spec.settings
    assert isinstance(settings, Blend)  # noqa: S101  the job's family is this one
    job.artifact.mkdir(parents=True, exist_ok=True)
    digests = {
        members.place(name): members.learn(job, name, each, job.tables)
        for name, each in settings.members.items()
    }
    weights = _weights(job, digests)
    write_json(job.artifact / WEIGHTS, weights)
    facts = {"weights": weights, "seconds": round(time.monotonic() - began, 2)}
    job.finish({"history": [], "facts": facts, "members": digests})


def _weights(job: Job, digests: dict[str, str]) -> dict[str, float]:
    task, table = job.spec.task, pq.read_table(job.tables["validation"])
    models = members.opened(
        job.artifact, digests, job.bases, num_threads=job.num_threads, device=job.device
    )
    output_MBO = np.stack([task.outputs(model.score(table)) for model in models.values()])
    label_B = task.encode(job.label, table[job.label])
    weight_M = best_weights(task, label_B, output_MBO)
    log.info("weights: %s", dict(zip(models, weight_M.round(3).tolist(), strict=True)))
    return dict(zip(models, weight_M.tolist(), strict=True))


def best_weights(task: Task, label_B: Array, output_MBO: Array) -> Array:
    """The shares, together 1, whose mean answer has the lowest mean loss.

    The losses are convex in the answers, so that a descent from equal shares finds the lowest. It
    goes by shares of the best member's loss, whatever the label's unit, and where it fails that
    member answers alone.
    """
    num_members = len(output_MBO)
    nobody = np.zeros(len(label_B), int)

    def loss(weight_M: Array) -> float:
        mean_BO = np.tensordot(weight_M, output_MBO, 1)
        return float(task.losses(Evidence(label_B, mean_BO, nobody)).mean())

    alone = list(np.eye(num_members))
    unit = min(map(loss, alone)) or 1.0
    found = minimize(
        lambda weight_M: loss(weight_M) / unit,
        np.full(num_members, 1 / num_members),
        method="SLSQP",
        bounds=[(0, 1)] * num_members,
        constraints={"type": "eq", "fun": lambda weight_M: weight_M.sum() - 1},
        options={"ftol": _PRECISION, "maxiter": 1000},
    )
    kept_M = np.clip(found.x, 0, 1)
    best_M: Array = min([*alone, kept_M / kept_M.sum()], key=loss)
    return best_M


if __name__ == "__main__":
    sys.exit(main(run))
