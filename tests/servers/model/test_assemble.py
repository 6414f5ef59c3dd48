"""Which decisions a training set holds, and in which part."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipelines.core.errors import CheckFailed, NothingDue
from pipelines.core.journal import builds
from pipelines.core.registry import ASSEMBLE
from pipelines.core.stage import Context
from pipelines.learning import assemble, inputs

NIGHT = "2026-11-20"
DECISIONS = "id int, known_at timestamp, known_date date"
LABELS = "id int, is_late boolean, known_at timestamp, known_date date"


def asked(number: int, at: datetime) -> tuple[Any, ...]:
    return number, at, at.date()


def known(number: int, is_late: bool | None, at: datetime) -> tuple[Any, ...]:
    return number, is_late, at, at.date()


@pytest.fixture
def parts(made: Any, tables: Any) -> Callable[..., dict[int, Any]]:
    """Each decision's part and label, of decisions and labels, at the cutoff of the 21st."""

    def run(decisions: list[Any], labels: list[Any]) -> dict[int, Any]:
        tables.publish("decisions", DECISIONS, decisions, NIGHT)
        tables.publish("labels", LABELS, labels, NIGHT)
        context = made.context(ASSEMBLE, NIGHT)
        split = made.case.model().split(context.interval.end)
        rows = assemble.labelled(context, split).collect()
        assert len({row["id"] for row in rows}) == len(rows)
        return {row["id"]: (row["part"], row["is_late"]) for row in rows}

    return run


def test_a_decision_belongs_to_the_part_that_holds_its_label_too(made: Any, parts: Any) -> None:
    """Training ends on the 16th, validation on the 18th, evaluation with the cutoff, the 21st."""
    day, second = made.day, timedelta(seconds=1)
    found = parts(
        [
            asked(1, day(11)),
            asked(2, day(11) - second),  # before the look-back
            asked(3, day(16) - second),
            asked(4, day(16) - second),
            asked(5, day(16)),
            asked(6, day(17)),
            asked(7, day(18)),
            asked(8, day(18)),
            asked(9, day(20)),
        ],
        [
            known(1, True, day(12)),
            known(2, True, day(12)),
            known(3, False, day(16) - second),
            known(4, True, day(16)),  # known when validation has begun: in neither
            known(5, True, day(17)),
            known(6, True, day(18)),  # known when evaluation has begun: in neither
            known(7, False, day(21) - second),
            known(8, True, day(21)),  # known after the cutoff
            # 9: no outcome yet
        ],
    )
    assert found == {
        1: ("training", True),
        3: ("training", False),
        5: ("validation", True),
        7: ("evaluation", False),
    }


def test_a_corrected_label_counts_as_known_by_the_cutoff(made: Any, parts: Any) -> None:
    day = made.day
    found = parts(
        [asked(number, day(12)) for number in (1, 2, 3)],
        [
            known(1, True, day(13)),
            known(1, False, day(20)),  # corrected later: known since the 13th all the same
            known(2, True, day(13)),
            known(2, False, day(21)),  # corrected after the cutoff
            known(3, None, day(13)),  # no outcome
        ],
    )
    assert found == {1: ("training", False), 2: ("training", True)}


def test_decisions_after_the_cutoff_are_in_no_part(made: Any, parts: Any) -> None:
    day = made.day
    assert parts([asked(1, day(21)), asked(2, day(22))], [known(1, True, day(20))]) == {}


# Two decisions to train on and one to validate on; each known a day later.
TRAINING, VALIDATION, EVALUATION = (12, 13), (16,), (19,)


@pytest.fixture
def publish(made: Any, tables: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Publish decisions of these days with their labels; Feast's join adds a state to each."""

    def as_known(_: Context, rows: Any) -> Any:
        return nullcontext(rows.withColumn("states__number", functions.lit(1.0)))

    def run(*days: int) -> None:
        decisions = [asked(day, made.day(day, 12)) for day in days]
        tables.publish("decisions", DECISIONS, decisions, NIGHT)
        labels = [known(day, True, made.day(day, 18)) for day in days]
        tables.publish("labels", LABELS, labels, NIGHT)

    from pyspark.sql.connect import functions

    monkeypatch.setattr(inputs, "as_known", as_known)
    made.publish("states", NIGHT)
    return run


def run(made: Any) -> Any:
    return assemble.run(made.context(ASSEMBLE, NIGHT))


def test_a_training_set_is_built_of_both_parts(made: Any, tables: Any, publish: Any) -> None:
    publish(*TRAINING, *VALIDATION)
    outcome = run(made)
    assert outcome.rows == {"training": 2, "validation": 1}
    assert outcome.details.split["validation_from"] == "2026-11-16 00:00:00+00:00"
    (built,) = (row for row in made.rows(builds) if row.table_name.endswith("_training_set"))
    assert outcome.writes == {built.table_name: built.version}
    rows = {row["id"]: row for row in tables.rows("training_set")}
    assert {day: row["part"] for day, row in rows.items()} == {
        **dict.fromkeys(TRAINING, "training"),
        **dict.fromkeys(VALIDATION, "validation"),
    }
    assert {(row["is_late"], row["states__number"]) for row in rows.values()} == {(True, 1.0)}


@pytest.mark.parametrize("days", [(), TRAINING, VALIDATION, EVALUATION])
def test_a_history_too_short_to_learn_from_is_nothing_due(
    made: Any, tables: Any, publish: Any, days: Any
) -> None:
    publish(*days)
    with pytest.raises(NothingDue, match="training needs more than 5 days"):
        run(made)
    assert made.rows(builds) == []
    assert tables.rows("training_set") == []


@pytest.mark.parametrize("changed", ["limit 2", "union all select * from {rows} limit 4"])
def test_a_training_set_that_lost_or_made_rows_is_not_offered(
    made: Any, publish: Any, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    publish(*TRAINING, *VALIDATION)

    def as_known(_: Context, rows: Any) -> Any:
        query = f"select * from {{rows}} {changed}"
        return nullcontext(rows.sparkSession.sql(query, rows=rows))

    monkeypatch.setattr(inputs, "as_known", as_known)
    with pytest.raises(CheckFailed, match=r"training set: 3 rows went in, [24] came out"):
        run(made)
    assert made.rows(builds) == []
