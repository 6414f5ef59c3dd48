"""The days that a plan is made of: no lone row far from the others decides, and honest ones do."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from pipelines.core.errors import UsageError
from pipelines.scaffold.days import span

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
FIRST = datetime(2026, 8, 27, 1, tzinfo=UTC)
DAILY = [FIRST + timedelta(days=number % 90) for number in range(900)]


def at(*days: str) -> Sequence[datetime]:
    return [datetime.fromisoformat(day).replace(tzinfo=UTC) for day in days]


@pytest.mark.parametrize(
    ("odd", "begins", "said"),
    [
        (("1926-08-30",), date(2026, 8, 27), "1 row, of 1926-08-30, long before all others: for q"),
        (("1970-01-01",) * 5, date(2026, 8, 27), "5 rows, of 1970-01-01, long before"),
        (("0001-01-01", "1899-12-30"), date(2026, 8, 27), "2 rows, of 0001-01-01 to 1899-12-30, l"),
        (("2026-03-01",), date(2026, 8, 27), "1 row, of 2026-03-01, long before all others"),
        (("2062-10-11",), None, "1 row, of 2062-10-11, yet to come on 2026-11-25: for quarantine"),
        (("9999-12-31",) * 20, None, "20 rows, of 9999-12-31, yet to come"),
    ],
)
def test_days_far_from_the_others_decide_nothing(odd, begins, said):
    found = span([*DAILY, *at(*odd), None], NOW)
    assert found.known_on == span(DAILY, NOW).known_on
    assert (min(found.known_on), max(found.known_on)) == (date(2026, 8, 27), date(2026, 11, 24))
    assert found.begins == begins
    assert len(found.said) == 1
    assert found.said[0].startswith(said)


def test_what_is_long_after_the_others_is_no_mistake_and_no_plan():
    old = [each - timedelta(days=2000) for each in DAILY]
    found = span([*old, *at("2026-11-20")], NOW)
    assert max(found.known_on) == date(2021, 6, 3)
    assert found.begins is None
    assert found.said == (
        "1 row, of 2026-11-20, long after all others: kept, but no plan is made of them",
    )


@pytest.mark.parametrize(
    ("every", "number"), [(1, 3653), (7, 520), (30, 120), (180, 21), (400, 9), (1, 2)]
)
def test_honest_years_are_planned_whole(every, number):
    days = [NOW - timedelta(days=every * place) for place in range(number)]
    found = span(days, NOW)
    assert len(found.known_on) == number
    assert (found.begins, found.said) == (None, ())


def test_a_stretch_before_a_pause_is_no_mistake():
    before = [each - timedelta(days=800) for each in DAILY[:90]]
    assert len(span([*before, *DAILY], NOW).known_on) == 180


def test_of_a_part_of_the_rows_older_ones_may_follow():
    found = span([*DAILY, *at("2016-08-27")], NOW, is_whole=False)
    assert found.begins == date(2021, 8, 27)


def test_tomorrow_s_rows_are_of_another_zone_and_later_ones_refused():
    assert len(span(at("2026-11-26"), NOW).known_on) == 1
    with pytest.raises(UsageError, match="no row is known by now, 2026-11-25, of 1; the newest is"):
        span(at("2026-11-27"), NOW)
    with pytest.raises(UsageError, match="no row is known by now"):
        span([None, None], NOW)


@pytest.mark.parametrize(("year", "rows"), [(1995, 730), (1999, 365)])
def test_years_of_which_there_are_no_intervals_are_refused_with_ways_out(year, rows):
    start = datetime(year, 1, 1, tzinfo=UTC)
    days = [start + timedelta(days=number) for number in range(730)]
    with pytest.raises(UsageError, match=rf"^{rows} of 730 rows .* {year}-01-01 to .* 2000 on: "):
        span(days, NOW)


def test_one_row_of_few_decides_nothing():
    found = span([*DAILY[:60], *at("1926-08-30")], NOW)
    assert min(found.known_on) == date(2026, 8, 27)
    assert found.said == ("1 row, of 1926-08-30, long before all others: for quarantine",)
