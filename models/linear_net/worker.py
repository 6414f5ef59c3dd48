"""The process that learns a linear net: `python -m models.linear_net.worker JOB.json`.

Shape suffixes: B rows, L hours of history, H steps ahead, F other inputs, G series, Q quantiles.
"""

import logging
import sys
import time
from dataclasses import dataclass

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import torch

from models import margins
from models.errors import DataRefused, Diverged
from models.groups import Groups
from models.job import Job, main
from models.linear_net import inputs, scoring
from models.linear_net.inputs import Inputs
from models.linear_net.scoring import Net
from models.linear_net.settings import LinearNet
from models.tasks import Forecast
from models.tasks.task import Array

log = logging.getLogger(__name__)

# A series that the naive forecast always hits has no scale of its own to be measured by.
_SCALE_MIN = 0.05


def run(job: Job) -> None:
    """Learn scales, inputs and weights; write them, with the margins of the validation rows.

    Raises:
        DataRefused: there are no rows to learn from, or to widen intervals by.
        Diverged: the loss became NaN or infinite.
    """
    began = time.monotonic()
    spec, settings = job.spec, job.spec.settings
    assert isinstance(settings, LinearNet)  # noqa: S101  the job's family is this one
    assert isinstance(spec.task, Forecast)  # noqa: S101  the family takes no other
    training, validation = (_read(job, role) for role in ("training", "validation"))
    known = inputs.learned(training, spec.columns, spec.task, settings)
    scales = _scales(job, training, known, settings)
    rows, held_out = (_rows(job, table, known, scales) for table in (training, validation))
    net, history = descended(rows, held_out, settings, job.num_threads, spec.task.quantiles)
    job.artifact.mkdir(parents=True, exist_ok=True)
    scoring.write(job.artifact, net, known, scales)
    model = scoring.Ahead(net, known, scales, spec.columns, spec.task, np.zeros(3))
    label_B = spec.task.encode(job.label, validation[job.label])
    margins.write(job.artifact, margins.learned(spec.task, label_B, model.outputs(validation)))
    facts = {
        "num_processes": 1,
        "num_training_rows": training.num_rows,
        "seconds": round(time.monotonic() - began, 2),
    }
    job.finish({"history": history, "facts": facts})


def _read(job: Job, role: str) -> pa.Table:
    table = pq.read_table(job.tables[role], columns=[*job.spec.columns.inputs, job.label])
    if not table.num_rows:
        raise DataRefused(f"there are no {role} rows; widen the interval they come from")
    return table


def _scales(job: Job, table: pa.Table, known: Inputs, settings: LinearNet) -> Groups:
    """How far off the naive forecast is in the mean, series by series."""
    off_B = np.abs(job.spec.task.encode(job.label, table[job.label]) - known.naive_of(table))
    return Groups.learned(
        table,
        job.spec.columns.categorical,
        lambda rows: [max(float(off_B[rows].mean()), _SCALE_MIN)],
        settings.num_rows_min,
    )


@dataclass(frozen=True)
class Rows:
    """What the net is asked, and the label: off the naive forecast, in scales of its series."""

    past_BL: torch.Tensor
    step_B: torch.Tensor
    other_BF: torch.Tensor
    series_B: torch.Tensor
    target_B: torch.Tensor
    shapes: dict[str, tuple[int, ...]]

    def __len__(self) -> int:
        return len(self.target_B)


def _rows(job: Job, table: pa.Table, known: Inputs, scales: Groups) -> Rows:
    scale_B = scales.of(table)[:, 0]
    label_B = job.spec.task.encode(job.label, table[job.label])
    return Rows(
        _floats(known.history_of(table, scale_B)),
        torch.from_numpy(known.steps_of(table).astype(np.int64)),
        _floats(known.others_of(table)),
        torch.from_numpy(scales.places(table).astype(np.int64)),
        _floats((label_B - known.naive_of(table)) / scale_B),
        scoring.shapes(known, len(scales.numbers)),
    )


def _floats(values: Array) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))


def descended(
    rows: Rows,
    held_out: Rows,
    settings: LinearNet,
    num_threads: int,
    quantiles: tuple[float, float, float],
) -> tuple[Net, list[dict[str, float]]]:
    """The weights after some epochs of Adam on the pinball loss, from 0; and the losses of each.

    Raises:
        Diverged: a loss is NaN or infinite.
    """
    torch.set_num_threads(num_threads)
    torch.use_deterministic_algorithms(True)
    random = torch.Generator().manual_seed(settings.seed)
    weights = {name: torch.zeros(shape, requires_grad=True) for name, shape in rows.shapes.items()}
    num_steps = -(-len(rows) // settings.batch_rows) * settings.num_epochs
    adam = torch.optim.AdamW(weights.values(), weight_decay=settings.weight_decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, settings.learning_rate, num_steps)
    history = []
    for epoch in range(settings.num_epochs):
        lost = 0.0
        order = torch.randperm(len(rows), generator=random)
        for batch in torch.split(order, settings.batch_rows):
            loss = _loss(weights, rows, batch, quantiles)
            adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
            rate.step()
            lost += loss.item() * len(batch) / len(rows)
        with torch.no_grad():
            other = _loss(weights, held_out, torch.arange(len(held_out)), quantiles).item()
        if not np.isfinite([lost, other]).all():
            raise Diverged(f"the loss is {lost}, then {other}; lower LinearNet.learning_rate")
        log.info("epoch %d: training %.4f, validation %.4f", epoch, lost, other)
        history.append({"epoch": epoch, "training_loss": lost, "validation_loss": other})
    return Net(**{name: each.detach().double().numpy() for name, each in weights.items()}), history


def _loss(
    weights: dict[str, torch.Tensor],
    rows: Rows,
    batch: torch.Tensor,
    quantiles: tuple[float, float, float],
) -> torch.Tensor:
    """The mean pinball loss of some rows, in scales of their series."""
    step_B = rows.step_B[batch]
    said_BQ = (
        torch.einsum("bl,blq->bq", rows.past_BL[batch], weights["history_HLQ"][step_B])
        + rows.other_BF[batch] @ weights["other_FQ"]
        + weights["step_HQ"][step_B]
        + weights["series_GQ"][rows.series_B[batch]]
    )
    above_BQ = rows.target_B[batch, None] - said_BQ
    share_Q = torch.tensor(quantiles)
    return torch.maximum(share_Q * above_BQ, (share_Q - 1) * above_BQ).mean()


if __name__ == "__main__":
    sys.exit(main(run))
