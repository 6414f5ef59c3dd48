"""Real processes started by torchrun: two ranks, kills, hangs; all trainings run side by side."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from models import artifact, families
from models.columns import Columns
from models.job import Job, main
from models.spec import ModelSpec
from models.tabular_net.ranks import ALONE
from models.tabular_net.worker import run
from models.tasks import Regression
from models.tasks.task import Evidence

# Starting torch twice on a busy machine is most of it; a hung test must still end.
PATIENCE_SECONDS = 300
HANG_SECONDS = 10


@dataclass(frozen=True)
class Training:
    """One torchrun with its folder."""

    folder: Path
    process: subprocess.Popen[str]

    def rank(self, rank: int) -> psutil.Process:
        """The process of a rank, once the training has made its first checkpoint."""
        wait_for(lambda: any((self.folder / "checkpoints").glob("step-*.pt")), self)
        children = psutil.Process(self.process.pid).children()
        (found,) = [child for child in children if child.environ().get("RANK") == str(rank)]
        return found

    def ended(self) -> tuple[int, str]:
        said, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, said

    @property
    def job(self) -> Job:
        return Job.read(self.folder / "job.json")

    @property
    def model(self) -> Path:
        return self.job.artifact / "model.onnx"


def wait_for(condition: Any, training: Training) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline or training.process.poll() is not None:
            pytest.fail(f"the training ended too early or hangs:\n{training.ended()[1]}")
        time.sleep(0.005)


def spec_of(toy: Any, **optimisation: Any) -> ModelSpec:
    changed = replace(toy.settings.optimisation, **optimisation)
    spec: ModelSpec = replace(toy.spec, settings=replace(toy.settings, optimisation=changed))
    return spec


def numbers_of(toy: Any) -> ModelSpec:
    """A regression, whose labels have a centre and a scale, in fewer epochs."""
    spec = spec_of(toy, max_epochs=8, patience=8)
    columns = Columns(numeric=("delay", "gusts"), categorical=("carrier",))
    return replace(spec, task=Regression(coverage=0.9), columns=columns)


def write_job(toy: Any, folder: Path, **changes: Any) -> Path:
    folder.mkdir()
    for name, rows in (("training", toy.table), ("validation", toy.table.slice(0, 101))):
        pq.write_table(rows, folder / f"{name}.parquet")
    # 401 rows make batches of 50 and 51, so that shares of two ranks are uneven.
    spec = spec_of(toy, max_epochs=60, patience=60, learning_rate=1e-3)
    job = Job(
        spec=changes.pop("spec", spec),
        label=changes.pop("label", "label"),
        tables={name: folder / f"{name}.parquet" for name in ("training", "validation")},
        folder=folder,
        **changes,
    )
    job.write(folder / "job.json")
    return folder / "job.json"


def start(job: Path, *, num_restarts: int) -> Training:
    command = families.find("tabular_net").command(job, num_processes=2)
    place = command.index("--max-restarts=1")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [*command[:place], f"--max-restarts={num_restarts}", *command[place + 1 :]],
        cwd=Path(__file__).parents[2],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Training(job.parent, process)


@pytest.fixture(scope="module")
def trainings(toy: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Training]]:
    root = tmp_path_factory.mktemp("trainings")
    started = {
        "unbroken": start(write_job(toy, root / "unbroken"), num_restarts=0),
        "numbers": start(
            write_job(toy, root / "numbers", spec=numbers_of(toy), label="hour"), num_restarts=0
        ),
        "killed": start(write_job(toy, root / "killed"), num_restarts=1),
        "hung": start(write_job(toy, root / "hung", timeout_seconds=HANG_SECONDS), num_restarts=0),
    }
    # Both act at the first checkpoint, so before the tests wait for anything.
    started["killed"].rank(1).send_signal(signal.SIGKILL)
    started["hung"].rank(1).send_signal(signal.SIGSTOP)
    yield started
    for training in started.values():
        if training.process.poll() is None:
            for child in psutil.Process(training.process.pid).children():
                child.kill()
            training.process.kill()


@pytest.fixture(scope="module")
def unbroken(trainings: dict[str, Training]) -> Training:
    code, said = trainings["unbroken"].ended()
    assert code == 0, said
    return trainings["unbroken"]


def test_one_rank_and_two_ranks_have_equal_losses(
    toy: Any, unbroken: Training, tmp_path: Path
) -> None:
    job = Job.read(write_job(toy, tmp_path / "alone"))
    run(job, ALONE)
    alone, result = job.result, unbroken.job.result
    assert [each["facts"]["num_processes"] for each in (alone, result)] == [1, 2]
    assert len(alone["history"]) == len(result["history"]) == 60
    # Seen: equal to 6e-8 at each of the 60 epochs; only rounding differs.
    for mine, theirs in zip(alone["history"], result["history"], strict=True):
        assert mine["training_loss"] == pytest.approx(theirs["training_loss"], rel=1e-6)
        assert mine["validation_loss"] == pytest.approx(theirs["validation_loss"], rel=1e-6)


def test_one_rank_and_two_ranks_learn_the_same_numbers(
    toy: Any, trainings: dict[str, Training], tmp_path: Path
) -> None:
    together = trainings["numbers"]
    code, said = together.ended()
    assert code == 0, said
    job = Job.read(write_job(toy, tmp_path / "alone", spec=numbers_of(toy), label="hour"))
    run(job, ALONE)
    pairs = zip(job.result["history"], together.job.result["history"], strict=True)
    for mine, theirs in pairs:
        assert mine["training_loss"] == pytest.approx(theirs["training_loss"], rel=1e-6)
        assert mine["validation_loss"] == pytest.approx(theirs["validation_loss"], rel=1e-6)
    alone, both = (artifact.open_folder(each.artifact, each.seal()) for each in (job, together.job))
    answers = [model.task.outputs(model.score(toy.table)) for model in (alone, both)]
    np.testing.assert_allclose(*answers, rtol=0, atol=1e-4)
    assert np.ptp(answers[0]) > 1


def test_the_result_tells_what_a_stage_needs(toy: Any, unbroken: Training) -> None:
    job, result = unbroken.job, unbroken.job.result
    model = artifact.open_folder(job.artifact, job.seal())
    validation, task = toy.table.slice(0, 101), model.task
    label = task.encode("label", validation["label"])
    answers = task.outputs(model.score(validation))
    scores = task.scores(Evidence(label, answers, np.zeros(101, int)))
    best = result["history"][result["facts"]["best_epoch"]]
    assert scores["log_loss"] == pytest.approx(best["validation_loss"], abs=1e-6)
    assert best["validation_loss"] == min(each["validation_loss"] for each in result["history"])
    assert scores["roc_auc"] > 0.8  # type: ignore[operator]
    assert result["facts"]["num_training_rows"] == 401
    assert result["facts"]["uninformative_columns"] == ["constant", "empty"]
    carriers = toy.table["carrier"].slice(0, 101).to_pylist()
    unknown = {"origin": 0, "carrier": carriers.count("DD")}
    assert result["facts"]["num_unknown_categories"] == unknown


def test_r19_a_killed_rank_costs_no_digit(
    trainings: dict[str, Training], unbroken: Training
) -> None:
    killed = trainings["killed"]
    code, said = killed.ended()
    assert code == 0, said
    assert "goes on from its checkpoint" in said
    assert killed.model.read_bytes() == unbroken.model.read_bytes()
    assert killed.job.seal() == unbroken.job.seal()
    assert killed.job.result["history"] == unbroken.job.result["history"]
    assert not (killed.folder / "failure.json").exists()


def test_r21_a_hung_rank_ends_the_training_and_is_named(trainings: dict[str, Training]) -> None:
    hung = trainings["hung"]
    code, said = hung.ended()
    assert code == 1, said
    failure = json.loads((hung.folder / "failure.json").read_text())
    assert failure["error"] == "RankLost"
    assert failure["message"].startswith("rank 1 of 2 died or hangs at step ")
    assert not hung.model.exists()


def test_r22_a_failed_training_says_so_in_its_folder(
    toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = write_job(toy, tmp_path / "wild", spec=spec_of(toy, learning_rate=1e30))
    monkeypatch.setattr(sys, "argv", ["worker", str(job)])
    assert main(lambda told: run(told, ALONE)) == 1
    failure = json.loads((job.parent / "failure.json").read_text())
    assert failure["error"] == "Diverged"
    assert "no model is made" in failure["message"]
    assert not (job.parent / "artifact").exists()
    assert not (job.parent / "result.json").exists()
