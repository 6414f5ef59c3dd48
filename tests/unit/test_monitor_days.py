"""Which days of the reference are held against the days that are judged."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from pipelines.learning.monitor import days


def table(*day: int, rows: int = 2) -> pa.Table:
    """Days since 1970, of which the 0th was a Thursday."""
    return pa.table({"decided_day": pa.array(np.repeat(day, rows), pa.int32())})


def days_of(rows: pa.Table) -> list[int]:
    return sorted(set(rows["decided_day"].to_pylist()))


def test_a_decision_at_midnight_is_of_the_day_that_ends_then() -> None:
    at = [datetime(1970, 1, 3, hour, tzinfo=UTC) for hour in (0, 1)]
    dated = days.dated(pa.table({"x": [1, 2], "decided_at": at}))
    assert dated.to_pydict() == {"x": [1, 2], "decided_day": [1, 2]}
    plain = pa.table({"x": [1]})
    assert days.dated(plain) is plain


def test_a_sunday_is_held_against_sundays() -> None:
    assert days_of(days.alike(table(*range(21)), table(24))) == [3, 10, 17]


def test_a_week_is_held_against_whole_weeks() -> None:
    assert days_of(days.alike(table(*range(16)), table(*range(20, 27)))) == list(range(2, 16))


def test_a_window_that_the_reference_is_too_short_for_takes_what_there_is() -> None:
    found = days.alike(table(0, 1, 2, 7), table(14, 15, 21, 22))  # two of 1's weekday, one is there
    assert days_of(found) == [0, 1, 7]


def test_tables_without_days_are_held_against_all() -> None:
    plain = pa.table({"x": [1, 2]})
    assert days.alike(plain, table(1)) is plain
    assert days.day_by_day(plain, table(1)) is None


def test_a_weekday_that_the_reference_lacks_is_held_against_all_days() -> None:
    reference = table(0, 1, 2, 3, 4, 5)
    assert days.alike(reference, table(7, 13)) is reference
    found = days.day_by_day(reference, table(7, 13))
    assert found is not None
    assert (found.degrees, found.variance) == (5, 1.2)
    assert found.draws.before.sum(axis=0).tolist() == [10] * 6
    assert days.day_by_day(reference, table(7, 8)) is None  # of these each weekday is known


def test_each_day_is_held_against_the_others_of_its_weekday() -> None:
    found = days.day_by_day(table(*range(14)), table(15))
    assert found is not None
    assert (found.draws.before.shape, found.degrees, found.variance) == ((28, 14), 7, 2.0)
    assert found.draws.after.T.nonzero()[1].tolist() == list(range(28))
    first = found.draws.before[:, 0].nonzero()[0].tolist()
    assert first == [14, 15]  # the rows of day 7
    three = days.day_by_day(table(*range(21)), table(22))
    assert three is not None
    assert (three.degrees, three.variance) == (14, 1.5)


@pytest.mark.parametrize("known", [range(7), range(11)])
def test_of_too_few_days_nothing_is_known(known: range) -> None:
    assert days.day_by_day(table(*known), table(14)) is None  # of 11 days 4 have another: 4 degrees


def test_more_days_vary_less() -> None:
    assert days.variance(table(0, 7), table(14)) == 1.5
    assert days.variance(pa.table({"x": [1]}), table(14, 15)) == 0.5
