"""The process that learns trees: `python -m models.trees.worker JOB.json`."""

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any

import lightgbm
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from models import margins
from models.errors import DataRefused
from models.files import write_atomically
from models.job import Job, main
from models.tasks import Binary, Multiclass, Regression, Task
from models.tasks.task import Array
from models.trees import CATEGORIES, TREES, inputs
from models.trees.scoring import Boosters, booster_names
from models.trees.settings import Trees

log = logging.getLogger(__name__)


def run(job: Job) -> None:
    """Learn each booster until its validation loss no longer falls; write them.

    Raises:
        DataRefused: there are no rows to learn from, or to stop by.
    """
    began = time.monotonic()
    spec, settings = job.spec, job.spec.settings
    assert isinstance(settings, Trees)  # noqa: S101  the job's family is this one
    training, validation = (_read(job, role) for role in ("training", "validation"))
    known = inputs.categories(training, spec.columns, settings.min_category_rows)
    learned, held_out = (_dataset(job, table, known) for table in (training, validation))
    job.artifact.mkdir(parents=True, exist_ok=True)
    inputs.write(job.artifact / CATEGORIES, known)
    history: list[dict[str, Any]] = []
    boosters: dict[str, lightgbm.Booster] = {}
    for name, objective in zip(booster_names(spec.task), _objectives(spec.task), strict=True):
        booster, losses = _boosted(job, settings, objective, learned, held_out)
        boosters[name] = booster
        text = booster.model_to_string(num_iteration=booster.best_iteration)
        write_atomically(job.artifact / TREES.format(name=name), text.encode())
        history += [{"booster": name, "epoch": at, **loss} for at, loss in enumerate(losses)]
    if isinstance(spec.task, Regression):
        own = Boosters([*boosters.values()], known, spec.columns, spec.task, job.num_threads)
        margin_Q = margins.learned(spec.task, held_out[1], own.outputs(held_out[0]))
        margins.write(job.artifact, margin_Q)
    facts = {
        "num_processes": 1,
        "num_training_rows": training.num_rows,
        "best_iterations": {name: each.best_iteration for name, each in boosters.items()},
        "seconds": round(time.monotonic() - began, 2),
    }
    job.finish({"history": history, "facts": facts})


def _read(job: Job, role: str) -> pa.Table:
    table = pq.read_table(job.tables[role], columns=[*job.spec.columns.inputs, job.label])
    if not table.num_rows:
        raise DataRefused(f"there are no {role} rows; widen the interval they come from")
    return table


def _dataset(job: Job, table: pa.Table, known: inputs.Categories) -> tuple[Array, Array]:
    label_B = job.spec.task.encode(job.label, table[job.label])
    return inputs.matrix(table, job.spec.columns, known), label_B


def _objectives(task: Task) -> list[Mapping[str, Any]]:
    match task:
        case Binary():
            return [{"objective": "binary", "metric": "binary_logloss"}]
        case Multiclass():
            classes = {"num_class": task.num_outputs, "metric": "multi_logloss"}
            return [{"objective": "multiclass", **classes}]
        case Regression():
            return [
                {"objective": "quantile", "alpha": share, "metric": "quantile"}
                for share in task.quantiles
            ]
    raise ValueError(f"trees have no objective for the task {task.name}")


def _boosted(
    job: Job,
    settings: Trees,
    objective: Mapping[str, Any],
    learned: tuple[Array, Array],
    held_out: tuple[Array, Array],
) -> tuple[lightgbm.Booster, list[dict[str, float]]]:
    """A booster, and its losses by round."""
    columns = job.spec.columns
    places = range(len(columns.numeric), len(columns.inputs))
    training = lightgbm.Dataset(*learned, categorical_feature=list(places))
    validation = training.create_valid(*held_out)
    found: dict[str, dict[str, list[float]]] = {}
    booster = lightgbm.train(
        {**_parameters(settings, job.num_threads), **objective},
        training,
        settings.num_rounds,
        valid_sets=[training, validation],
        valid_names=["training", "validation"],
        callbacks=[
            lightgbm.early_stopping(settings.patience, verbose=False),
            lightgbm.record_evaluation(found),
        ],
    )
    losses = [next(iter(found[part].values())) for part in ("training", "validation")]
    names = ("training_loss", "validation_loss")
    rounds = [dict(zip(names, pair, strict=True)) for pair in zip(*losses, strict=True)]
    log.info("%d rounds, the best is %d", len(rounds), booster.best_iteration)
    return booster, rounds


def _parameters(settings: Trees, num_threads: int) -> dict[str, Any]:
    """LightGBM's words; `deterministic` and one layout, so that equal rows give equal trees."""
    return {
        "seed": settings.seed,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.num_leaves,
        "min_data_in_leaf": settings.min_rows,
        "feature_fraction": settings.column_share,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "lambda_l2": settings.l2,
        "num_threads": num_threads,
        "deterministic": True,
        "force_row_wise": True,
        "first_metric_only": True,
        "verbose": -1,
    }


if __name__ == "__main__":
    sys.exit(main(run))
