"""Segments: each row is answered by its segment's model, the rest by the fallback."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models import artifact, members
from models.blend.settings import Blend
from models.errors import DataRefused, ModelRefused
from models.job import Job
from models.segments import FALLBACK, SEGMENTS, worker
from models.segments.settings import Segments
from tests.model.learning import LABELS, TREES, job_of, learn_here, made

FEW = replace(TREES, num_rounds=8)
# Of 1,500 rows about 600, 450 and 300 have u, v and w; 15 are rare, 135 have none.
SETTINGS = Segments(column="d", member=FEW, num_rows_min=250)


@pytest.fixture(autouse=True, scope="module")
def _here() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "_run", learn_here)
        yield


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Job]:
    found = {label: job_of(tmp_path_factory.mktemp(label), label, SETTINGS) for label in LABELS}
    for job in found.values():
        worker.run(job)
    return found


def model_of(job: Job) -> artifact.Model:
    return artifact.open_folder(job.artifact, job.seal())


def alone(job: Job, name: str) -> artifact.Model:
    """A member, opened from its own training's folder."""
    folder = job.folder / "members" / name / "artifact"
    return artifact.open_folder(folder, artifact.sha256_of(folder / artifact.MANIFEST))


@pytest.mark.parametrize("label", LABELS)
def test_each_row_is_answered_by_its_segments_model(jobs: dict[str, Job], label: str) -> None:
    job, table = jobs[label], made(800, 5)
    found = model_of(job).score(table)
    assert job.result["facts"]["segments"] == ["u", "v", "w"]
    names = {"u": "segment_0", "v": "segment_1", "w": "segment_2"}
    for value in ("u", "v", "w", "rare", None):
        rows = pc.equal(pc.fill_null(table["d"], ""), value or "")
        member = alone(job, names.get(str(value), FALLBACK))
        assert found.filter(rows).equals(member.score(table.filter(rows)))
        # The others would have said something else.
        assert not found.filter(rows).equals(alone(job, "segment_0").score(table.filter(rows))) or (
            value == "u"
        )


@pytest.mark.parametrize("label", LABELS)
def test_values_never_seen_are_answered_by_the_fallback(jobs: dict[str, Job], label: str) -> None:
    job, table = jobs[label], made(50, 6)
    texts = pa.array(np.resize(["never seen", "", None, "U", "rare"], 50).tolist(), pa.string())
    table = table.set_column(3, "d", texts)
    assert model_of(job).score(table).equals(alone(job, FALLBACK).score(table))


@pytest.mark.parametrize("label", LABELS)
def test_no_rows_have_no_answers(jobs: dict[str, Job], label: str) -> None:
    found = model_of(jobs[label]).score(made(5, 0).slice(0, 0))
    assert (found.num_rows, found.schema) == (0, LABELS[label].answer)


def test_rows_in_any_order(jobs: dict[str, Job]) -> None:
    model, table = model_of(jobs["much"]), made(200, 8)
    order = np.random.default_rng(1).permutation(200)
    assert model.score(table.take(order)).equals(model.score(table).take(order))
    with pytest.raises(DataRefused, match="d: the table has 0 columns of that name"):
        model.score(table.drop_columns(["d"]))
    model.close()


def test_a_member_learns_from_its_own_rows_alone(jobs: dict[str, Job]) -> None:
    job = jobs["much"]
    for place, value in enumerate("uvw"):
        folder = job.folder / "members" / f"segment_{place}"
        for role, path in job.tables.items():
            rows = pq.read_table(folder / f"{role}.parquet")
            whole = pq.read_table(path)
            assert rows.equals(whole.filter(pc.fill_null(pc.equal(whole["d"], value), False)))
    fallback = json.loads((job.folder / "members" / FALLBACK / "result.json").read_text())
    assert fallback["facts"]["num_training_rows"] == 1500


