"""Interval keys: four forms, half-open in UTC, everything else refused in words."""

import itertools
from datetime import UTC, datetime

import pytest

from pipelines.core.errors import UsageError
from pipelines.use_cases.spec.interval import Interval


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "start", "end"),
    [
        ("2026-11-20", at(2026, 11, 20), at(2026, 11, 21)),
        ("2026-11-20T13", at(2026, 11, 20, 13), at(2026, 11, 20, 14)),
        ("2026-11-20T23", at(2026, 11, 20, 23), at(2026, 11, 21)),
        ("2026-11-20T0000", at(2026, 11, 20), at(2026, 11, 20, 0, 15)),
        ("2026-11-20T2345", at(2026, 11, 20, 23, 45), at(2026, 11, 21)),
        ("2026-01-01/2026-03-31", at(2026, 1, 1), at(2026, 4, 1)),
        ("2028-02-29", at(2028, 2, 29), at(2028, 3, 1)),  # a leap day
        ("2026-03-08", at(2026, 3, 8), at(2026, 3, 9)),  # New York's clocks change: UTC's don't
    ],
)
def test_a_key_names_a_half_open_stretch_of_utc(key, start, end):
    interval = Interval.parse(key)
    assert (interval.start, interval.end, interval.key) == (start, end, key)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "is not a day"),
        ("yesterday", "is not a day"),
        ("2026-8-3", "is not a day"),
        ("2026-11-20 ", "is not a day"),
        ("2026-11-20\n", "is not a day"),
        ("2026-11-20T24", "hour 24"),
        ("2026-11-20T2400", "hour 24"),
        ("2026-11-20T1310", "minute 10 is not one of 00, 15, 30 and 45"),
        ("2026-11-20T1360", "minute 60 is not one of"),
        ("2026-11-20T13:15", "is not a day"),
        ("2026-11-20T13/2026-11-21", "is not a day"),
        ("2026-02-30", "'2026-02-30' is not a day of the calendar"),
        ("2026-03-31/2026-01-01", "ends before it starts"),
        ("1900-01-01", "year 1900"),
        ("9999-01-01", "year 9999"),
        ("٢٠٢٦-11-20", "is not a day"),
        ("x'; DROP TABLE gold.flights; --", "is not a day"),
        ("{{ 7 * 7 }}", "is not a day"),
    ],
)
def test_b22_anything_else_is_refused_in_words(key, words):
    with pytest.raises(UsageError, match=words):
        Interval.parse(key)


def test_a_range_is_its_days_in_order_without_a_gap():
    parts = list(Interval.parse("2028-02-27/2028-03-01").parts("day"))
    assert [part.key for part in parts] == ["2028-02-27", "2028-02-28", "2028-02-29", "2028-03-01"]
    assert all(a.end == b.start for a, b in itertools.pairwise(parts))


def test_a_day_has_24_hours_on_every_night():
    parts = list(Interval.parse("2026-11-01").parts("hour"))
    assert (len(parts), parts[0].key, parts[-1].key) == (24, "2026-11-01T00", "2026-11-01T23")
    assert [Interval.parse(part.key) for part in parts] == parts


@pytest.mark.parametrize(
    ("grain", "count", "last"), [("hour", 24, "T23"), ("quarter_hour", 96, "T2345")]
)
def test_the_parts_of_a_day_are_named_by_their_start(grain, count, last):
    day = Interval.parse("2026-03-29")
    parts = list(day.parts(grain))
    assert (len(parts), parts[-1].key) == (count, f"2026-03-29{last}")
    assert [Interval.parse(part.key) for part in parts] == parts
    assert (parts[0].start, parts[-1].end) == (day.start, day.end)
    assert all(a.end == b.start for a, b in itertools.pairwise(parts))
    assert list(parts[3].parts(grain)) == [parts[3]]


@pytest.mark.parametrize(("key", "grain"), [("2026-11-20T13", "day"), ("2026-11-20T1315", "hour")])
def test_less_than_a_part_is_refused(key, grain):
    with pytest.raises(
        UsageError, match=rf"'{key}' is less than a {grain}, by which this is built"
    ):
        list(Interval.parse(key).parts(grain))
