"""The gate and the way back on a real journal: who is champion, and what may never make one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.errors import DataRefused
from models.tasks import Binary
from pipelines.core.errors import CheckFailed, MillraceError, Superseded, UsageError
from pipelines.core.journal import promotions
from pipelines.core.outcomes import RolledBack
from pipelines.core.registry import PROMOTE, ROLLBACK
from pipelines.learning import champion, promote, rollback
from pipelines.learning.champion import KEPT, PROMOTED, REFRESHED, ROLLED_BACK
from pipelines.use_cases.spec.model import Gate
from tests.servers.contexts import replace_holder

NIGHT = "2026-11-20"
SEED = 3
TRAINING_SET = "known_at timestamp, is_late boolean, good double, bad double, part string"


class Scores:
    """Stands in for registered models: each version gives the probabilities of its column."""

    def __init__(self, name: str) -> None:
        self.name = name

    def score(self, rows: pa.Table) -> pa.Table:
        if self.name not in rows.column_names:
            raise DataRefused(f"{self.name}: the table has 0 columns of that name")
        return Binary().answered(rows[self.name].to_numpy()[:, None])


@pytest.fixture
def stage(made: Any, registry: Any, tables: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A case whose gate asks little, and a training set with six days of rows to be judged on.

    It is written when it is first read; `learned_from` writes another one, whose version is what a
    challenger says it learned from.
    """
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    late = rng.random(600) < 0.5
    rows = pa.table(
        {
            "known_at": [made.day(15 + place // 100) for place in range(600)],
            "is_late": late,
            "good": 0.25 + 0.5 * np.where(rng.random(600) < 0.9, late, ~late),
            "bad": np.full(600, 0.5),
        }
    )

    def learned_from(judged_on: pa.Table) -> int:
        # A row that was learned from, which must judge nothing.
        learned = (made.day(1), True, 0.0, 0.0, "training")
        evaluation = [(*row.values(), "evaluation") for row in judged_on.to_pylist()]
        version: int = tables.make("training_set", TRAINING_SET, [learned, *evaluation])
        return version

    evaluation = promote._evaluation

    def evaluation_written_first(context: Any, challenger: Any) -> pa.Table:
        if not tables.exists("training_set"):
            assert learned_from(rows) == challenger.training_set
        return evaluation(context, challenger)

    made.rows_to_judge_on, made.learned_from = rows, learned_from
    monkeypatch.setattr(promote, "_evaluation", evaluation_written_first)
    made.models = {1: "good", 2: "good", 3: "bad"}
    gate = Gate(num_rows_min=600, floor=0.4)
    made.case = replace(made.case, models=(replace(made.case.model(), gate=gate),))
    monkeypatch.setattr(champion, "load", lambda *given: Scores(made.models[given[-1]]))
    return made


def judged(stage: Any) -> list[tuple[int, str, int | None]]:
    return [(row.version, row.decision, row.champion_before) for row in stage.rows(promotions)]


def test_the_first_good_model_is_champion_and_the_alias_follows(stage: Any, registry: Any) -> None:
    registry.add(1, NIGHT, stage.day(21))
    outcome = promote.run(stage.context(PROMOTE, NIGHT))
    assert outcome.details.decision == PROMOTED
    assert judged(stage) == [(1, PROMOTED, None)]
    assert registry.aliases == {"champion": 1}
    now = champion.current(stage.engine, stage.case.name, "late")
    assert (now.version, now.cutoff) == (1, stage.day(21))


def test_a_worse_model_is_noted_and_the_champion_stays(stage: Any, registry: Any) -> None:
    stage.promote(1, stage.day(10))
    registry.add(3, NIGHT, stage.day(21))
    outcome = promote.run(stage.context(PROMOTE, NIGHT))
    assert outcome.details.decision == KEPT
    assert "it may lose 0.01 at most" in outcome.details.reason
    assert judged(stage) == [(1, PROMOTED, None), (3, KEPT, 1)]
    assert registry.aliases == {"champion": 1}


def test_both_models_answer_the_same_rows(stage: Any, registry: Any) -> None:
    stage.promote(1, stage.day(10))
    registry.add(2, NIGHT, stage.day(21))
    promote.run(stage.context(PROMOTE, NIGHT))
    gain = stage.rows(promotions)[-1].evidence["gain"]
    assert (gain["estimate"], gain["low"], gain["high"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (lambda rows: rows.slice(0, 0), "0 evaluation rows, 600 are needed: no data is no proof"),
        (lambda rows: rows.slice(0, 599), "599 evaluation rows"),
        (
            lambda rows: rows.set_column(1, "is_late", pa.array(np.arange(600) < 99)),
            "99 rows of the rarer outcome, 100 are needed",
        ),
        (
            lambda rows: rows.set_column(1, "is_late", pa.array(np.arange(600) >= 99)),
            "99 rows of the rarer outcome, 100 are needed",
        ),
    ],
)
def test_no_data_or_one_outcome_promotes_nobody(
    stage: Any, registry: Any, rows: Any, reason: str
) -> None:
    version = stage.learned_from(rows(stage.rows_to_judge_on))
    registry.add(1, NIGHT, stage.day(21), version)
    outcome = promote.run(stage.context(PROMOTE, NIGHT))
    assert outcome.details.decision == KEPT
    assert reason in outcome.details.reason
    assert champion.current(stage.engine, stage.case.name, "late") is None
    assert registry.aliases == {}


def test_the_challenger_is_the_newest_version_of_this_interval(stage: Any, registry: Any) -> None:
    registry.add(1, NIGHT, stage.day(21))
    registry.add(2, NIGHT, stage.day(21))
    registry.add(3, "2026-11-19", stage.day(20))
    assert promote.run(stage.context(PROMOTE, NIGHT)).details.version == 2
    with pytest.raises(CheckFailed, match="no version trained for 2026-11-18; run train first"):
        promote.run(stage.context(PROMOTE, "2026-11-18"))


def test_promoting_the_champion_again_changes_nothing_but_heals_the_alias(
    stage: Any, registry: Any
) -> None:
    registry.add(1, NIGHT, stage.day(21))
    promote.run(stage.context(PROMOTE, NIGHT))
    registry.aliases["champion"] = 99
    assert promote.run(stage.context(PROMOTE, NIGHT)).details.decision == KEPT
    assert judged(stage) == [(1, PROMOTED, None)]
    assert registry.aliases == {"champion": 1}


def test_the_champion_never_moves_back_in_time(stage: Any, registry: Any) -> None:
    stage.promote(1, stage.day(21))
    registry.add(2, "2026-11-19", stage.day(20))
    with pytest.raises(CheckFailed, match=r"version 2 learned up to .*say `millrace rollback`"):
        promote.run(stage.context(PROMOTE, "2026-11-19"))
    assert judged(stage) == [(1, PROMOTED, None)]


def test_a_challenger_meets_the_champion_as_it_was_learned(
    stage: Any, registry: Any, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refreshed version knows of the rows by which both are judged."""
    stage.promote(1, stage.day(10))
    refreshed = {"learned": 1}
    stage.add(
        promotions, model="late", interval="2026-11-19", version=2, decision=REFRESHED, reason="",
        champion_before=1, cutoff=stage.day(10), metric="roc_auc", value=0.7, evidence=refreshed,
        attempt=1,
    )  # fmt: skip
    asked: list[int] = []
    load = champion.load
    monkeypatch.setattr(champion, "load", lambda *given: asked.append(given[-1]) or load(*given))
    registry.add(3, NIGHT, stage.day(21))
    promote.run(stage.context(PROMOTE, NIGHT))
    assert asked == [3, 1]
    assert judged(stage)[-1] == (3, KEPT, 2)


def test_a_model_of_the_same_cutoff_may_win(stage: Any, registry: Any) -> None:
    stage.promote(1, stage.day(21))
    registry.add(2, NIGHT, stage.day(21))
    assert promote.run(stage.context(PROMOTE, NIGHT)).details.decision == PROMOTED


def test_a_champion_that_lacks_an_input_stops_the_gate_in_words(stage: Any, registry: Any) -> None:
    stage.promote(1, stage.day(10))
    stage.models[1] = "a column of old"
    registry.add(2, NIGHT, stage.day(21))
    with pytest.raises(MillraceError, match=r"version 1 can't score .*keep the column until"):
        promote.run(stage.context(PROMOTE, NIGHT))
    assert judged(stage) == [(1, PROMOTED, None)]


def test_r14_one_promoted_in_the_meantime_is_not_overwritten(
    stage: Any, registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.add(2, NIGHT, stage.day(21))
    answered = promote._answered

    def meanwhile(*given: Any) -> Any:
        stage.promote(1, stage.day(10))
        return answered(*given)

    monkeypatch.setattr(promote, "_answered", meanwhile)
    with pytest.raises(Superseded, match="version 1 became the champion"):
        promote.run(stage.context(PROMOTE, NIGHT))
    assert judged(stage) == [(1, PROMOTED, None)]
    assert registry.aliases == {}


def test_r11_an_attempt_that_was_replaced_promotes_and_rolls_back_nothing(
    stage: Any, registry: Any
) -> None:
    stage.promote(1, stage.day(10))
    stage.promote(2, stage.day(11))
    registry.add(2, NIGHT, stage.day(21))
    registry.add(3, NIGHT, stage.day(21))
    before = judged(stage)
    stages = ((promote.run, PROMOTE, {}), (rollback.run, ROLLBACK, {"to": "1"}))
    for run, said, options in stages:
        context = stage.context(said, NIGHT, **options)
        replace_holder(stage.engine, stage.case.name, "champion of late")
        with pytest.raises(Superseded, match="replaced by attempt 1000000"):
            run(context)
    assert judged(stage) == before
    assert registry.aliases == {}


def test_rollback_names_an_earlier_champion_with_its_own_cutoff(stage: Any, registry: Any) -> None:
    stage.promote(1, stage.day(10))
    stage.promote(2, stage.day(20))
    outcome = rollback.run(stage.context(ROLLBACK, NIGHT, to="1"))
    assert outcome.details == RolledBack(version=1, before=2)
    assert judged(stage)[-1] == (1, ROLLED_BACK, 2)
    now = champion.current(stage.engine, stage.case.name, "late")
    assert (now.version, now.cutoff) == (1, stage.day(10))
    assert (now.metric, now.value) == ("roc_auc", 0.01)
    assert registry.aliases == {"champion": 1}


@pytest.mark.parametrize(
    ("version", "says"),
    [(3, "never was champion"), (9, "never was champion"), (2, "is the champion .* already")],
)
def test_rollback_goes_to_an_earlier_champion_alone(
    stage: Any, registry: Any, version: int, says: str
) -> None:
    stage.promote(1, stage.day(10))
    stage.promote(2, stage.day(20))
    stage.promote(3, stage.day(21), KEPT)
    with pytest.raises(UsageError, match=says):
        rollback.run(stage.context(ROLLBACK, NIGHT, to=str(version)))
    assert len(judged(stage)) == 3
    assert registry.aliases == {}


def test_a_case_without_champion_has_nothing_to_go_back_to(stage: Any, registry: Any) -> None:
    stage.promote(3, stage.day(21), KEPT)
    with pytest.raises(UsageError, match="never was champion"):
        rollback.run(stage.context(ROLLBACK, NIGHT, to="3"))
