"""What is asked, written and proven of an interval's predictions; no model is run."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from pipelines.core.errors import CheckFailed, NothingDue
from pipelines.core.journal import builds
from pipelines.core.registry import PREDICT, VALIDATE_PREDICTIONS
from pipelines.data.validate import predictions
from pipelines.learning import inputs, predict
from pipelines.learning.champion import KEPT

pytestmark = pytest.mark.usefixtures("great_expectations")

NIGHT = "2026-11-20"
MICROSECOND = timedelta(microseconds=1)
DECISIONS = "id int, known_at timestamp, known_date date, is_batch boolean"
PREDICTIONS = "id int, decided_at timestamp, model_version bigint, decided_date date"


def decided(number: int, at: Any, is_batch: bool = True) -> tuple[Any, ...]:
    """A decision; at midnight it lies in the partition of the day that ends then."""
    return number, at, (at - MICROSECOND).date(), is_batch


@pytest.fixture
def stage(made: Any, registry: Any, tables: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Three decisions to answer, and one that is not for the batch; no model is run.

    `answers` makes of the decisions what the champion's workers would give back.
    """

    def scored(_: Any, asked: Any, version: int) -> Any:
        query = f"""
            select id, known_at as decided_at, bigint({version}) as model_version,
                   0.5 as probability, current_timestamp() as predicted_at,
                   known_date as decided_date
            from {{asked}}
        """
        return made.answers(asked.sparkSession.sql(query, asked=asked))

    day = made.day(20, 6)
    made.decisions = [*(decided(number, day) for number in (1, 2, 3)), decided(4, day, False)]
    made.answers = lambda frame: frame
    made.promote(1, made.day(10))
    for name in ("states", "labels"):
        made.publish(name, NIGHT)
    monkeypatch.setattr(inputs, "as_known", lambda _, asked: nullcontext(asked))
    monkeypatch.setattr(predict, "_scored", scored)
    return made


def run(stage: Any, tables: Any, interval: str = NIGHT) -> Any:
    tables.publish("decisions", DECISIONS, stage.decisions, NIGHT)
    return predict.run(stage.context(PREDICT, interval))


def check(made: Any, interval: str = NIGHT) -> Any:
    (found,) = predictions.checks(made.context(VALIDATE_PREDICTIONS, interval))
    return found


def answered(tables: Any) -> list[tuple[int, int]]:
    return sorted((row["id"], row["model_version"]) for row in tables.rows("predictions"))


def test_the_champion_answers_and_heals_its_alias(stage: Any, tables: Any, registry: Any) -> None:
    registry.aliases["champion"] = 99
    outcome = run(stage, tables)
    assert outcome.details.model_version == 1
    assert outcome.rows == {"decisions": 3, "new": 3}
    assert registry.aliases == {"champion": 1}
    assert answered(tables) == [(1, 1), (2, 1), (3, 1)]


def test_what_one_version_said_is_not_said_anew_and_another_speaks_for_itself(
    stage: Any, tables: Any
) -> None:
    first = run(stage, tables)
    table = stage.case.table("gold", "predictions")
    stage.publish("predictions", NIGHT, first.writes[table])
    said = tables.rows("predictions")
    assert run(stage, tables).rows == {"decisions": 3, "new": 0}
    assert sorted(tables.rows("predictions")) == sorted(said)
    stage.promote(2, stage.day(11))
    assert run(stage, tables).rows == {"decisions": 3, "new": 3}
    assert answered(tables) == [(n, version) for n in (1, 2, 3) for version in (1, 2)]
    assert set(said) < set(tables.rows("predictions"))


def test_without_a_champion_nobody_answers(made: Any, registry: Any) -> None:
    made.promote(1, made.day(10), KEPT)
    with pytest.raises(NothingDue, match="has no champion yet; train and promote one"):
        predict.run(made.context(PREDICT, NIGHT))


