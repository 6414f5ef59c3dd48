"""The process that learns both stages: `python -m models.two_stage.worker JOB.json`."""

import logging
import sys
import time
from typing import Any

import lightgbm
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from models.errors import DataRefused
from models.files import write_atomically
from models.job import Job, main
from models.tasks import Ranking
from models.trees import inputs
from models.trees.inputs import Categories
from models.two_stage import CATEGORIES, RANKER, catalogue, folder, learning, past, ranker, ratings
from models.two_stage.candidates import Retrievers
from models.two_stage.catalogue import Catalogue
from models.two_stage.ratings import Ratings
from models.two_stage.settings import TwoStage

log = logging.getLogger(__name__)

# A rarer category of a row shares a code with those never seen.
_CATEGORY_ROWS_MIN = 20


def run(job: Job) -> None:
    """Learn the ranker of what was known then, and the retrievers of what is known now.

    Raises:
        DataRefused: there are no rows to learn from, or to stop by.
        ModelRefused: the index finds too few of the nearest items.
    """
    began = time.monotonic()
    settings = job.spec.settings
    assert isinstance(settings, TwoStage)  # noqa: S101  the job's family is this one
    training, validation = (_rows(job, role) for role in ("training", "validation"))
    items = catalogue.listed(_table(job, settings.sources.items), settings.sources)
    taken = ratings.read(_table(job, settings.sources.ratings), settings.sources, items)
    known = inputs.categories(training, job.spec.columns, _CATEGORY_ROWS_MIN)
    booster, rounds, facts = _ranker(job, settings, (training, validation), known, items, taken)
    now = learning.fitted(taken, items, settings.retrieval, settings.seed)
    _write(job, now.retrievers, settings, taken)
    inputs.write(job.artifact / CATEGORIES, known)
    text = booster.model_to_string(num_iteration=booster.best_iteration)
    write_atomically(job.artifact / RANKER, text.encode())
    epochs = ({"epoch": at, "training_loss": loss} for at, loss in enumerate(now.losses))
    history = [*({"booster": "towers", **each} for each in epochs), *rounds]
    facts |= {
        "num_processes": 1,
        "num_training_rows": training.num_rows,
        "num_ratings": len(taken),
        "num_items": len(items),
        "index_recall": now.index_recall,
        "seconds": round(time.monotonic() - began, 2),
    }
    job.finish({"history": history, "facts": facts})


def _write(job: Job, retrievers: Retrievers, settings: TwoStage, taken: Ratings) -> None:
    job.artifact.mkdir(parents=True, exist_ok=True)
    folder.write_learned(job.artifact, retrievers, settings)
    known = catalogue.statistics(taken, len(retrievers.catalogue), taken.end)
    folder.write_refreshed(job.artifact, retrievers, known)


def _ranker(
    job: Job,
    settings: TwoStage,
    parts: tuple[pa.Table, pa.Table],
    known: Categories,
    items: Catalogue,
    taken: Ratings,
) -> tuple[lightgbm.Booster, list[dict[str, Any]], dict[str, Any]]:
    """The trees, their rounds, and facts for the reader."""
    spec = job.spec
    assert isinstance(spec.task, Ranking)  # noqa: S101  the family has seen to it
    rows = past.Rows.after(parts[0], job, settings, known, items, taken)
    training, validation = (rows.judged(part) for part in parts)
    booster, rounds = ranker.fitted(
        training,
        validation,
        len(spec.columns.categorical),
        settings.ranker,
        spec.task.k,
        settings.seed,
        job.num_threads,
    )
    facts = {
        "num_ranker_rows": training.num_rows,
        "num_ranker_ratings": len(taken.before(rows.since)),
        "candidate_recall": validation.recall,
        "best_iteration": booster.best_iteration,
    }
    return booster, rounds, facts


def _rows(job: Job, role: str) -> pa.Table:
    table = pq.read_table(job.tables[role])
    if not table.num_rows:
        raise DataRefused(f"there are no {role} rows; widen the interval they come from")
    return table


def _table(job: Job, role: str) -> Any:
    if role not in job.tables:
        raise DataRefused(
            f"there is no table {role!r} beside the rows, only {', '.join(job.tables)}; name it in "
            "the model's `tables`, or another one in the settings' `sources`"
        )
    return job.tables[role]


if __name__ == "__main__":
    sys.exit(main(run))
