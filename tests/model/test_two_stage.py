"""Two stages, learned, opened, refreshed: on a made-up film club."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models import artifact, families
from models.artifact import Model
from models.errors import ModelRefused
from models.family import Refreshed
from models.job import Job
from models.tasks.task import units_of
from models.two_stage import CATALOGUE, INDEX, scoring, worker
from models.two_stage.index import Index
from tests.model import picks
from tests.model.picks import LABEL, SETTINGS, TASK

ROOT = Path(__file__).parents[2]
REFRESHED = {CATALOGUE, INDEX}


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Job:
    job = picks.job_of(tmp_path_factory.mktemp("learned"))
    worker.run(job)
    job.seal()
    return job


@pytest.fixture(scope="module")
def model(learned: Job) -> Model:
    return artifact.open_folder(learned.artifact, learned.seal())


def judged(lists: pa.Table, rows: pa.Table) -> float:
    evidence = TASK.evidence(LABEL, rows, lists, units_of(rows, TASK.unit))
    found = TASK.metric().value(evidence)
    assert found is not None
    return found


def lists_of(answer: pa.Table) -> list[list[str]]:
    return answer["items"].to_pylist()


def test_it_is_better_than_what_is_popular(model: Model) -> None:
    rows = picks.tables()["evaluation"]
    answer = model.score(rows)
    popular = model.score(
        rows.set_column(2, "taken", pa.nulls(len(rows), pa.list_(pa.string()))).set_column(
            3, "stars", pa.nulls(len(rows), pa.list_(pa.float64()))
        )
    )
    assert judged(answer, rows) > judged(popular, rows) + 0.1
    for listed, taken in zip(lists_of(answer), rows["taken"].to_pylist(), strict=True):
        assert len(listed) == TASK.k
        assert not {*listed} & {*taken}
    assert not pc.any(answer["is_fallback"]).as_py()


def test_facts_say_what_was_learned(learned: Job) -> None:
    facts = learned.result["facts"]
    assert facts["num_training_rows"] == 240
    assert 0 < facts["num_ranker_rows"] <= 240
    assert facts["num_ranker_ratings"] < facts["num_ratings"]
    assert facts["num_items"] == picks.NUM_FILMS
    assert facts["index_recall"] >= 0.95
    assert 0.5 < facts["candidate_recall"] <= 1
    towers = [each for each in learned.result["history"] if each["booster"] == "towers"]
    ranker = [each for each in learned.result["history"] if each["booster"] == "ranker"]
    assert len(towers) == SETTINGS.retrieval.num_epochs
    assert towers[-1]["training_loss"] < towers[0]["training_loss"]
    best = min(ranker, key=lambda each: each["validation_loss"])
    assert facts["best_iteration"] == best["epoch"] + 1


def test_learned_twice_it_is_the_same(learned: Job, tmp_path: Path) -> None:
    """Also from the same rows in another order."""
    random = np.random.default_rng(0)
    shuffled = {
        name: table.take(random.permutation(table.num_rows))
        for name, table in picks.tables().items()
    }
    again = picks.job_of(tmp_path, **shuffled)
    worker.run(again)
    assert again.seal() == learned.seal()
    other = picks.job_of(tmp_path / "other", replace(SETTINGS, seed=1))
    worker.run(other)
    assert other.seal() != learned.seal()


def test_rows_belong_to_themselves(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = picks.tables()["evaluation"]
    whole = model.score(rows)
    order = np.random.default_rng(0).permutation(rows.num_rows)
    assert model.score(rows.take(order)).equals(whole.take(order))
    alone = pa.concat_tables([model.score(rows.slice(at, 1)) for at in range(5)])
    assert alone.equals(whole.slice(0, 5).combine_chunks())
    assert model.score(rows.slice(0, 0)).num_rows == 0
    monkeypatch.setattr(scoring, "_BATCH_ROWS", 7)
    assert model.score(rows).equals(whole)


def changed(taken: list[Any]) -> pa.Table:
    """As many rows, with these histories."""
    rows = picks.tables()["evaluation"].slice(0, len(taken))
    stars = [None if each is None else [3.0] * len(each) for each in taken]
    rows = rows.set_column(2, "taken", pa.array(taken, pa.list_(pa.string())))
    return rows.set_column(3, "stars", pa.array(stars, pa.list_(pa.float64())))


def test_who_has_no_known_history_gets_what_is_popular(model: Model, learned: Job) -> None:
    answer = model.score(changed([None, [], ["never heard of"], ["f001"]]))
    assert answer["is_fallback"].to_pylist() == [True, True, True, False]
    counts = pc.value_counts(pq.read_table(learned.tables["ratings"])["item_id"]).to_pylist()
    popular = sorted(counts, key=lambda each: (-each["counts"], each["values"]))[: TASK.k]
    assert lists_of(answer)[:3] == [[each["values"] for each in popular]] * 3
    assert lists_of(answer)[3] != lists_of(answer)[0]
    total = sum(each["counts"] for each in counts)
    expected = [each["counts"] / total for each in popular]
    assert answer["scores"][0].as_py() == pytest.approx(expected)
    assert TASK.answer_facts(answer)["fallback_share"] == 0.75


def test_who_took_all_but_few_gets_those(model: Model) -> None:
    names = picks.films()["item_id"].to_pylist()
    answer = TASK.checked(model.score(changed([names[:-2], names])))
    assert [sorted(each) for each in lists_of(answer)] == [names[-2:], []]
    assert answer["popularity"][1].as_py() == 0


def test_popularity_is_that_of_the_list(model: Model, learned: Job) -> None:
    answer = model.score(picks.tables()["evaluation"])
    items = pq.read_table(learned.tables["ratings"])["item_id"].to_pylist()
    count = {name: items.count(name) for name in picks.films()["item_id"].to_pylist()}
    values = np.array([*count.values()])
    for listed, said in zip(lists_of(answer), answer["popularity"].to_pylist(), strict=True):
        below = [
            np.mean(values < count[name]) + np.mean(values == count[name]) / 2 for name in listed
        ]
        assert said == pytest.approx(np.mean(below))


def refreshed(job: Job, folder: Path, **tables: pa.Table) -> tuple[Any, Model]:
    """What a refresh said, and the model that came of it."""
    shutil.copytree(job.artifact, folder / "artifact")
    files = dict(job.tables)
    for name, table in tables.items():
        files[name] = folder / f"{name}.parquet"
        pq.write_table(table, files[name])
    manifest = artifact.checked(job.artifact, job.seal())
    family = families.find("two_stage")
    assert isinstance(family, Refreshed)
    facts = family.refresh(folder / "artifact", manifest, files)
    digest = artifact.seal(folder / "artifact", manifest.task, manifest.columns, manifest.family)
    return facts, artifact.open_folder(folder / "artifact", digest)


def test_a_refresh_takes_in_new_items_and_their_popularity(
    learned: Job, model: Model, tmp_path: Path
) -> None:
    more = picks.films(72)
    facts, newer = refreshed(learned, tmp_path, items=more, ratings=picks.ratings())
    assert (facts["num_items"], facts["num_new_items"]) == (72, 12)
    assert facts["num_ratings"] == picks.NUM_MEMBERS * picks.NUM_TAKEN
    assert facts["index_recall"] >= 0.95
    for path in learned.artifact.iterdir():
        same = path.read_bytes() == (tmp_path / "artifact" / path.name).read_bytes()
        assert same == (path.name not in {*REFRESHED, artifact.MANIFEST}), path.name
    rows = picks.tables()["evaluation"]
    found = newer.scorer.retrievers.found(newer.scorer.histories(rows))
    new, kind = found.item_P >= picks.NUM_FILMS, found.item_P % 3
    member = np.array([int(user[1:]) for user in rows["user_id"].to_pylist()])[found.row_P]
    # By their content alone they are candidates of those who like their kind.
    assert new.sum() > 50
    assert np.mean(kind[new] == member[new] % 3) > 0.9
    answer = newer.score(rows)
    said = [
        np.mean([int(name[1:]) >= picks.NUM_FILMS for name in each]) for each in lists_of(answer)
    ]
    assert answer["unseen_share"].to_pylist() == pytest.approx(said)
    older = model.score(rows)
    assert not pc.any(pc.greater(older["unseen_share"], 0)).as_py()
    assert older["popularity"].to_pylist() != answer["popularity"].to_pylist()


def test_refreshed_with_what_it_knows_it_is_the_same(learned: Job, tmp_path: Path) -> None:
    _, again = refreshed(learned, tmp_path)
    assert again.digest == learned.seal()


def test_a_refresh_whose_index_finds_too_little_is_refused(
    learned: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Index, "recall", lambda *_: 0.9)
    with pytest.raises(ModelRefused, match=r"the index finds 90.0% .* 95.0% are needed"):
        refreshed(learned, tmp_path)


def test_it_is_asked_without_torch(learned: Job, tmp_path: Path) -> None:
    pq.write_table(picks.tables()["evaluation"], tmp_path / "rows.parquet")
    code = f"""
import sys
import pyarrow.parquet as pq
from pathlib import Path
from models import artifact
model = artifact.open_folder(Path({str(learned.artifact)!r}), {learned.seal()!r})
print(model.score(pq.read_table({str(tmp_path / "rows.parquet")!r})).num_rows, *sys.modules)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    num_rows, *modules = ended.stdout.split()
    assert num_rows == "80"
    assert not {"torch", "pyspark", "mlflow"} & {*modules}
