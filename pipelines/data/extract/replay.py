"""A source of before, played again onto today's calendar: one pure rule of dates.

Real day D plays the source's day D - n cycles. A cycle is whole weeks, so the weekday stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd

from pipelines.use_cases.spec.interval import Interval

# How many UTC dates may lie between a row's local date and the day on which it is known. One is
# the most there is; asking a cycle that has no row costs nothing.
_AROUND = timedelta(days=2)


@dataclass(frozen=True)
class Cycle:
    """One playing of the source: how far it is moved, and which local dates belong to it."""

    shift: timedelta
    first: date
    last: date


@dataclass(frozen=True)
class Replay:
    """Which of the source's days are played, and how often.

    Args:
        first: the first day that is played.
        cycle: so many days are, then it begins again.

    Raises:
        ValueError: a cycle that is not whole weeks.
    """

    first: date
    cycle: timedelta

    def __post_init__(self) -> None:
        if self.cycle % timedelta(weeks=1) or not self.cycle:
            raise ValueError(f"Replay.cycle: {self.cycle.days} days are not whole weeks")

    @property
    def last(self) -> date:
        """The last day that is played."""
        return self.first + self.cycle - timedelta(days=1)

    def cycle_of(self, day: date) -> Cycle:
        """The cycle that a local date of the real calendar belongs to.

        Example:
            >>> year = Replay(date(2013, 1, 2), timedelta(days=364))
            >>> (date(2026, 11, 20) - year.cycle_of(date(2026, 11, 20)).shift).isoformat()
            '2013-12-06'
        """
        return Cycle((day - self.first) // self.cycle * self.cycle, self.first, self.last)

    def cycles(self, first: date, last: date) -> Iterator[Cycle]:
        """The cycles whose rows can be known between two UTC dates, oldest first.

        A row of the local evening is known, or planned, on another UTC date than its own, so the
        cycles of two days around are asked too.
        """
        shift, final = (self.cycle_of(day).shift for day in (first - _AROUND, last + _AROUND))
        while shift <= final:
            yield Cycle(shift, self.first, self.last)
            shift += self.cycle


def known_between(facts: pd.DataFrame, cycle: Cycle, part: Interval) -> pd.DataFrame:
    """The facts of one cycle that became known in the part, moved onto the real calendar.

    `facts` is sorted by `known_at` and has each row's `local_date`, both on the source's calendar.
    """
    start, end = (naive(at) - cycle.shift for at in (part.start, part.end))
    first, last = facts["known_at"].searchsorted([start, end])
    found = facts.iloc[first:last]
    played = found["local_date"].between(pd.Timestamp(cycle.first), pd.Timestamp(cycle.last))
    moved = found[played].copy()
    for name in moved.select_dtypes("datetime"):
        moved[name] += cycle.shift
    return moved


def naive(instant: datetime) -> pd.Timestamp:
    """The instant as a source's tables have it: UTC without saying so."""
    return pd.Timestamp(instant).tz_localize(None)
