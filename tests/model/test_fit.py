"""Training in one process: it learns, it resumes exactly, it stops by policy."""

import math
import os
import pickle
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.checkpoint import Checkpoints, write_atomically, write_json
from models.data import Rows
from models.errors import CheckpointRefused, DataRefused, Diverged
from models.fit import Fitted, fit
from models.metrics import evaluate
from models.ranks import Ranks


def weights_equal(one: Fitted, other: Fitted) -> bool:
    ours, theirs = one.net.state_dict(), other.net.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def auc(fitted: Fitted, rows: Rows) -> float:
    with torch.no_grad():
        probability = fitted.net.probability(rows.numeric_BF, rows.codes_BC)
    found = evaluate(rows.label_B.numpy(), probability.numpy()).roc_auc
    assert found is not None
    return found


def test_it_overfits_one_batch(toy: Any) -> None:
    batch = toy.rows().take(torch.arange(32))
    options = replace(
        toy.spec.optimisation,
        batch_rows=32, max_epochs=120, patience=120, learning_rate=0.05, hidden_category_rate=0.0,
    )  # fmt: skip
    fitted = fit(toy.net(), batch, batch, options)
    assert fitted.history[0].training_loss > 0.5
    assert fitted.history[fitted.best_epoch].validation_loss < 0.01


def test_it_learns_what_carries_over_to_other_rows(toy: Any, make_table: Any) -> None:
    later = toy.rows(make_table(1000, seed=1))
    # The truth itself reaches 0.85 on these rows: labels are drawn.
    assert auc(fit(toy.net(), toy.rows(), later, toy.spec.optimisation), later) > 0.8


def test_the_best_epoch_is_kept_and_training_ends_early(toy: Any, make_table: Any) -> None:
    few, later = toy.rows().take(torch.arange(60)), toy.rows(make_table(300, seed=1))
    options = replace(toy.spec.optimisation, max_epochs=60, patience=3, learning_rate=0.03)
    fitted = fit(toy.net(), few, later, options)
    losses = [epoch.validation_loss for epoch in fitted.history]
    assert fitted.best_epoch == int(np.argmin(losses))
    assert len(losses) == fitted.best_epoch + 1 + 3 < 60
    with torch.no_grad():
        probability = fitted.net.probability(later.numeric_BF, later.codes_BC)
    found = evaluate(later.label_B.numpy(), probability.numpy())
    assert found.log_loss == pytest.approx(losses[fitted.best_epoch], rel=1e-6)


class Killed(Exception):
    """Ends a training at a step, as a crash would."""


class KilledAt(Ranks):
    """One process that ends when a step is done."""

    def reached(self, step: int) -> None:
        if step == self.size_of_training:
            raise Killed

    size_of_training = 0


def killed_at(step: int) -> Ranks:
    ranks = KilledAt()
    object.__setattr__(ranks, "size_of_training", step)
    return ranks


@pytest.mark.parametrize("killed_after", [1, 5, 9, 10, 17, 36])
def test_r19_a_killed_training_goes_on_to_the_same_weights(
    toy: Any, tmp_path: Path, killed_after: int
) -> None:
    rows, options = toy.rows(), replace(toy.spec.optimisation, hidden_numeric_rate=0.1)
    unbroken = fit(toy.net(), rows, rows, options)
    checkpoints = Checkpoints(tmp_path, every_steps=3)
    with pytest.raises(Killed):
        fit(toy.net(), rows, rows, options, ranks=killed_at(killed_after), checkpoints=checkpoints)
    resumed = fit(toy.net(), rows, rows, options, checkpoints=checkpoints)
    assert weights_equal(resumed, unbroken)
    for mine, theirs in zip(resumed.history, unbroken.history, strict=True):
        assert mine.validation_loss == theirs.validation_loss
        assert mine.training_loss == pytest.approx(theirs.training_loss, rel=1e-12)


@pytest.mark.parametrize("keep_bytes", [0, 10, 500, -1])
def test_r20_a_torn_checkpoint_gives_way_to_the_one_before(
    toy: Any, tmp_path: Path, keep_bytes: int
) -> None:
    rows, options = toy.rows(), toy.spec.optimisation
    checkpoints = Checkpoints(tmp_path, every_steps=4)
    unbroken = fit(toy.net(), rows, rows, options, checkpoints=checkpoints)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "step-000000032.pt",
        "step-000000036.pt",
    ]
    newest = tmp_path / "step-000000036.pt"
    newest.write_bytes(newest.read_bytes()[:keep_bytes])
    assert weights_equal(fit(toy.net(), rows, rows, options, checkpoints=checkpoints), unbroken)


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


