"""Boosted trees: the reopened text answers as LightGBM's own booster did, or is refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models import artifact, margins
from models.columns import Columns
from models.errors import DataRefused, ModelRefused
from models.job import Job
from models.spec import ModelSpec
from models.tasks import Regression, Task
from models.tasks.task import Array
from models.trees import CATEGORIES, scoring, worker
from models.trees.text import is_whole
from tests.model.learning import COLUMNS, LABELS, TREES, job_of, made


@dataclass(frozen=True)
class Learned:
    """A job that was run, and the boosters that it made."""

    job: Job
    boosters: list[lightgbm.Booster]

    @property
    def task(self) -> Task:
        return self.job.spec.task

    def reopened(self) -> scoring.Boosters:
        return scoring.load(self.job.artifact, COLUMNS, self.task, 1)

    def said_by_lightgbm(self, table: pa.Table) -> Array:
        """What the boosters say of rows that are encoded here, by hand."""
        training = pq.read_table(self.job.tables["training"])
        columns = [
            np.array(table[name].to_pylist(), np.float32).astype(float) for name in ("x", "z")
        ]
        for name in ("c", "d"):
            texts = ["" if text is None else text for text in training[name].to_pylist()]
            known = sorted(text for text in set(texts) if texts.count(text) >= 20)
            codes = {text: float(code) for code, text in enumerate(known)}
            columns.append(
                np.array([codes.get(text or "", np.nan) for text in table[name].to_pylist()])
            )
        rows = np.column_stack(columns)
        parts = [np.asarray(each.predict(rows, num_threads=1)) for each in self.boosters]
        said = np.column_stack(parts)
        return np.sort(said, 1) if isinstance(self.task, Regression) else said


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Learned]:
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        boosted = worker._boosted
        for label in LABELS:
            boosters: list[lightgbm.Booster] = []

            def noted(*given: Any, to: list[lightgbm.Booster] = boosters) -> Any:
                made_of = boosted(*given)
                to.append(made_of[0])
                return made_of

            patch.setattr(worker, "_boosted", noted)
            job = job_of(tmp_path_factory.mktemp(label), label, TREES)
            worker.run(job)
            found[label] = Learned(job, boosters)
    return found


def unseen(table: pa.Table) -> pa.Table:
    """The same numbers with texts that training had rarely, never, or not."""
    texts = pa.array(np.resize(["rare", "never seen", "", None, "A"], table.num_rows))
    return table.set_column(2, "c", texts).set_column(3, "d", texts)


def at_thresholds(table: pa.Table, boosters: list[lightgbm.Booster]) -> pa.Table:
    """Numbers on each threshold as float32, on the next below, and on the next above."""
    frames = [each.trees_to_dataframe().query("decision_type == '<='") for each in boosters]
    thresholds = np.concatenate([frame["threshold"].to_numpy(float) for frame in frames])
    on = np.unique(thresholds).astype(np.float32)
    assert on.size > 20
    beside = [np.nextafter(on, np.float32(side)) for side in (-np.inf, np.inf)]
    values = np.resize(np.concatenate([on, *beside]).astype(float), table.num_rows)
    return table.set_column(0, "x", pa.array(values)).set_column(1, "z", pa.array(values[::-1]))


def odd(table: pa.Table, _: list[lightgbm.Booster]) -> pa.Table:
    values = [np.nan, np.inf, -np.inf, 1e308, -1e308, 1e-45, -0.0, None, 3e38]
    numbers = pa.array(np.resize(np.array(values, object), table.num_rows).tolist(), pa.float64())
    return table.set_column(0, "x", numbers)


CHANGES: dict[str, Callable[[pa.Table, list[lightgbm.Booster]], pa.Table]] = {
    "rows as they are": lambda table, _: table,
    "missing numbers": lambda table, _: table.set_column(0, "x", pa.nulls(3000, pa.float64())),
    "unseen categories": lambda table, _: unseen(table),
    "numbers at thresholds": at_thresholds,
}


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("what", CHANGES)
def test_the_reopened_text_answers_as_the_booster_did(
    learned: dict[str, Learned], label: str, what: str
) -> None:
    own = learned[label]
    table = CHANGES[what](made(3000, 7), own.boosters)
    expected = own.said_by_lightgbm(table)
    model = own.reopened()
    rows = scoring.inputs.matrix(table, COLUMNS, model._known)
    said = np.column_stack([model._said(booster, rows) for booster in model._boosters])
    answers = np.sort(said, 1) if isinstance(own.task, Regression) else said
    np.testing.assert_allclose(answers, expected, rtol=0, atol=1e-12)
    assert np.ptp(answers) > 0.1
    if isinstance(own.task, Regression):
        expected = np.sort(expected + margins.read(own.job.artifact), 1)
    found = own.task.outputs(own.task.checked(model.score(table)))
    np.testing.assert_array_equal(found, expected.astype(np.float32))


@pytest.mark.parametrize("label", LABELS)
def test_infinite_and_giant_numbers_are_missing_ones(
    learned: dict[str, Learned], label: str
) -> None:
    model, table = learned[label].reopened(), made(90, 8)
    found = model.score(odd(table, []))
    infinite = np.resize([False, True, True, True, True, False, False, True, False], 90)
    expected = model.score(table.set_column(0, "x", pa.nulls(90, pa.float64())))
    assert found.filter(pa.array(infinite)).equals(expected.filter(pa.array(infinite)))
    learned[label].task.checked(found)


@pytest.mark.parametrize("label", LABELS)
def test_learned_twice_the_artifact_is_the_same(
    learned: dict[str, Learned], label: str, tmp_path: Path
) -> None:
    first, again = learned[label].job, job_of(tmp_path, label, TREES)
    worker.run(again)
    assert again.seal() == first.seal()
    for name in sorted(path.name for path in first.artifact.iterdir()):
        assert (again.artifact / name).read_bytes() == (first.artifact / name).read_bytes()
    other = job_of(tmp_path / "other", label, replace(TREES, seed=1))
    worker.run(other)
    assert other.seal() != first.seal()


@pytest.mark.parametrize("label", LABELS)
def test_the_best_round_is_kept(learned: dict[str, Learned], label: str) -> None:
    own = learned[label]
    result = own.job.result
    assert result["facts"]["num_training_rows"] == 1500
    for booster, name in zip(own.boosters, scoring.booster_names(own.task), strict=True):
        losses = [each["validation_loss"] for each in result["history"] if each["booster"] == name]
        best = result["facts"]["best_iterations"][name]
        assert best == int(np.argmin(losses)) + 1
        # It ended by patience, so that the last rounds are not kept.
        assert len(losses) == best + TREES.patience < TREES.num_rounds
        kept = lightgbm.Booster(model_file=str(own.job.artifact / f"{name}.trees.txt"))
        assert kept.num_trees() == best * booster.num_model_per_iteration()


def test_rows_belong_to_themselves(learned: dict[str, Learned]) -> None:
    model, table = learned["much"].reopened(), made(50, 9)
    whole = model.score(table)
    order = np.random.default_rng(0).permutation(50)
    assert model.score(table.take(order)).equals(whole.take(order))
    assert model.score(table.select(table.column_names[::-1])).equals(whole)
    assert model.score(table.slice(0, 0)).num_rows == 0
    with pytest.raises(DataRefused, match="z: the table has 0 columns of that name"):
        model.score(table.drop_columns(["z"]))


@pytest.mark.parametrize("columns", [Columns(numeric=("x",)), Columns(categorical=("c",))])
def test_numbers_alone_and_categories_alone(columns: Columns, tmp_path: Path) -> None:
    job = job_of(tmp_path, "yes", TREES)
    job = replace(job, spec=ModelSpec(columns=columns, task=LABELS["yes"], settings=TREES))
    worker.run(job)
    found = artifact.open_folder(job.artifact, job.seal()).score(made(30, 3))
    assert len(set(found["probability"].to_pylist())) > 1


@pytest.mark.parametrize("empty", ["training", "validation"])
def test_no_rows_are_refused_by_name(tmp_path: Path, empty: str) -> None:
    job = job_of(tmp_path, "yes", TREES)
    pq.write_table(made(10, 0).slice(0, 0), job.tables[empty])
    with pytest.raises(DataRefused, match=f"there are no {empty} rows"):
        worker.run(job)
    assert not (job.folder / "result.json").exists()


def test_a_label_of_another_kind_is_refused(tmp_path: Path) -> None:
    job = replace(job_of(tmp_path, "kind", TREES), label="much")
    with pytest.raises(DataRefused, match="1500 of 1500 labels are none of the classes low, mid"):
        worker.run(job)


def copied(own: Learned, folder: Path) -> Path:
    for path in own.job.artifact.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_a_cut_text_is_never_given_to_the_parser(learned: dict[str, Learned]) -> None:
    """The parser ends the process at some of these."""
    text = (learned["yes"].job.artifact / "answer.trees.txt").read_bytes()
    assert is_whole(text)
    random = np.random.default_rng(5)
    for cut in random.integers(0, len(text), 200):
        assert not is_whole(text[:cut])
        assert not is_whole(text[cut:]) or cut == 0
    for cut in random.integers(0, text.index(b"end of trees"), 200):
        assert not is_whole(text[:cut] + text[cut + 1 :]) or cut < text.index(b"Tree=0")
    assert not is_whole(text.replace(b"Tree=1\n", b"Tree=7\n"))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("answer.trees.txt", b"\x80\x04K\x01.", "no whole text of LightGBM"),
        ("answer.trees.txt", b"", "no whole text of LightGBM"),
        ("answer.trees.txt", b"tree\nversion=v4\n", "no whole text of LightGBM"),
        ("answer.trees.txt", None, "no whole text of LightGBM"),
        (CATEGORIES, b"\xff", "does not hold the categories of c, d"),
        (CATEGORIES, b"[]", "does not hold the categories of c, d"),
        (CATEGORIES, b'{"c": ["a"]}', "does not hold the categories of c, d"),
        (CATEGORIES, b'{"d": ["a"], "c": ["a"]}', "does not hold the categories of c, d"),
        (CATEGORIES, b'{"c": ["a"], "d": [1]}', "does not hold the categories of c, d"),
        (CATEGORIES, b'{"c": "a", "d": ["b"]}', "does not hold the categories of c, d"),
        (CATEGORIES, None, "does not hold the categories of c, d"),
    ],
)
def test_a_corrupted_file_is_refused(
    learned: dict[str, Learned], tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    own, folder = learned["yes"], copied(learned["yes"], tmp_path)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(ModelRefused, match=says):
        scoring.load(folder, COLUMNS, own.task, 1)


def test_a_text_of_other_columns_or_another_task_is_refused(
    learned: dict[str, Learned], tmp_path: Path
) -> None:
    folder = copied(learned["kind"], tmp_path)
    with pytest.raises(ModelRefused, match="4 inputs and 3 outputs, its manifest says 4 and 1"):
        scoring.load(folder, COLUMNS, LABELS["yes"], 1)
    (folder / CATEGORIES).write_text(json.dumps({"c": ["a"]}))
    fewer = Columns(numeric=("x",), categorical=("c",))
    with pytest.raises(ModelRefused, match="4 inputs and 3 outputs, its manifest says 2 and 3"):
        scoring.load(folder, fewer, LABELS["kind"], 1)