def test_a_missing_value_is_a_segment_where_it_is_often(tmp_path: Path) -> None:
    job = job_of(tmp_path, "much", replace(SETTINGS, num_rows_min=100))
    worker.run(job)
    assert job.result["facts"]["segments"] == ["", "u", "v", "w"]
    table = made(100, 4)
    gone = table.filter(pc.is_null(table["d"]))
    assert model_of(job).score(gone).equals(alone(job, "segment_0").score(gone))


@pytest.mark.parametrize("harm", ["one label alone", "a class never learned", "no validation"])
def test_a_segment_that_can_not_be_learned_has_no_model(tmp_path: Path, harm: str) -> None:
    label = "much" if harm == "one label alone" else "kind"
    job = job_of(tmp_path, label, SETTINGS)
    role = "validation" if harm == "no validation" else "training"
    table = pq.read_table(job.tables[role])
    is_v = pc.fill_null(pc.equal(table["d"], "v"), False)
    if harm == "no validation":
        table = table.filter(pc.invert(is_v))
    else:
        constant = 3.5 if label == "much" else "low"
        place = table.column_names.index(label)
        table = table.set_column(place, label, pc.if_else(is_v, constant, table[label]))
    pq.write_table(table, job.tables[role])
    worker.run(job)
    assert job.result["facts"]["segments"] == ["u", "w"]
    rows = made(200, 5).filter(pc.field("d") == "v")
    assert model_of(job).score(rows).equals(alone(job, FALLBACK).score(rows))


def test_without_a_large_segment_the_fallback_answers_all(tmp_path: Path) -> None:
    job = job_of(tmp_path, "yes", replace(SETTINGS, num_rows_min=5000))
    worker.run(job)
    table = made(60, 2)
    assert job.result["facts"]["segments"] == []
    assert model_of(job).score(table).equals(alone(job, FALLBACK).score(table))


def test_models_of_models(tmp_path: Path) -> None:
    """A segment of blends of trees: members within members."""
    blend = Blend(members={"one": FEW, "two": replace(FEW, seed=1, num_rounds=3)})
    job = job_of(tmp_path, "much", replace(SETTINGS, member=blend, num_rows_min=500))
    worker.run(job)
    model, table = model_of(job), made(100, 2)
    assert model.manifest.members.keys() == {"members/fallback", "members/segment_0"}
    rows = table.filter(pc.field("d") == "u")
    assert model.score(rows).equals(alone(job, "segment_0").score(rows))
    deep = job.artifact / "members" / "segment_0" / "members" / "two" / "low.trees.txt"
    deep.write_bytes(deep.read_bytes() + b" ")
    digest = artifact.sha256_of(job.artifact / artifact.MANIFEST)
    with pytest.raises(ModelRefused, match=r"members/segment_0/members/two/low.trees.txt changed"):
        artifact.open_folder(job.artifact, digest)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        b"",
        b"[]",
        b'{"column": "d"}',
        b'{"column": "x", "members": {"u": "segment_0", "v": "segment_1", "w": "segment_2"}}',
        b'{"column": "d", "members": {"u": "segment_0", "v": "segment_1"}}',
        b'{"column": "d", "members": {"u": "segment_0", "v": "segment_1", "w": "other"}}',
        b'{"column": "d", "members": ["segment_0", "segment_1", "segment_2"]}',
        b'{"column": "d", "members": {"u": ["segment_0"]}}',
    ],
)
def test_a_file_that_does_not_say_who_answers_is_refused(
    jobs: dict[str, Job], tmp_path: Path, wrong: bytes | None
) -> None:
    job = replace(jobs["yes"], folder=tmp_path)
    shutil.copytree(jobs["yes"].artifact, job.artifact)
    (tmp_path / "result.json").write_bytes((jobs["yes"].folder / "result.json").read_bytes())
    if wrong is None:
        (job.artifact / SEGMENTS).unlink()
    else:
        (job.artifact / SEGMENTS).write_bytes(wrong)
    with pytest.raises(ModelRefused, match=r"segments.json does not say who answers what"):
        model_of(job)
