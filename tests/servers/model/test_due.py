"""When a model is retrained, asked of a real journal: cadence, drift, by hand, and never twice."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from models.columns import Columns
from models.spec import ModelSpec
from models.tabular_net.settings import TabularNet
from models.tasks import Binary
from pipelines.core import cases
from pipelines.core.errors import CheckFailed, NothingDue
from pipelines.core.outcomes import DriftDue, Outcome
from pipelines.core.registry import DUE_DRIFT, DUE_TRAINING, TRAIN
from pipelines.learning import due_drift, due_training

NIGHT = "2026-11-20"
TABLES = ("states", "decisions", "labels")


@pytest.fixture
def ask(made: Any) -> Callable[..., Outcome[Any]]:
    """Ask of a night, as the Dags do; a finished run is noted, as the runner does."""

    def run(night: str = NIGHT, **options: str) -> Outcome[Any]:
        outcome = due_training.run(made.context(DUE_TRAINING, night, **options))
        made.run(DUE_TRAINING, night, **vars(outcome.details))
        return outcome

    return run


def publish(made: Any, night: str, version: int = 1) -> None:
    for name in TABLES:
        made.publish(name, night, version)


def train(made: Any, night: str, cutoff: Any) -> None:
    made.run(TRAIN, night, cutoff=cutoff)


def cadence(made: Any, says: str) -> None:
    made.case = replace(made.case, models=(replace(made.case.model(), cadence=says),))


def test_the_first_model_is_due_and_its_tables_are_noted(made: Any, ask: Any) -> None:
    publish(made, NIGHT, version=7)
    outcome = ask()
    assert outcome.details.reason == "there is no model yet"
    tables = {f"gold.{made.case.name}_{name}": 7 for name in TABLES}
    assert outcome.details.state["tables"] == tables


@pytest.mark.parametrize(
    ("says", "learned_until", "reason"),
    [
        ("nightly", 20, "nightly: the last model learned up to 2026-11-20"),
        ("nightly", 21, None),
        ("weekly", 14, "weekly: the last model learned up to 2026-11-14"),
        ("weekly", 15, None),
        ("on drift", 1, None),
    ],
)
def test_the_cadence_counts_from_the_last_training_whatever_the_gate_said(
    made: Any, ask: Any, says: str, learned_until: int, reason: str | None
) -> None:
    publish(made, NIGHT)
    cadence(made, says)
    train(made, "2026-11-01", made.day(1))
    train(made, "2026-11-10", made.day(learned_until))
    made.run(TRAIN, NIGHT, "failed", cutoff=made.day(21))
    if reason:
        assert ask().details.reason == reason
    else:
        with pytest.raises(NothingDue, match=f"cadence is {says}, .* no drift is due"):
            ask()


def test_drift_makes_it_due_before_the_cadence_does(made: Any, ask: Any) -> None:
    publish(made, NIGHT)
    cadence(made, "on drift")
    train(made, "2026-11-10", made.day(11))
    made.judge(NIGHT, due=True)
    assert ask().details.reason == "drift: made up, due"


def test_only_the_newest_verdict_on_this_very_interval_counts(made: Any, ask: Any) -> None:
    publish(made, NIGHT)
    cadence(made, "on drift")
    train(made, "2026-11-10", made.day(11))
    made.judge("2026-11-19", due=True)
    made.judge(NIGHT, due=True, case_name="another case")
    with pytest.raises(NothingDue, match="no drift is due"):
        ask()
    made.judge(NIGHT, due=True)
    made.judge(NIGHT, due=False)
    with pytest.raises(NothingDue, match="no drift is due"):
        ask()


def test_the_form_asks_whatever_the_cadence_says(made: Any, ask: Any) -> None:
    publish(made, NIGHT)
    cadence(made, "on drift")
    train(made, "2026-11-10", made.day(11))
    with pytest.raises(NothingDue):
        ask()
    assert ask(forced="True").details.reason == "asked for in the trigger form"


@pytest.mark.parametrize("options", [{"forced": "True"}, {}])
def test_the_same_tables_and_settings_are_never_learned_from_twice(
    made: Any, ask: Any, options: Any
) -> None:
    publish(made, NIGHT)
    ask()
    train(made, NIGHT, made.day(20))
    made.judge(NIGHT, due=True)
    with pytest.raises(NothingDue, match="trained from these very tables and settings"):
        ask(**options)


def test_a_training_that_failed_leaves_it_due(made: Any, ask: Any) -> None:
    publish(made, NIGHT)
    ask()
    made.attempt(TRAIN, NIGHT, "failed")
    assert ask().details.reason == "there is no model yet"


def test_what_was_noted_after_the_training_is_not_what_it_learned_from(made: Any, ask: Any) -> None:
    publish(made, NIGHT)
    ask()
    train(made, NIGHT, made.day(20))
    publish(made, NIGHT, version=2)
    first = ask()
    # Nothing was trained since: its state was noted, but no model knows it.
    assert ask().details.state == first.details.state


def other_tables(made: Any, _: pytest.MonkeyPatch) -> str:
    made.publish("labels", NIGHT, version=2)
    return NIGHT


def other_cutoff(made: Any, _: pytest.MonkeyPatch) -> str:
    publish(made, "2026-11-21", version=1)
    return "2026-11-21"


def other_training(made: Any, _: pytest.MonkeyPatch) -> str:
    made.case = replace(made.case, models=(replace(made.case.model(), look_back_days=11),))
    return NIGHT


def other_model(_: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    columns = Columns(numeric=("number", "one_more"))
    spec = ModelSpec(columns=columns, task=Binary(), settings=TabularNet())
    monkeypatch.setattr(cases, "model", lambda *_: spec)
    return NIGHT


@pytest.mark.parametrize("change", [other_tables, other_cutoff, other_training, other_model])
def test_other_tables_or_settings_are_learned_from(
    made: Any, ask: Any, monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    publish(made, NIGHT)
    ask()
    train(made, NIGHT, made.day(20))
    night = change(made, monkeypatch)
    assert ask(night, forced="True").details.reason


def test_tables_that_do_not_reach_the_end_are_no_ground_for_a_training(made: Any, ask: Any) -> None:
    publish(made, "2026-11-19")
    with pytest.raises(CheckFailed, match=r"published up to 2026-11-20 .*, not to 2026-11-21"):
        ask()


def test_the_drift_asset_is_emitted_by_a_due_verdict_alone(made: Any) -> None:
    def ask() -> DriftDue:
        return due_drift.run(made.context(DUE_DRIFT, NIGHT)).details

    with pytest.raises(NothingDue, match="2026-11-20 was not watched"):
        ask()
    made.judge(NIGHT, due=False)
    with pytest.raises(NothingDue, match="made up, not due"):
        ask()
    made.judge(NIGHT, due=True)
    assert ask() == DriftDue(reason="made up, due")
