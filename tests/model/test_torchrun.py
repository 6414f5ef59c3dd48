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

import psutil
import pyarrow.parquet as pq
import pytest

from models import scoring
from models.ranks import ALONE
from models.worker import Job, command, main, run

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

    def result(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads((self.folder / "result.json").read_text())
        return read


def wait_for(condition: Any, training: Training) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline or training.process.poll() is not None:
            pytest.fail(f"the training ended too early or hangs:\n{training.ended()[1]}")
        time.sleep(0.005)


def write_job(toy: Any, folder: Path, **changes: Any) -> Path:
    folder.mkdir()
    for name, rows in (("training", toy.table), ("validation", toy.table.slice(0, 101))):
        pq.write_table(rows, folder / f"{name}.parquet")
    spec = replace(
        toy.spec,
        optimisation=replace(
            # 401 rows make batches of 50 and 51, so that shares of two ranks are uneven.
            toy.spec.optimisation, max_epochs=60, patience=60, learning_rate=1e-3
        ),
    )  # fmt: skip
    job = Job(
        spec=changes.pop("spec", spec),
        training=folder / "training.parquet",
        validation=folder / "validation.parquet",
        folder=folder,
        checkpoint_every_steps=7,
        **changes,
    )
    job.write(folder / "job.json")
    return folder / "job.json"


def start(job: Path, **options: int) -> Training:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command(job, num_ranks=2, **options),
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
    alone = json.loads((job.folder / "result.json").read_text())
    result = unbroken.result()
    assert (alone["num_ranks"], result["num_ranks"]) == (1, 2)
    assert len(alone["history"]) == len(result["history"]) == 60
    # Seen: equal to 6e-8 at each of the 60 epochs; only rounding differs.
    for mine, theirs in zip(alone["history"], result["history"], strict=True):
        assert mine["training_loss"] == pytest.approx(theirs["training_loss"], rel=1e-6)
        assert mine["validation_loss"] == pytest.approx(theirs["validation_loss"], rel=1e-6)


def test_the_result_tells_what_a_stage_needs(toy: Any, unbroken: Training) -> None:
    result = unbroken.result()
    model = (unbroken.folder / "model.onnx").read_bytes()
    scores = scoring.load(model, result["digest"]).score(toy.table.slice(0, 101))
    brier = float(((scores - toy.table["label"].to_numpy()[:101]) ** 2).mean())
    assert result["validation"]["brier_score"] == pytest.approx(brier, abs=1e-6)
    assert result["validation"]["roc_auc"] > 0.8
    assert result["num_training_rows"] == 401
    assert result["uninformative_columns"] == ["constant", "empty"]
    carriers = toy.table["carrier"].slice(0, 101).to_pylist()
    assert result["num_unknown_categories"] == {"origin": 0, "carrier": carriers.count("DD")}


def test_r19_a_killed_rank_costs_no_digit(
    trainings: dict[str, Training], unbroken: Training
) -> None:
    killed = trainings["killed"]
    code, said = killed.ended()
    assert code == 0, said
    assert "goes on from its checkpoint" in said
    assert (killed.folder / "model.onnx").read_bytes() == (
        unbroken.folder / "model.onnx"
    ).read_bytes()
    assert killed.result()["history"] == unbroken.result()["history"]
    assert not (killed.folder / "failure.json").exists()


def test_r21_a_hung_rank_ends_the_training_and_is_named(trainings: dict[str, Training]) -> None:
    hung = trainings["hung"]
    code, said = hung.ended()
    assert code == 1, said
    failure = json.loads((hung.folder / "failure.json").read_text())
    assert failure["error"] == "RankLost"
    assert failure["message"].startswith("rank 1 of 2 died or hangs at step ")
    assert not (hung.folder / "model.onnx").exists()


def test_r22_a_failed_training_says_so_in_its_folder(
    toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wild = replace(toy.spec, optimisation=replace(toy.spec.optimisation, learning_rate=1e30))
    job = write_job(toy, tmp_path / "wild", spec=wild)
    monkeypatch.setattr(sys, "argv", ["worker", str(job)])
    assert main() == 1
    failure = json.loads((job.parent / "failure.json").read_text())
    assert failure["error"] == "Diverged"
    assert "no model is made" in failure["message"]
    assert not (job.parent / "model.onnx").exists()