def test_checkpoints_of_another_training_are_refused(toy: Any, tmp_path: Path) -> None:
    rows, options = toy.rows(), toy.spec.optimisation
    checkpoints = Checkpoints(tmp_path, every_steps=4)
    fit(toy.net(), rows, rows, options, checkpoints=checkpoints)
    others = {
        "options": (toy.net(), rows, replace(options, weight_decay=0.5)),
        "rows": (toy.net(), rows.take(torch.arange(400)), options),
        "net": (toy.net(seed=1), rows, options),
    }
    for what, (net, training, changed) in others.items():
        with pytest.raises(CheckpointRefused, match="another training"):
            pytest.fail(f"{what}: {fit(net, training, rows, changed, checkpoints=checkpoints)}")


def test_checkpoints_that_stopped_by_other_rows_are_refused(toy: Any, tmp_path: Path) -> None:
    rows, checkpoints = toy.rows(), Checkpoints(tmp_path, every_steps=4)
    options = replace(toy.spec.optimisation, max_epochs=1)
    fit(toy.net(), rows, rows, options, checkpoints=checkpoints)
    others = rows.take(torch.arange(400))
    with pytest.raises(CheckpointRefused, match="another training"):
        fit(toy.net(), rows, others, options, checkpoints=checkpoints)


def test_no_step_follows_a_longer_gradient_than_the_limit(
    toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    norms, step = [], torch.optim.AdamW.step

    def noted(optimizer: torch.optim.AdamW, *given: Any) -> Any:
        gradients = [each.grad for group in optimizer.param_groups for each in group["params"]]
        norms.append(torch.linalg.vector_norm(torch.cat([g.flatten() for g in gradients])).item())
        return step(optimizer, *given)

    monkeypatch.setattr(torch.optim.AdamW, "step", noted)
    rows = toy.rows()
    options = replace(toy.spec.optimisation, max_epochs=1, max_gradient_norm=0.01)
    fit(toy.net(), rows, rows, options)
    assert len(norms) == 9
    assert max(norms) == pytest.approx(0.01, rel=1e-3)


def test_r22_a_poisoned_batch_stops_training(toy: Any) -> None:
    rows = toy.rows()
    poisoned = Rows(rows.numeric_BF, rows.codes_BC, rows.label_B.clone())
    poisoned.label_B[17] = math.nan
    with pytest.raises(
        Diverged, match=r"gradient became nan at epoch 0, batch .* no model is made"
    ):
        fit(toy.net(), poisoned, rows, toy.spec.optimisation)


def test_r22_weights_that_explode_at_the_last_step_of_an_epoch_stop_training(toy: Any) -> None:
    rows = toy.rows()
    options = replace(toy.spec.optimisation, batch_rows=len(rows), learning_rate=1e30)
    with pytest.raises(Diverged, match="validation loss became nan after epoch 0, so no model"):
        fit(toy.net(), rows, rows, options)


def test_r22_exploding_weights_stop_training(toy: Any) -> None:
    rows, options = toy.rows(), replace(toy.spec.optimisation, learning_rate=1e30)
    with pytest.raises(Diverged, match="no model is made"):
        fit(toy.net(), rows, rows, options)


def test_no_rows_are_refused_by_name(toy: Any) -> None:
    rows = toy.rows()
    nothing = rows.take(torch.arange(0))
    with pytest.raises(DataRefused, match="no training rows"):
        fit(toy.net(), nothing, rows, toy.spec.optimisation)
    with pytest.raises(DataRefused, match="no validation rows"):
        fit(toy.net(), rows, nothing, toy.spec.optimisation)


def test_b21_one_class_alone_still_trains(toy: Any) -> None:
    rows = toy.rows()
    late = Rows(rows.numeric_BF, rows.codes_BC, torch.ones_like(rows.label_B))
    fitted = fit(toy.net(), late, late, toy.spec.optimisation)
    assert fitted.history[-1].validation_loss < 0.05


class Second(Ranks):
    """Rank 1 of 2, whose first never says anything."""

    def wrap(self, net: torch.nn.Module) -> torch.nn.Module:
        return net

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        return values.clone()


def test_rank_0_alone_saves(toy: Any, tmp_path: Path) -> None:
    rows, options = toy.rows(), replace(toy.spec.optimisation, max_epochs=1)
    checkpoints = Checkpoints(tmp_path, every_steps=1)
    fit(toy.net(), rows, rows, options, ranks=Second(1, 2), checkpoints=checkpoints)
    assert list(tmp_path.iterdir()) == []