def test_a_check_without_an_answer_is_nothing_due(made: Any) -> None:
    made.promote(1, made.day(10))
    made.run(PREDICT, "2026-11-19", model_version=1)
    made.run(PREDICT, NIGHT, "failed", model_version=1)
    with pytest.raises(NothingDue, match="has predicted nothing for 2026-11-20"):
        check(made)


def test_an_interval_without_decisions_is_nothing_due(stage: Any, tables: Any) -> None:
    stage.decisions = [row for row in stage.decisions if not row[-1]]
    with pytest.raises(NothingDue, match="no batch decisions in 2026-11-20"):
        run(stage, tables)
    assert stage.rows(builds) == []


def test_states_that_do_not_reach_the_end_answer_nothing(stage: Any, tables: Any) -> None:
    with pytest.raises(CheckFailed, match=r"published up to 2026-11-21 .* not to 2026-11-22"):
        run(stage, tables, "2026-11-21")


@pytest.mark.parametrize("lost_or_doubled", [lambda f: f.limit(2), lambda f: f.union(f.limit(1))])
def test_answers_that_are_lost_or_doubled_are_not_written(
    stage: Any, tables: Any, lost_or_doubled: Any
) -> None:
    stage.answers = lost_or_doubled
    with pytest.raises(CheckFailed, match=r"predict: 3 rows went in, [24] came out"):
        run(stage, tables)
    assert (tables.rows("predictions"), stage.rows(builds)) == ([], [])


@pytest.fixture
def answers(made: Any, tables: Any) -> Callable[..., None]:
    """Build predictions `(id, decided_at, version)` of decisions, as predict notes it."""

    def build(interval: str, predicted: list[Any], decisions: list[Any], *versions: int) -> None:
        rows = [(*row, (row[1] - MICROSECOND).date()) for row in predicted]
        context = made.context(PREDICT, interval)
        tables.make("predictions", PREDICTIONS, rows)
        context.built("gold", "predictions")
        asked = tables.make("decisions", DECISIONS, decisions)
        for version in versions:
            reads = {made.case.table("gold", "decisions"): asked}
            made.run(PREDICT, interval, reads=reads, model_version=version)

    return build


def expected_rows(found: Any) -> int:
    (expected,) = (each.value for each in found.expectations if hasattr(each, "value"))
    return int(expected)


def test_the_check_of_an_hour_looks_at_the_hours_own_answers(made: Any, answers: Any) -> None:
    hour, day = "2026-11-20T13", made.day
    asked = [(1, day(20, 14)), (2, day(20, 13)), (3, day(20, 15))]
    answers(hour, [(*it, 1) for it in asked], [decided(*it) for it in asked], 1)
    found = check(made, hour)
    assert [row["id"] for row in found.frame.collect()] == [1]
    assert expected_rows(found) == 1


def test_the_check_looks_at_the_last_answers_to_this_interval_whoever_is_champion_by_now(
    made: Any, answers: Any
) -> None:
    day = made.day
    predicted = [
        (1, day(21), 1),
        (2, day(20, 1), 1),
        (3, day(20), 1),  # decided at the midnight that the day before ends with
        (4, day(21, 1), 1),
        (5, day(21), 2),
    ]
    decisions = [
        decided(1, day(21)),
        decided(2, day(20, 1)),
        decided(6, day(21)),  # nobody answered it
        decided(7, day(21), False),
        decided(3, day(20)),
    ]
    answers(NIGHT, predicted, decisions, 2, 1)
    made.promote(2, day(10))  # between the answers and their check
    found = check(made)
    assert sorted(row["id"] for row in found.frame.collect()) == [1, 2]
    assert expected_rows(found) == 3
    reads = {made.case.table("gold", "decisions"): 0}
    made.run(PREDICT, "2026-11-19", reads=reads, model_version=1)
    with pytest.raises(CheckFailed, match="holds the work of 2026-11-20, not of 2026-11-19"):
        check(made, "2026-11-19")
