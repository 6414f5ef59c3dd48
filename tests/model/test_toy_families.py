"""What the contract carries beyond rows: an order of items that is refreshed, texts, horizons."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sklearn import metrics as sklearn_metrics

from models import artifact, families
from models.blend.settings import Blend
from models.errors import DataRefused, ModelRefused
from models.family import Refreshed
from models.job import Job
from models.segments.settings import Segments
from models.spec import ModelSpec
from models.tasks.bootstrap import Bootstrap
from models.tasks.task import Array, Evidence, units_of
from models.trees.settings import Trees
from tests.model import toys
from tests.model.toys import samples, trend_lines, worker
from tests.model.toys.ordering import NDCG, Ordering


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    toys.register(monkeypatch.setitem)
    families.find.cache_clear()
    yield
    families.find.cache_clear()


def learned(sample: samples.Sample, folder: Path) -> Job:
    """In this process; the contract's tests do it by the command."""
    for name, table in sample.tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    spec = ModelSpec(columns=sample.columns, task=sample.task, settings=sample.settings)
    tables = {name: folder / f"{name}.parquet" for name in sample.tables}
    job = Job(spec=spec, label=sample.label, tables=tables, folder=folder)
    worker.run(job)
    return job


def refreshed(job: Job, folder: Path, table: pa.Table) -> str:
    """A copy that knows of more items; its digest."""
    family = families.find("ranked_items")
    assert isinstance(family, Refreshed)
    shutil.copytree(job.artifact, folder / "artifact")
    pq.write_table(table, folder / "newer.parquet")
    content = (job.artifact / artifact.MANIFEST).read_bytes()
    manifest = artifact.Manifest.from_bytes(content)
    family.refresh(folder / "artifact", manifest, {"items": folder / "newer.parquet"})
    return artifact.seal(
        folder / "artifact",
        manifest.task,
        manifest.columns,
        manifest.family,
        corpus={"gold.items": 8},
    )


def test_an_index_takes_in_what_is_new_without_a_training(tmp_path: Path) -> None:
    job = learned(samples.ordering(), tmp_path)
    before = job.seal(corpus={"gold.items": 7})
    (tmp_path / "copy").mkdir()
    after = refreshed(job, tmp_path / "copy", samples.items(0, 120))
    assert after != before
    newer = artifact.open_folder(tmp_path / "copy" / "artifact", after)
    older = artifact.open_folder(job.artifact, before)
    assert [model.manifest.corpus for model in (older, newer)] == [
        {"gold.items": 7},
        {"gold.items": 8},
    ]
    with pytest.raises(ModelRefused, match=f"registered was {before}"):
        artifact.open_folder(tmp_path / "copy" / "artifact", before)
    # Items 60 to 119: unknown to the older one, which says the same of all of them.
    table = samples.shown(600, seed=9, first=60)
    unit = units_of(table, ("query",))
    said = [model.score(table) for model in (older, newer)]
    assert set(said[0]["score"].to_pylist()) == {0.0}
    found = [
        Ordering().scores(Ordering().evidence("relevance", table, each, unit))["ndcg"]
        for each in said
    ]
    assert found[1] - found[0] > 0.1
    known = samples.shown(100, seed=10)
    assert older.score(known).equals(newer.score(known))


def test_a_refresh_that_leaves_another_file_is_not_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = learned(samples.ordering(), tmp_path)
    job.seal()
    monkeypatch.setattr(
        type(families.find("ranked_items")),
        "refresh",
        lambda _, folder, *__: (folder / "index.pkl").touch(),
    )
    (tmp_path / "copy").mkdir()
    with pytest.raises(ModelRefused, match=r"index\.pkl, which ranked_items does not write"):
        refreshed(job, tmp_path / "copy", samples.items(0, 5))


def test_rows_of_a_query_are_ranked_among_themselves(tmp_path: Path) -> None:
    model = artifact.open_folder(
        (job := learned(samples.ordering(), tmp_path)).artifact, job.seal()
    )
    table = samples.shown(200, seed=3)
    answer = model.score(table)
    unit, score = units_of(table, ("query",)), answer["score"].to_numpy()
    rank = answer["rank"].to_numpy()
    for each in np.unique(unit):
        rows = unit == each
        assert sorted(rank[rows]) == list(range(1, rows.sum() + 1))
        assert (np.diff(score[rows][np.argsort(rank[rows])]) <= 0).all()
    one = table.filter(pc.field("query") == "query 3")
    assert model.score(one).equals(answer.filter(pc.equal(table["query"], "query 3")))
    with pytest.raises(DataRefused, match=r"0 columns of that name|no query"):
        model.score(table.drop_columns(["query"]))


