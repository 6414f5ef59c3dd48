"""The source's year on today's calendar: the rule itself, and that every row is played once."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from pipelines.data.extract.replay import Replay, known_between
from pipelines.data.extract.sources.flights import nycflights, replay
from pipelines.data.extract.sources.flights.replay import TODAY
from pipelines.use_cases.spec.interval import Interval

DAY = timedelta(days=1)


def played(day: date) -> date:
    """The day of 2013 that a local date plays."""
    return day - TODAY.cycle_of(day).shift


@pytest.mark.parametrize(
    ("real", "source"),
    [
        ("2026-11-20", "2013-12-06"),
        ("2026-12-15", "2013-12-31"),
        ("2026-12-16", "2013-01-02"),
        ("2025-12-16", "2013-12-31"),
        ("2025-12-17", "2013-01-02"),
        ("2013-12-31", "2013-12-31"),
        ("2013-01-01", "2013-12-31"),
        ("2000-02-29", "2013-02-12"),
    ],
)
def test_a_real_day_plays_its_day_of_2013(real: str, source: str) -> None:
    assert played(date.fromisoformat(real)) == date.fromisoformat(source)


def test_any_day_plays_the_same_weekday_and_the_next_day_the_next() -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)  # noqa: S311
    for _ in range(2000):
        day = date(2000, 1, 1) + rng.randrange(36_500) * DAY
        source = played(day)
        shift = TODAY.cycle_of(day).shift
        assert source.weekday() == day.weekday(), day
        assert TODAY.first <= source <= TODAY.last, day
        assert shift % TODAY.cycle == timedelta(0), day
        others = [source + k * TODAY.cycle for k in (-1, 1)]
        assert not any(TODAY.first <= other <= TODAY.last for other in others), day
        following = TODAY.first if source == TODAY.last else source + DAY
        assert played(day + DAY) == following, day


def test_364_real_days_play_each_day_but_new_year_once() -> None:
    days = Counter(played(date(2026, 3, 1) + n * DAY) for n in range(364))
    expected = {date(2013, 1, 2) + n * DAY for n in range(364)}
    assert days == dict.fromkeys(expected, 1)


def test_an_interval_asks_the_cycles_that_it_may_touch() -> None:
    def weeks(first: date, last: date, calendar: str = "today") -> list[float]:
        return [cycle.shift / timedelta(weeks=52) for cycle in replay.cycles(first, last, calendar)]

    assert weeks(date(2026, 11, 20), date(2026, 11, 20)) == [13]
    assert weeks(date(2025, 12, 16), date(2025, 12, 16)) == [12, 13]
    assert weeks(date(2025, 12, 19), date(2025, 12, 19)) == [13]
    assert weeks(date(2025, 12, 18), date(2026, 12, 15)) == [12, 13, 14]
    assert weeks(date(2013, 5, 1), date(2013, 5, 1), "2013") == [0]


def days(first: date, count: int) -> list[Interval]:
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    return [Interval(start + n * DAY, start + (n + 1) * DAY, "") for n in range(count)]


def rows_known(facts: pd.DataFrame, parts: list[Interval], calendar: str) -> pd.DataFrame:
    """What the source publishes in the parts, one after the other, each by its own cycles."""
    known = [
        known_between(facts, cycle, part)
        for part in parts
        for cycle in replay.cycles(part.start.date(), part.last_date, calendar)
    ]
    return pd.concat(known)


@pytest.mark.parametrize("name", ["schedule", "movements", "weather"])
def test_a_cycle_of_days_publishes_every_source_row_once(name: str) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    facts = getattr(nycflights, name)()
    first = date(2020, 1, 1) + random.Random(seed).randrange(2500) * DAY  # noqa: S311
    known = rows_known(facts, days(first, 364), "today")
    expected = facts.index[facts["local_date"] != pd.Timestamp(2013, 1, 1)]
    assert sorted(known.index) == list(expected), (seed, first)
    moved_by = known["known_at"] - facts["known_at"].loc[known.index]
    assert set(moved_by % pd.Timedelta(days=364)) == {pd.Timedelta(0)}
    for column in known.select_dtypes("datetime"):
        same = known[column] - facts[column].loc[known.index]
        pd.testing.assert_series_equal(same, moved_by, check_names=False)


@pytest.mark.parametrize("name", ["schedule", "movements", "weather"])
def test_the_calendar_of_2013_publishes_every_row_as_it_is(name: str) -> None:
    facts = getattr(nycflights, name)()
    count = (replay.LAST_KNOWN - replay.FIRST_KNOWN).days + 1
    known = rows_known(facts, days(replay.FIRST_KNOWN, count), "2013")
    pd.testing.assert_frame_equal(known, facts)


def test_no_row_is_known_further_than_a_day_from_its_local_date() -> None:
    """`cycles` looks two days around, which must be enough."""
    for facts in (nycflights.schedule(), nycflights.movements(), nycflights.weather()):
        distance = (facts["known_at"].dt.floor("D") - facts["local_date"]).dt.days
        assert set(distance.abs()) == {0, 1}


def test_a_cycle_is_whole_weeks() -> None:
    with pytest.raises(ValueError, match=r"Replay.cycle: 365 days are not whole weeks"):
        Replay(date(2013, 1, 1), timedelta(days=365))
