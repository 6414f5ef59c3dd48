"""Who competes: each knows the same ratings, and gives ten films to each user that is asked.

Shape suffixes: B rows, U users, I items.
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from scipy import sparse  # type: ignore[import-untyped]

from benchmarks.picks.splits import Split
from models import artifact, families
from models.columns import Columns
from models.job import Job
from models.spec import ModelSpec
from models.tasks import Ranking
from models.tasks.task import Array
from models.two_stage.candidates import Candidates
from models.two_stage.scoring import Picks, best
from models.two_stage.settings import Ranker, Sources, TwoStage
from pipelines.core.settings import ROOT

TASK = Ranking(k=10, items="films")
COLUMNS = Columns(categorical_lists=("films_rated",), numeric_lists=("ratings_given",))
LABEL = "films_rated_next"
SOURCES = Sources(items="films", item="film_id", tags="genres")
_HALF_LIFE_SECONDS = 30 * 24 * 3600
# The parts of the family, by the score that alone puts their candidates in order.
PARTS: Mapping[str, Callable[[Candidates], Array]] = {
    "similarity alone (EASE)": lambda found: found.similarity_P,
    "towers alone": lambda found: found.tower_P,
    "both, by their mean": lambda found: found.similarity_P + found.tower_P,
}
RANKED = "two stages"


@dataclass(frozen=True)
class Matrices:
    """Known ratings of a split, and who is asked.

    Args:
        film_I: names, in order, which breaks ties.
        row_B: the place of each row's user.
    """

    film_I: Array
    user: pd.Series
    item: Array
    row_B: Array
    shape: tuple[int, int]

    @classmethod
    def of(cls, split: Split) -> "Matrices":
        known = split.known
        film_I, item = np.unique(known["film_id"].to_numpy(str), return_inverse=True)
        users, user = np.unique(known["user_id"].to_numpy(str), return_inverse=True)
        row_B = np.searchsorted(users, np.array(split.test()["user_id"].to_pylist(), str))
        return cls(film_I, user, item, row_B, (len(users), len(film_I)))

    def matrix(self, value: Array) -> Any:
        """A value for each known rating, [U, I]."""
        return sparse.csr_matrix((value, (self.user, self.item)), self.shape)

    def best(self, score_BI: Array) -> list[list[str]]:
        """The ten best of each row that its user has not rated."""
        is_known_BI = self.matrix(np.ones(len(self.item)))[self.row_B].toarray() > 0
        order_BI = np.argsort(-np.where(is_known_BI, -np.inf, score_BI), 1, kind="stable")
        lists: list[list[str]] = self.film_I[order_BI[:, : TASK.k]].tolist()
        return lists


def popular(split: Split) -> list[list[str]]:
    """The films with the most ratings."""
    known = Matrices.of(split)
    count_I = np.bincount(known.item, minlength=known.shape[1])
    return known.best(np.tile(count_I, (len(known.row_B), 1)))


def sar(split: Split) -> list[list[str]]:
    """Jaccard similarity of films, and ratings that halve every 30 days.

    The settings of the comparison table of Microsoft's recommenders (`SARSingleNode`).
    """
    known, ratings = Matrices.of(split), split.known
    age = ratings["given_seconds"].max() - ratings["given_seconds"]
    affinity = (ratings["rating"] * 0.5 ** (age / _HALF_LIFE_SECONDS)).to_numpy()
    taken_UI = known.matrix(np.ones(len(known.item)))
    both_II = (taken_UI.T @ taken_UI).toarray()
    count_I = both_II.diagonal()
    jaccard_II = both_II / (count_I[:, None] + count_I[None] - both_II)
    return known.best(known.matrix(affinity)[known.row_B] @ jaccard_II)


@dataclass(frozen=True)
class Learned:
    """The family, by its own process: its lists and those of its parts."""

    lists: Mapping[str, list[list[str]]]
    facts: Mapping[str, Any]
    seconds_scoring: float


def two_stages(split: Split, films: pd.DataFrame, seed: int) -> Learned:
    """Learn a job as the stage `train` does, open its artifact, and ask."""
    with TemporaryDirectory(prefix="millrace-picks-") as scratch:
        job = _job(split, films, seed, Path(scratch))
        job.write(job.folder / "job.json")
        command = families.find(TwoStage.family).command(job.folder / "job.json", num_processes=1)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        model = artifact.open_folder(job.artifact, job.seal())
        began, rows = time.perf_counter(), split.test()
        answer = model.score(rows)
        seconds = time.perf_counter() - began
        assert isinstance(model.scorer, Picks)
        lists = {**_parts(model.scorer, rows), RANKED: answer[TASK.items].to_pylist()}
        return Learned(lists, job.result["facts"], seconds)


def _parts(scorer: Picks, rows: pa.Table) -> dict[str, list[list[str]]]:
    found = scorer.retrievers.found(scorer.histories(rows))
    film_I = np.array(scorer.retrievers.catalogue.item_I.to_pylist())

    def lists(score_P: Array) -> list[list[str]]:
        places = best(found.row_P, found.item_P, score_P, rows.num_rows, TASK.k)
        return [film_I[items].tolist() for items, _ in places]

    return {name: lists(score(found)) for name, score in PARTS.items()}


def _job(split: Split, films: pd.DataFrame, seed: int, folder: Path) -> Job:
    training, validation = split.training()
    tables = {
        "training": training,
        "validation": validation,
        SOURCES.ratings: _with_instants(split.known, split.known["seconds"]),
        # Since when a film is listed the data does not say.
        SOURCES.items: _with_instants(films, pd.Series(0.0, films.index)),
    }
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    settings = TwoStage(seed=seed, sources=SOURCES, ranker=Ranker(past_share=split.past_share))
    return Job(
        spec=ModelSpec(columns=COLUMNS, task=TASK, settings=settings),
        label=LABEL,
        tables={name: folder / f"{name}.parquet" for name in tables},
        folder=folder,
        num_threads=1,
    )


def _with_instants(table: pd.DataFrame, seconds: pd.Series) -> pa.Table:
    micros = pa.array((seconds * 1e6).astype("int64"), pa.timestamp("us", "UTC"))
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    return arrow.append_column(SOURCES.known_at, micros)
