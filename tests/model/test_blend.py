"""A blend: no weights are better, and its answers are the weighted mean of its members'."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from models import artifact
from models.blend import WEIGHTS, worker
from models.blend.settings import Blend
from models.blend.worker import best_weights
from models.errors import ModelError, ModelRefused
from models.job import Job
from models.tasks import Regression, Task
from models.tasks.task import Array, Evidence
from tests.model.learning import LABELS, TREES, job_of, learn_here, made

FEW = replace(TREES, num_rounds=8, seed=4)
BLEND = Blend(members={"few": FEW, "many": TREES})


def said(task: Task, seed: int, num_members: int, unit: float = 1.0) -> tuple[Array, Array]:
    """Labels, and what members say of them who err each in their own way."""
    random = np.random.default_rng(seed)
    if isinstance(task, Regression):
        label = random.normal(5, 2, 400) * unit
        middle = (
            label
            + random.normal(0, random.uniform(0.5, 2, (num_members, 1)), (num_members, 400)) * unit
        )
        ends = [middle - 1.5 * unit, middle, middle + 1.5 * unit]
        return label, np.stack(ends, -1)
    classes = max(task.num_outputs, 2)
    label = random.integers(0, classes, 400).astype(float)
    truth = np.eye(classes)[label.astype(int)]
    draws = random.dirichlet(np.ones(classes), (num_members, 400))
    share = random.uniform(0.05, 0.4, (num_members, 1, 1))
    mixed = share * truth + (1 - share) * draws
    return label, mixed if task.num_outputs > 1 else mixed[:, :, 1:]


def loss_of(task: Task, label: Array, answers: Array, weights: Array) -> float:
    mean = np.tensordot(weights, answers, 1)
    return float(task.losses(Evidence(label, mean, np.zeros(len(label), int))).mean())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("task", LABELS.values(), ids=lambda task: task.name)
def test_two_weights_are_those_of_a_fine_grid(task: Task, seed: int) -> None:
    label, answers = said(task, seed, 2)
    grid = [np.array([share, 1 - share]) for share in np.linspace(0, 1, 1001)]
    losses = [loss_of(task, label, answers, each) for each in grid]
    best = grid[int(np.argmin(losses))]
    found = best_weights(task, label, answers)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert loss_of(task, label, answers, found) <= min(losses) * (1 + 1e-6)
    # A loss that is all but flat there leaves the weight a little room.
    np.testing.assert_allclose(found, best, atol=0.01)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("task", LABELS.values(), ids=lambda task: task.name)
def test_three_weights_are_no_worse_than_any_of_a_grid(task: Task, seed: int) -> None:
    label, answers = said(task, seed, 3)
    steps = np.linspace(0, 1, 41)
    grid = [np.array([a, b, 1 - a - b]) for a in steps for b in steps if a + b <= 1]
    lowest = min(loss_of(task, label, answers, each) for each in grid)
    found = best_weights(task, label, answers)
    assert loss_of(task, label, answers, found) <= lowest * (1 + 1e-6)
    alone = min(loss_of(task, label, answers, each) for each in np.eye(3))
    assert loss_of(task, label, answers, found) <= alone


@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1e3, 1e9])
def test_weights_do_not_depend_on_the_unit_of_the_label(unit: float) -> None:
    task = Regression()
    expected = best_weights(task, *said(task, 3, 2))
    found = best_weights(task, *said(task, 3, 2, unit))
    np.testing.assert_allclose(found, expected, atol=0.005)
    assert found.min() > 0.1


@pytest.mark.parametrize("task", LABELS.values(), ids=lambda task: task.name)
def test_a_member_that_is_always_right_answers_alone(task: Task) -> None:
    label, answers = said(task, 9, 3)
    if isinstance(task, Regression):
        answers[1] = np.repeat(label[:, None], 3, 1)
    else:
        right = np.eye(max(task.num_outputs, 2))[label.astype(int)]
        answers[1] = right if task.num_outputs > 1 else right[:, 1:]
    np.testing.assert_allclose(best_weights(task, label, answers), [0, 1, 0], atol=1e-3)


@pytest.mark.parametrize("went", [[1.0, 0.0, 0.0], [np.nan] * 3])
def test_a_descent_that_fails_leaves_the_best_member(
    went: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = LABELS["much"]
    label, answers = said(task, 6, 3)
    answers[0] += 100
    monkeypatch.setattr(worker, "minimize", lambda *_, **__: SimpleNamespace(x=np.array(went)))
    alone = [loss_of(task, label, answers, each) for each in np.eye(3)]
    assert best_weights(task, label, answers).tolist() == np.eye(3)[np.argmin(alone)].tolist()


def test_equal_members_are_as_good_as_one() -> None:
    task = LABELS["yes"]
    label, answers = said(task, 2, 1)
    found = best_weights(task, label, np.repeat(answers, 3, 0))
    assert found.sum() == pytest.approx(1)


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Job]:
    found = {label: job_of(tmp_path_factory.mktemp(label), label, BLEND) for label in LABELS}
    # The first by its members' own commands.
    worker.run(found["yes"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker.members, "_run", learn_here)
        for label in ("kind", "much"):
            worker.run(found[label])
    return found


def members_of(job: Job) -> dict[str, artifact.Model]:
    """Each member opened from its own training's folder."""
    found = {}
    for name in BLEND.members:
        folder = job.folder / "members" / name / "artifact"
        digest = artifact.sha256_of(folder / artifact.MANIFEST)
        found[name] = artifact.open_folder(folder, digest)
    return found


