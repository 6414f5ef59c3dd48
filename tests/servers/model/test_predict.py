"""What is asked and what is proven of an interval's predictions, without Spark."""

import warnings
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest

from pipelines.core.errors import CheckFailed, NothingDue
from pipelines.core.journal import builds
from pipelines.data.validate import predictions
from pipelines.learning import inputs, predict
from pipelines.learning.champion import KEPT
from pipelines.stores import delta

pytestmark = pytest.mark.integration

NIGHT = "2026-11-20"


@pytest.fixture(autouse=True, scope="module")
def great_expectations() -> None:
    """Its import warns of what it imports (`sre_parse`)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_module("great_expectations.expectations")


class Frame:
    """A Spark frame of so many rows."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def where(self, condition: str) -> "Frame":
        assert condition == "is_batch"
        return self

    def localCheckpoint(self) -> "Frame":  # noqa: N802  as Spark calls it
        return self

    def count(self) -> int:
        return self.rows


@pytest.fixture
def stage(made: Any, registry: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Three decisions with three answers; `answered` is what Spark would give back."""
    made.asked, made.answered, made.appended = Frame(3), Frame(3), []
    made.promote(1, made.day(10))
    for name in ("states", "decisions", "labels"):
        made.publish(name, NIGHT)
    monkeypatch.setattr(inputs, "decisions", lambda *_: made.asked)
    monkeypatch.setattr(inputs, "as_known", lambda *_: None)
    monkeypatch.setattr(predict, "_scored", lambda *_: made.answered)
    monkeypatch.setattr(delta, "exists", lambda *_: False)
    monkeypatch.setattr(delta, "version", lambda *_: 4)
    monkeypatch.setattr(delta, "append_new", lambda *given: made.appended.append(given) or 3)
    return made


def run(stage: Any, interval: str = NIGHT) -> Any:
    context = stage.context(interval)
    context.__dict__["spark"] = None
    return predict.run(context)


def check(made: Any, spark: Any = None, interval: str = NIGHT) -> Any:
    context = made.context(interval)
    context.__dict__["spark"] = spark
    (found,) = predictions.checks(context)
    return found


def test_the_champion_answers_and_heals_its_alias(stage: Any, registry: Any) -> None:
    registry.aliases["champion"] = 99
    outcome = run(stage)
    assert outcome.details == {"model_version": 1}
    assert outcome.rows == {"decisions": 3, "new": 3}
    assert registry.aliases == {"champion": 1}
    ((_, _, table, key, _),) = stage.appended
    assert table == f"build.gold_{stage.case.name}_predictions"
    # What one version said once is not said anew; another version speaks for itself.
    assert key == ("id", "decided_at", "model_version")


def test_without_a_champion_nobody_answers(made: Any, registry: Any) -> None:
    made.promote(1, made.day(10), KEPT)
    with pytest.raises(NothingDue, match="has no champion yet; train and promote one"):
        run(made)


def test_a_check_without_an_answer_is_nothing_due(made: Any) -> None:
    made.promote(1, made.day(10))
    made.run("predict", "2026-11-19", model_version=1)
    made.run("predict", NIGHT, "failed", model_version=1)
    with pytest.raises(NothingDue, match="has predicted nothing for 2026-11-20"):
        check(made)


def test_an_interval_without_decisions_is_nothing_due(stage: Any) -> None:
    stage.asked = Frame(0)
    with pytest.raises(NothingDue, match="no batch decisions in 2026-11-20"):
        run(stage)
    assert stage.rows(builds) == []


def test_states_that_do_not_reach_the_end_answer_nothing(stage: Any) -> None:
    with pytest.raises(CheckFailed, match=r"published up to 2026-11-21 .* not to 2026-11-22"):
        run(stage, "2026-11-21")


def test_the_check_of_an_hour_looks_at_the_hours_own_answers(
    made: Any, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour, day = "2026-11-20T13", made.day
    decided = [(1, day(20, 14)), (2, day(20, 13)), (3, day(20, 15))]
    tables.make(
        "predictions",
        "id int, decided_at timestamptz, model_version bigint, decided_date date",
        [(number, at, 1, at.date()) for number, at in decided],
    )
    tables.make(
        "decisions",
        "id int, known_at timestamptz, known_date date, is_batch boolean",
        [(number, at, at.date(), True) for number, at in decided],
    )
    made.run("predict", hour, model_version=1)
    monkeypatch.setattr(
        type(made.case), "build_table", lambda case, layer, name: case.table(layer, name)
    )
    made.context(hour).built("gold", "predictions", 4)
    found = check(made, tables, hour)
    assert [row["id"] for row in found.frame.collect()] == [1]
    (expected,) = (each.value for each in found.expectations if hasattr(each, "value"))
    assert expected == 1


@pytest.mark.parametrize("rows", [2, 4])
def test_answers_that_are_lost_or_doubled_are_not_written(stage: Any, rows: int) -> None:
    stage.answered = Frame(rows)
    with pytest.raises(CheckFailed, match=f"predict: 3 rows went in, {rows} came out"):
        run(stage)
    assert (stage.appended, stage.rows(builds)) == ([], [])


def test_the_check_looks_at_the_last_answers_to_this_interval_whoever_is_champion_by_now(
    made: Any, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, micro = made.day, timedelta(microseconds=1)

    def row(number: int, at: Any, version: int = 1) -> tuple[Any, ...]:
        return number, at, version, (at - micro).date()

    tables.make(
        "predictions",
        "id int, decided_at timestamptz, model_version bigint, decided_date date",
        [
            row(1, day(21)),
            row(2, day(20, 1)),
            row(3, day(20)),  # decided at the midnight that the day before ends with
            row(4, day(21, 1)),
            row(5, day(21), version=2),
        ],
    )
    tables.make(
        "decisions",
        "id int, known_at timestamptz, known_date date, is_batch boolean",
        [
            (number, at, (at - micro).date(), is_batch)
            for number, at, is_batch in (
                (1, day(21), True),
                (2, day(20, 1), True),
                (6, day(21), True),  # nobody answered it
                (7, day(21), False),
                (3, day(20), True),
            )
        ],
    )
    made.run("predict", NIGHT, model_version=2)
    made.run("predict", NIGHT, model_version=1)
    made.promote(2, day(10))  # between the answers and their check
    monkeypatch.setattr(
        type(made.case), "build_table", lambda case, layer, name: case.table(layer, name)
    )
    made.context(NIGHT).built("gold", "predictions", 4)
    found = check(made, tables)
    assert sorted(row["id"] for row in found.frame.collect()) == [1, 2]
    (expected,) = (each.value for each in found.expectations if hasattr(each, "value"))
    assert expected == 3
    made.run("predict", "2026-11-19", model_version=1)
    with pytest.raises(CheckFailed, match="holds the work of 2026-11-20, not of 2026-11-19"):
        check(made, tables, "2026-11-19")
