"""Which decisions a training set holds, in which part, and what of its join is kept overnight."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipelines.core.errors import CheckFailed, NothingDue
from pipelines.core.journal import builds, published
from pipelines.learning import inputs
from pipelines.learning.assemble import job, joined
from pipelines.stores import delta, spark

pytestmark = pytest.mark.integration

NIGHT = "2026-11-20"
DECISIONS = "id int, known_at timestamptz, known_date date"
LABELS = "id int, is_late boolean, known_at timestamptz, known_date date"


def asked(number: int, at: datetime) -> tuple[Any, ...]:
    return number, at, at.date()


def known(number: int, is_late: bool | None, at: datetime) -> tuple[Any, ...]:
    return number, is_late, at, at.date()


@pytest.fixture
def parts(made: Any, tables: Any) -> Callable[..., dict[int, Any]]:
    """Each decision's part and label, of decisions and labels, at the cutoff of the 21st."""

    def run(decisions: list[Any], labels: list[Any]) -> dict[int, Any]:
        tables.make("decisions", DECISIONS, decisions)
        tables.make("labels", LABELS, labels)
        context = made.context(NIGHT)
        context.__dict__["spark"] = tables
        split = made.case.training.split(context.interval.end)
        rows = job.labelled(context, made.case.table("gold", "decisions"), split).collect()
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


class Rows(list[Any]):
    """A frame as the job needs it."""

    def count(self) -> int:  # type: ignore[override]
        return len(self)


@pytest.fixture
def saved(made: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`assemble` with two training rows and one to validate on, and a table of its own."""
    made.rows_found = {"training": 2, "validation": 1}
    made.rows_saved = 3
    kept = joined.Kept(
        table="build.joined", version=1, since=made.day(10), until=made.day(21), publication=1,
        definitions="a",
    )  # fmt: skip
    monkeypatch.setattr(job, "_rows", lambda _: made.rows_found)
    monkeypatch.setattr(job, "labelled", lambda *_: Rows())
    monkeypatch.setattr(joined, "extend", lambda *_: kept)
    monkeypatch.setattr(inputs, "derived", lambda _, frame: frame)
    for name in ("save", "publish"):
        monkeypatch.setattr(delta, name, lambda *_, **__: None)
    monkeypatch.setattr(delta, "version", lambda *_: 5)
    monkeypatch.setattr(spark, "suit", lambda *_: None)
    monkeypatch.setattr(delta, "digest", lambda *_: "digest")
    monkeypatch.setattr(delta, "count", lambda *_: made.rows_saved)
    for name in ("states", "decisions", "labels"):
        made.publish(name, NIGHT)
    made.published_before = len(made.rows(published))
    return made


def assemble(made: Any) -> Any:
    context = made.context(NIGHT)
    context.__dict__["spark"] = None
    return job.run(context)


def test_a_training_set_is_published_with_its_join(saved: Any) -> None:
    outcome = assemble(saved)
    assert outcome.details["joined"]["until"] == "2026-11-21T00:00:00+00:00"
    assert outcome.details["split"]["validation_from"] == "2026-11-16 00:00:00+00:00"
    assert len(saved.rows(published)) == saved.published_before + 1


@pytest.mark.parametrize("rows", [{}, {"training": 5}, {"validation": 5}, {"evaluation": 5}])
def test_a_history_too_short_to_learn_from_is_nothing_due(saved: Any, rows: Any) -> None:
    saved.rows_found = rows
    with pytest.raises(NothingDue, match="training needs more than 5 days"):
        assemble(saved)
    assert saved.rows(builds) == []


@pytest.mark.parametrize("rows", [2, 4])
def test_a_training_set_that_lost_or_made_rows_is_not_published(saved: Any, rows: int) -> None:
    saved.rows_saved = rows
    with pytest.raises(CheckFailed, match=f"training set: 3 rows went in, {rows} came out"):
        assemble(saved)
    assert saved.rows(builds) == []
    assert len(saved.rows(published)) == saved.published_before
