"""Two stages: the ranker learns from what was known at each of its rows, and from no more."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models.job import Job
from models.trees import inputs
from models.two_stage import catalogue, past, ratings, worker
from models.two_stage.settings import Sources
from tests.model import picks
from tests.model.picks import DAY, SETTINGS


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Job:
    job = picks.job_of(tmp_path_factory.mktemp("learned"))
    worker.run(job)
    job.seal()
    return job


def prepared(job: Job) -> past.Rows:
    """How a job's rows become what the ranker learns from."""
    items = catalogue.listed(job.tables["items"], Sources())
    taken = ratings.read(job.tables["ratings"], Sources(), items)
    rows = pq.read_table(job.tables["training"])
    known = inputs.categories(rows, picks.COLUMNS, 20)
    return past.Rows.after(rows, job, SETTINGS, known, items, taken)


def features_of(job: Job) -> past.Judged:
    """What the ranker of a job learns from."""
    return prepared(job).judged(pq.read_table(job.tables["training"]))


def scrambled(at: int) -> pa.Table:
    """Other items and stars in every rating from an instant on."""
    table = picks.tables()["ratings"]
    random = np.random.default_rng(1)
    is_late = pc.greater_equal(table["known_at"].cast(pa.int64()), at).to_numpy()
    items = table["item_id"].to_numpy(zero_copy_only=False).copy()
    items[is_late] = random.permutation(items[is_late])
    stars = np.where(is_late, 1.0, table["rating"].to_numpy())
    return table.set_column(1, "item_id", pa.array(items)).set_column(2, "rating", pa.array(stars))


def test_the_ranker_learns_from_what_was_known_then(learned: Job, tmp_path: Path) -> None:
    """Whatever is rated after its last row moves nothing; what is rated before does."""
    was = features_of(learned)
    first, last = prepared(learned).since, 55 * DAY
    assert first < last
    assert was.num_rows == (last - first + 5 * DAY) // (5 * DAY) * picks.NUM_MEMBERS
    later = features_of(picks.job_of(tmp_path / "later", ratings=scrambled(last)))
    np.testing.assert_array_equal(later.feature_PF, was.feature_PF)
    np.testing.assert_array_equal(later.candidates.item_P, was.candidates.item_P)
    before = features_of(picks.job_of(tmp_path / "before", ratings=scrambled(first - 10 * DAY)))
    assert (
        before.feature_PF.shape != was.feature_PF.shape
        or (before.feature_PF != was.feature_PF).any()
    )


def test_its_retrievers_know_nothing_of_its_own_days(learned: Job, tmp_path: Path) -> None:
    """The retrievers' scores don't move when all is other from the first row on."""
    was, first = features_of(learned), prepared(learned).since
    found = features_of(picks.job_of(tmp_path, ratings=scrambled(first)))
    np.testing.assert_array_equal(found.candidates.similarity_P, was.candidates.similarity_P)
    np.testing.assert_array_equal(found.candidates.tower_P, was.candidates.tower_P)
    # How popular items are is of each row's day.
    assert (found.feature_PF != was.feature_PF).any()


def test_items_are_no_candidates_before_they_are_listed(learned: Job, tmp_path: Path) -> None:
    late = picks.films().set_column(
        3, "known_at", pa.array([0] * 30 + [52 * DAY] * 30, picks.INSTANT)
    )
    found = features_of(picks.job_of(tmp_path, items=late))
    rows = prepared(learned).late(pq.read_table(learned.tables["training"]))
    at = rows["known_at"].cast(pa.int64()).to_numpy()
    early = found.candidates.item_P[at[found.candidates.row_P] < 52 * DAY]
    assert early.size
    assert early.max() < 30
    assert found.candidates.item_P.max() >= 30
