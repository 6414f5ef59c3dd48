"""A training set is published only after Great Expectations has passed it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from pipelines.core.errors import CheckFailed
from pipelines.core.journal import builds, published
from pipelines.core.registry import ASSEMBLE, VALIDATE_TRAINING_SET
from pipelines.data.validate import training_set
from pipelines.use_cases.spec.interval import Interval

pytestmark = pytest.mark.usefixtures("great_expectations")

NIGHT = "2026-11-20"
COLUMNS = "id int, is_late boolean, known_at timestamp, label_known_at timestamp, part string"
COUNTS = {"training": 2, "validation": 1, "evaluation": 1}
PARTS = {12: "training", 13: "training", 16: "validation", 19: "evaluation"}


@pytest.fixture
def check(made: Any, tables: Any) -> Callable[..., Any]:
    """What the check says of a training set whose rows, by their day, are changed like this.

    A row changed to nothing is lost; `counts` is what assemble noted.
    """
    whole = {
        day: (day, day % 2 == 0, made.day(day), made.day(day + 1), part)
        for day, part in PARTS.items()
    }
    names = [column.split()[0] for column in COLUMNS.split(", ")]

    def run(
        changes: Mapping[int, Mapping[str, Any] | None],
        counts: Mapping[str, int],
        *,
        later: bool = True,
    ) -> Any:
        rows = [
            tuple((dict(zip(names, row, strict=True)) | (changes.get(day) or {})).values())
            for day, row in whole.items()
            if changes.get(day, {}) is not None
        ]
        model = replace(made.case.model(), labels_come_later=later)
        made.case = replace(made.case, models=(model,))
        made.add(
            builds,
            table_name=made.case.table("gold", "training_set"),
            interval=NIGHT,
            version=tables.make("training_set", COLUMNS, rows),
            attempt=1,
        )
        made.run(ASSEMBLE, NIGHT, rows=counts)
        return training_set.run(made.context(VALIDATE_TRAINING_SET, NIGHT))

    return run


def test_what_passes_is_published_as_it_was_built(made: Any, tables: Any, check: Any) -> None:
    outcome = check({}, COUNTS)
    (row,) = made.rows(published)
    assert (row.table_name, row.interval, row.rows) == (
        made.case.table("gold", "training_set"),
        NIGHT,
        4,
    )
    assert outcome.writes == {row.table_name: row.version}
    read = tables.spark.table(row.table_name).collect()
    assert {found["id"]: found["part"] for found in read} == PARTS


BROKEN: Mapping[str, tuple[Mapping[int, Any], Mapping[str, int], str]] = {
    "a decision twice": (
        {13: {"id": 12, "known_at": Interval.parse("2026-11-12").start}},
        COUNTS,
        "learned from once",
    ),
    "no label": ({13: {"is_late": None}}, COUNTS, "is_late"),
    "a row of a part too few, of another too many": (
        {13: {"part": "validation"}},
        COUNTS,
        "each part has the rows that were split into it",
    ),
    "a part lost": ({19: None}, COUNTS, "neither loses rows nor makes any"),
    "no rows to stop by": ({16: None}, {"training": 2, "evaluation": 1}, "nothing to learn from"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_its_rules_is_refused(made: Any, check: Any, name: str) -> None:
    changes, counts, said = BROKEN[name]
    with pytest.raises(CheckFailed, match=f"training_set of {NIGHT} was not published: .*{said}"):
        check(changes, counts)
    assert made.rows(published) == []


def test_a_label_known_before_its_decision_is_refused_where_labels_come_later(
    made: Any, check: Any
) -> None:
    early = {13: {"label_known_at": made.day(12)}}
    with pytest.raises(CheckFailed, match="tells the model the answer"):
        check(early, COUNTS)
    assert made.rows(published) == []


def test_it_is_told_where_the_source_may_not_say_when_they_came(made: Any, check: Any) -> None:
    outcome = check({13: {"label_known_at": made.day(12)}}, COUNTS, later=False)
    assert len(made.rows(published)) == 1
    (warning,) = outcome.details.warnings
    assert "tells the model the answer" in warning