def test_ndcg_is_that_of_scikit_learn_and_so_is_every_draw() -> None:
    random = np.random.default_rng(12)
    unit = np.append(random.integers(0, 6, 60), np.arange(6))
    label, rank = random.integers(0, 4, 66).astype(float), np.empty(66)
    label[unit == 4] = 0  # a query without a relevant item says nothing
    for each in range(6):
        rank[unit == each] = 1 + random.permutation((unit == each).sum())
    evidence = Evidence(label, np.column_stack([-rank, rank]), unit)

    def by_hand(units: Array) -> float:
        known = [
            sklearn_metrics.ndcg_score([2 ** label[unit == u] - 1], [-rank[unit == u]])
            for u in units
            if u != 4
        ]
        return float(np.mean(known)) if known else float("nan")

    assert NDCG.value(evidence) == pytest.approx(by_hand(np.arange(6)))
    weights = random.multinomial(6, np.full(6, 1 / 6), 20).astype(float)
    weights[0] = [0, 0, 0, 0, 6, 0]
    expected = [by_hand(np.repeat(np.arange(6), each.astype(int))) for each in weights]
    np.testing.assert_allclose(NDCG.draws(evidence, weights), expected)
    assert Bootstrap(num_draws=200).interval(NDCG, evidence) is not None


def test_texts_are_answered_by_their_words(tmp_path: Path) -> None:
    model = artifact.open_folder((job := learned(samples.texts(), tmp_path)).artifact, job.seal())
    table = pa.table({"text": ["late lost", "thanks", "never heard of", "", None, "the the"]})
    late, thanks, never, empty, missing, common = model.score(table)["probability"].to_pylist()
    assert late > 0.99
    assert thanks < 0.05
    assert never > 0.9
    assert empty == missing == 0.5
    assert 0.4 < common < 0.6
    training = pq.read_table(job.tables["training"]).drop_null()
    words = {
        yes: " ".join(training.filter(pc.field("complains") == yes)["text"].to_pylist()).split()
        for yes in (True, False)
    }
    share = [(words[yes].count("late") + 1) / (len(words[yes]) + 8) for yes in (True, False)]
    said = json.loads((job.artifact / "words.json").read_text())
    assert said["late"] == pytest.approx(np.log(share[0] / share[1]))


def test_a_trend_is_its_series_line_at_the_horizon(tmp_path: Path) -> None:
    job = learned(samples.trend(), tmp_path)
    model = artifact.open_folder(job.artifact, job.seal())
    table = pa.table({"series": ["s4", "s4", "s5", "unknown"], "horizon": [1, 12, 3, 3]})
    training = pq.read_table(job.tables["training"])
    expected = []
    for series, horizon in (("s4", 1), ("s4", 12), ("s5", 3)):
        own = training.filter(pc.field("series") == series)
        line = np.polyfit(own["horizon"].to_numpy(), own["value"].to_numpy(), 1)
        expected.append(np.polyval(line, horizon))
    assert model.score(table)["ahead"].to_pylist() == pytest.approx([*expected, 0.0])


def test_rows_of_a_series_are_drawn_together() -> None:
    """Errors that a series shares make the interval wide, however many rows it has."""
    random = np.random.default_rng(4)
    unit = np.repeat(np.arange(9), 100)
    label = random.normal(size=9)[unit]
    evidence = Evidence(label, np.zeros((900, 1)), unit)
    alone = Evidence(label, np.zeros((900, 1)), np.arange(900))
    metric = trend_lines.Trend().metric()
    wide, narrow = (Bootstrap().interval(metric, each) for each in (evidence, alone))
    assert wide is not None
    assert narrow is not None
    assert wide.estimate == narrow.estimate
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)


def test_an_order_is_neither_blended_nor_parted() -> None:
    sample, member = samples.ordering(), samples.ordering().settings
    for settings, says in (
        (Blend(members={"a": member, "b": member}), "a blend has no mean of answers to ordering"),
        (Segments(column="query", member=member), "segments part single rows, and ordering is"),
        (Trees(), "trees have no objective for the task ordering"),
    ):
        with pytest.raises(ValueError, match=says):
            ModelSpec(columns=sample.columns, task=sample.task, settings=settings)
    with pytest.raises(NotImplementedError, match="ordering has no loss of a single row"):
        Ordering().losses(Evidence(np.zeros(1), np.zeros((1, 2)), np.zeros(1, int)))