@pytest.mark.parametrize("label", LABELS)
def test_an_answer_is_the_weighted_mean(jobs: dict[str, Job], label: str) -> None:
    job, task, table = jobs[label], LABELS[label], made(300, 11)
    weights = json.loads((job.artifact / WEIGHTS).read_text())
    assert weights == job.result["facts"]["weights"]
    expected = sum(
        weights[name] * task.outputs(model.score(table)) for name, model in members_of(job).items()
    )
    model = artifact.open_folder(job.artifact, job.seal())
    np.testing.assert_allclose(task.outputs(model.score(table)), expected, rtol=1e-6)
    assert model.score(table.slice(0, 0)).num_rows == 0
    model.close()


@pytest.mark.parametrize("label", LABELS)
def test_no_blend_is_worse_than_its_best_member(jobs: dict[str, Job], label: str) -> None:
    job, task = jobs[label], LABELS[label]
    validation = pq.read_table(job.tables["validation"])
    known = task.encode(label, validation[label])

    def loss(model: artifact.Model) -> float:
        answers = task.outputs(model.score(validation))
        return loss_of(task, known, answers[None], np.ones(1))

    blended = loss(artifact.open_folder(job.artifact, job.seal()))
    alone = {name: loss(model) for name, model in members_of(job).items()}
    assert blended <= min(alone.values()) + 1e-6
    assert max(alone.values()) - min(alone.values()) > 0.001


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"[0.5, 0.5]",
        b'{"few": 1.0}',
        b'{"few": 0.5, "many": 0.5, "more": 0.0}',
        b'{"few": 0.5, "other": 0.5}',
        b'{"few": 0.5, "many": 0.6}',
        b'{"few": -0.5, "many": 1.5}',
        b'{"few": NaN, "many": 1.0}',
        b'{"few": "a", "many": 1.0}',
        None,
    ],
)
def test_weights_that_are_none_are_refused(
    jobs: dict[str, Job], tmp_path: Path, wrong: bytes | None
) -> None:
    job = jobs["yes"]
    folder = Path(shutil.copytree(job.artifact, tmp_path / "artifact"))
    if wrong is None:
        (folder / WEIGHTS).unlink()
    else:
        (folder / WEIGHTS).write_bytes(wrong)
    digest = replace(job, folder=tmp_path)
    (tmp_path / "result.json").write_bytes((job.folder / "result.json").read_bytes())
    with pytest.raises(ModelRefused, match=r"weights.json does not hold a share of each of few, m"):
        artifact.open_folder(folder, digest.seal())


def test_a_member_that_can_not_be_learned_is_named(tmp_path: Path) -> None:
    job = job_of(tmp_path, "kind", BLEND)
    pq.write_table(made(30, 0).slice(0, 0), job.tables["training"])
    with pytest.raises(ModelError, match="member few: there are no training rows"):
        worker.run(job)
    assert not (job.folder / "result.json").exists()


def test_a_member_that_was_learned_is_not_learned_again(
    jobs: dict[str, Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blend whose process was killed between two members goes on with the second."""
    job = job_of(tmp_path, "yes", BLEND)
    learned: list[str] = []
    run: Callable[..., Any] = worker.members._run

    def killed(member: Job, name: str) -> None:
        learned.append(name)
        run(member, name)
        if len(learned) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(worker.members, "_run", killed)
    with pytest.raises(KeyboardInterrupt):
        worker.run(job)
    (job.folder / "members" / "many" / "result.json").unlink()
    (job.artifact / ".weights.json.1.partial").touch()
    worker.run(job)
    assert learned == ["few", "many", "many"]
    assert job.seal() == jobs["yes"].seal()
