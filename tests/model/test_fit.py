"""Training in one process: it learns, it resumes exactly, it stops by policy."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.errors import DataRefused, Diverged
from models.tabular_net.checkpoint import Checkpoints
from models.tabular_net.data import Rows
from models.tabular_net.fit import Fitted, fit
from models.tabular_net.ranks import Ranks
from models.tasks import Binary
from models.tasks.task import Evidence


def weights_equal(one: Fitted, other: Fitted) -> bool:
    ours, theirs = one.net.state_dict(), other.net.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def scores(toy: Any, fitted: Fitted, rows: Rows) -> dict[str, float | None]:
    with torch.no_grad():
        probability = toy.probability(fitted.net, rows).numpy().astype(float)
    label = rows.label_B.numpy().astype(float)
    return Binary().scores(Evidence(label, probability[:, None], np.zeros(len(label), int)))


def test_it_overfits_one_batch(toy: Any) -> None:
    batch = toy.rows().take(torch.arange(32))
    options = replace(
        toy.settings.optimisation,
        batch_rows=32, max_epochs=120, patience=120, learning_rate=0.05, hidden_category_rate=0.0,
    )  # fmt: skip
    fitted = fit(toy.net(), toy.head, batch, batch, options)
    assert fitted.history[0].training_loss > 0.5
    assert fitted.history[fitted.best_epoch].validation_loss < 0.01


def test_it_learns_what_carries_over_to_other_rows(toy: Any, make_table: Any) -> None:
    later = toy.rows(make_table(1000, seed=1))
    # The truth itself reaches 0.85 on these rows: labels are drawn.
    fitted = fit(toy.net(), toy.head, toy.rows(), later, toy.settings.optimisation)
    found = scores(toy, fitted, later)["roc_auc"]
    assert found is not None
    assert found > 0.8


def test_the_best_epoch_is_kept_and_training_ends_early(toy: Any, make_table: Any) -> None:
    few, later = toy.rows().take(torch.arange(60)), toy.rows(make_table(300, seed=1))
    options = replace(toy.settings.optimisation, max_epochs=60, patience=3, learning_rate=0.03)
    fitted = fit(toy.net(), toy.head, few, later, options)
    losses = [epoch.validation_loss for epoch in fitted.history]
    assert fitted.best_epoch == int(np.argmin(losses))
    assert len(losses) == fitted.best_epoch + 1 + 3 < 60
    found = scores(toy, fitted, later)["log_loss"]
    assert found == pytest.approx(losses[fitted.best_epoch], rel=1e-6)


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
    rows, options = toy.rows(), replace(toy.settings.optimisation, hidden_numeric_rate=0.1)
    unbroken = fit(toy.net(), toy.head, rows, rows, options)
    checkpoints = Checkpoints(tmp_path, every_steps=3)
    with pytest.raises(Killed):
        fit(
            toy.net(),
            toy.head,
            rows,
            rows,
            options,
            ranks=killed_at(killed_after),
            checkpoints=checkpoints,
        )
    resumed = fit(toy.net(), toy.head, rows, rows, options, checkpoints=checkpoints)
    assert weights_equal(resumed, unbroken)
    for mine, theirs in zip(resumed.history, unbroken.history, strict=True):
        assert mine.validation_loss == theirs.validation_loss
        assert mine.training_loss == pytest.approx(theirs.training_loss, rel=1e-12)


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
    options = replace(toy.settings.optimisation, max_epochs=1, max_gradient_norm=0.01)
    fit(toy.net(), toy.head, rows, rows, options)
    assert len(norms) == 9
    assert max(norms) == pytest.approx(0.01, rel=1e-3)


def test_r22_a_poisoned_batch_stops_training(toy: Any) -> None:
    rows = toy.rows()
    poisoned = Rows(rows.numeric_BF, rows.codes_BC, rows.label_B.clone())
    poisoned.label_B[17] = math.nan
    with pytest.raises(
        Diverged, match=r"gradient became nan at epoch 0, batch .* no model is made"
    ):
        fit(toy.net(), toy.head, poisoned, rows, toy.settings.optimisation)


def test_r22_weights_that_explode_at_the_last_step_of_an_epoch_stop_training(toy: Any) -> None:
    rows = toy.rows()
    options = replace(toy.settings.optimisation, batch_rows=len(rows), learning_rate=1e30)
    with pytest.raises(Diverged, match="validation loss became nan after epoch 0, so no model"):
        fit(toy.net(), toy.head, rows, rows, options)


def test_r22_exploding_weights_stop_training(toy: Any) -> None:
    rows, options = toy.rows(), replace(toy.settings.optimisation, learning_rate=1e30)
    with pytest.raises(Diverged, match="no model is made"):
        fit(toy.net(), toy.head, rows, rows, options)


def test_no_rows_are_refused_by_name(toy: Any) -> None:
    rows = toy.rows()
    nothing = rows.take(torch.arange(0))
    with pytest.raises(DataRefused, match="no training rows"):
        fit(toy.net(), toy.head, nothing, rows, toy.settings.optimisation)
    with pytest.raises(DataRefused, match="no validation rows"):
        fit(toy.net(), toy.head, rows, nothing, toy.settings.optimisation)


def test_b21_one_class_alone_still_trains(toy: Any) -> None:
    rows = toy.rows()
    late = Rows(rows.numeric_BF, rows.codes_BC, torch.ones_like(rows.label_B))
    fitted = fit(toy.net(), toy.head, late, late, toy.settings.optimisation)
    assert fitted.history[-1].validation_loss < 0.05
