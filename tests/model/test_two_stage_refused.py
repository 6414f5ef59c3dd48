"""Two stages: files that are no model, and rows that nothing can be learned from."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from models import artifact, families
from models.errors import DataRefused, ModelRefused
from models.job import Job
from models.two_stage import RANKER, worker
from tests.model import picks
from tests.model.picks import LABEL, SETTINGS, TASK


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Job:
    job = picks.job_of(tmp_path_factory.mktemp("learned"))
    worker.run(job)
    job.seal()
    return job


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def holding(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (without("settings.json"), "settings.json is not what was written"),
        (holding("settings.json", b'{"seed": 1}'), "settings.json is not what was written"),
        (holding("retrieval.json", b"{}"), "retrieval.json is not what was written"),
        (holding("catalogue.arrow", b"\x80\x04K\x01."), "catalogue.arrow is not what was written"),
        (without("similarity.arrow"), "similarity.arrow is not what was written"),
        (holding("item_vectors.arrow", b""), "item_vectors.arrow is not what was written"),
        (holding("index.faiss", b"\x80\x04K\x01."), "index.faiss is no index"),
        (holding("ranker.trees.txt", b"tree\n"), "ranker.trees.txt is no whole text of LightGBM"),
        (holding("categories.json", b"[]"), "categories.json does not hold the categories"),
    ],
)
def test_a_file_that_is_none_is_refused(
    learned: Job, tmp_path: Path, harm: Callable[[Path], None], says: str
) -> None:
    shutil.copytree(learned.artifact, tmp_path / "artifact")
    harm(tmp_path / "artifact")
    manifest = artifact.checked(learned.artifact, learned.seal())
    with pytest.raises(ModelRefused, match=says):
        families.find("two_stage").open(tmp_path / "artifact", manifest)


def test_files_of_two_models_are_no_model(learned: Job, tmp_path: Path) -> None:
    """Each is whole, but vectors are not those of the index, and contents not those named."""
    shutil.copytree(learned.artifact, tmp_path / "artifact")
    manifest = artifact.checked(learned.artifact, learned.seal())
    path = tmp_path / "artifact" / "retrieval.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "year_mean": values["year_mean"] + 5}))
    with pytest.raises(ModelRefused, match=r"index\.faiss holds other vectors"):
        families.find("two_stage").open(tmp_path / "artifact", manifest)
    path.write_text(json.dumps({**values, "tags": ["other"]}))
    with pytest.raises(ModelRefused, match=r"content_vectors\.arrow is not what was written"):
        families.find("two_stage").open(tmp_path / "artifact", manifest)
    columns = replace(manifest.columns, numeric=())
    with pytest.raises(ModelRefused, match=f"{RANKER} has 12 inputs"):
        families.find("two_stage").open(learned.artifact, replace(manifest, columns=columns))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"training": -1}, "there are no training rows"),
        ({"validation": -1}, "there are no validation rows"),
        ({"ratings": -1}, "ratings: there are no rows of items that are listed"),
        ({"items": -1}, "items: there are no rows of items to choose from"),
        ({"validation": 30}, "no validation rows are later than the ranker's first"),
    ],
)
def test_what_can_not_be_learned_from_is_refused(
    tmp_path: Path, changes: dict[str, int], says: str
) -> None:
    """By tables without a row, and by rows of too early a day."""
    own = picks.tables()
    tables = {
        name: own[name].slice(0, 0) if day < 0 else picks.asked(own["ratings"], range(day, day + 1))
        for name, day in changes.items()
    }
    job = picks.job_of(tmp_path, **tables)
    with pytest.raises(DataRefused, match=says):
        worker.run(job)
    assert not (tmp_path / "result.json").exists()


def test_labels_that_no_candidate_is_in_are_refused(tmp_path: Path) -> None:
    rows = picks.tables()["training"]
    unknown = pa.array([["z"]] * rows.num_rows, pa.list_(pa.string()))
    job = picks.job_of(tmp_path, training=rows.set_column(4, LABEL, unknown))
    with pytest.raises(DataRefused, match="in no rows a candidate is relevant"):
        worker.run(job)


def test_a_table_that_is_not_handed_over_is_named(tmp_path: Path) -> None:
    job = picks.job_of(tmp_path)
    fewer = {name: path for name, path in job.tables.items() if name != "items"}
    with pytest.raises(DataRefused, match="there is no table 'items' beside the rows"):
        worker.run(replace(job, tables=fewer))


def test_columns_it_can_not_use_are_refused() -> None:
    family = families.find("two_stage")
    for columns in (
        replace(picks.COLUMNS, categorical_lists=()),
        replace(picks.COLUMNS, categorical_lists=("taken", "seen")),
        replace(picks.COLUMNS, numeric_lists=("stars", "hours")),
    ):
        assert "one list of texts" in family.refusal(TASK, columns, SETTINGS)
    assert family.refusal(TASK, picks.COLUMNS, SETTINGS) == ""


def test_rows_older_than_most_ratings_know_a_share_of_what_was_before_the_last(
    tmp_path: Path,
) -> None:
    ratings = picks.tables()["ratings"]
    training = picks.asked(ratings, range(20, 31))
    job = picks.job_of(tmp_path, training=training)
    worker.run(job)
    last = pc.max(training["known_at"])
    by_last = pc.sum(pc.less(ratings["known_at"], last)).as_py()
    # Half of these, up to the next row.
    assert by_last * 0.5 <= job.result["facts"]["num_ranker_ratings"] < by_last * 0.75
