"""Checkpoints and files: whole or not there, of this training alone, and nothing in them is run."""

import math
import os
import pickle
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.errors import CheckpointRefused
from models.files import write_atomically, write_json
from models.tabular_net import heads
from models.tabular_net.checkpoint import Checkpoints
from models.tabular_net.fit import Fitted, fit
from models.tabular_net.heads import OneOfMany
from models.tabular_net.net import Net
from models.tabular_net.ranks import Ranks
from models.tasks import Regression


def weights_equal(one: Fitted, other: Fitted) -> bool:
    ours, theirs = one.net.state_dict(), other.net.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("keep_bytes", [0, 10, 500, -1])
def test_r20_a_torn_checkpoint_gives_way_to_the_one_before(
    toy: Any, tmp_path: Path, keep_bytes: int
) -> None:
    rows, options = toy.rows(), toy.settings.optimisation
    checkpoints = Checkpoints(tmp_path, every_steps=4)
    unbroken = fit(toy.net(), toy.head, rows, rows, options, checkpoints=checkpoints)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "step-000000032.pt",
        "step-000000036.pt",
    ]
    newest = tmp_path / "step-000000036.pt"
    newest.write_bytes(newest.read_bytes()[:keep_bytes])
    assert weights_equal(
        fit(toy.net(), toy.head, rows, rows, options, checkpoints=checkpoints), unbroken
    )


def test_r20_a_flipped_bit_is_noticed(toy: Any, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, every_steps=1)
    checkpoints.save(1, "same", {"net": {"weight": torch.ones(3)}})
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert checkpoints.load("same") is None


def test_r20_the_one_before_a_torn_checkpoint_is_read(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, every_steps=1)
    for step in (1, 2, 3):
        checkpoints.save(step, "same", {"step": step})
    newest = tmp_path / "step-000000003.pt"
    newest.write_bytes(newest.read_bytes()[:-1])
    assert checkpoints.load("same") == {"step": 2}


def test_r20_a_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    fsync, rename = os.fsync, Path.rename

    def synced(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def renamed(path: Path, to: Path) -> Path:
        done.append("name")
        return rename(path, to)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    write_atomically(tmp_path / "model.onnx", b"whole")
    assert done == ["file", "name", "folder"]
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_r22_a_result_that_is_not_finite_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "result.json", {"loss": math.nan})
    assert list(tmp_path.iterdir()) == []


class Harmful:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.putenv, ("MILLRACE_HARMED", "yes")


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, every_steps=1)
    checkpoints.save(1, "same", {"net": Harmful()})
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        checkpoints.load("same")


@pytest.mark.parametrize("what", ["options", "rows", "net", "head"])
def test_checkpoints_of_another_training_are_refused(toy: Any, tmp_path: Path, what: str) -> None:
    rows, options = toy.rows(), toy.settings.optimisation
    checkpoints = Checkpoints(tmp_path, every_steps=4)
    fit(toy.net(), toy.head, rows, rows, options, checkpoints=checkpoints)
    net, head, training = toy.net(), toy.head, rows
    match what:
        case "options":
            options = replace(options, weight_decay=0.5)
        case "rows":
            training = rows.take(torch.arange(400))
        case "net":
            net = toy.net(seed=1)
        case "head":
            head = OneOfMany()
    with pytest.raises(CheckpointRefused, match="another training"):
        fit(net, head, training, rows, options, checkpoints=checkpoints)


def test_checkpoints_of_another_interval_are_refused(toy: Any, tmp_path: Path) -> None:
    """Nothing but the head tells a net that learns 80 % intervals from one that learns 90 %."""
    rows, checkpoints = toy.rows(), Checkpoints(tmp_path, every_steps=4)

    def learn(coverage: float) -> None:
        task = Regression(coverage=coverage)
        net = Net(toy.statistics, toy.settings.architecture, task.num_outputs, 0)
        means = heads.head(task, rows.label_B.numpy())
        fit(net, means, rows, rows, toy.settings.optimisation, checkpoints=checkpoints)

    learn(0.8)
    with pytest.raises(CheckpointRefused, match="another training"):
        learn(0.9)


def test_checkpoints_that_stopped_by_other_rows_are_refused(toy: Any, tmp_path: Path) -> None:
    rows, checkpoints = toy.rows(), Checkpoints(tmp_path, every_steps=4)
    options = replace(toy.settings.optimisation, max_epochs=1)
    fit(toy.net(), toy.head, rows, rows, options, checkpoints=checkpoints)
    others = rows.take(torch.arange(400))
    with pytest.raises(CheckpointRefused, match="another training"):
        fit(toy.net(), toy.head, rows, others, options, checkpoints=checkpoints)


class Second(Ranks):
    """Rank 1 of 2, whose first never says anything."""

    def wrap(self, net: torch.nn.Module) -> torch.nn.Module:
        return net

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        return values.clone()


def test_rank_0_alone_saves(toy: Any, tmp_path: Path) -> None:
    rows, options = toy.rows(), replace(toy.settings.optimisation, max_epochs=1)
    checkpoints = Checkpoints(tmp_path, every_steps=1)
    fit(toy.net(), toy.head, rows, rows, options, ranks=Second(1, 2), checkpoints=checkpoints)
    assert list(tmp_path.iterdir()) == []
