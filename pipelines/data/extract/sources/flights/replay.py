"""The source's year, repeated onto today's calendar: one pure rule of dates.

Real day D plays the source's day D - 364*k: 364 days are 52 weeks, so the weekday is the same and
the season within days. The source has 365 days; 1 January is left out when moved, so that each
cycle plays 2 January to 31 December and the next begins on the day after.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

YEAR = 2013
CYCLE = timedelta(days=364)
FIRST, LAST = date(YEAR, 1, 2), date(YEAR, 12, 31)
# On its own calendar: the first day's flights are planned the evening before, and the last local
# evening's movements are known on the next UTC day.
FIRST_KNOWN, LAST_KNOWN = date(YEAR - 1, 12, 31), date(YEAR + 1, 1, 1)
# How many UTC dates may lie between a row's local date and the day on which it is known. One is
# the most there is; asking a cycle that has no row costs nothing.
_AROUND = timedelta(days=2)


@dataclass(frozen=True)
class Cycle:
    """One playing of the source's year: how far it is moved, and which local dates belong to it."""

    shift: timedelta
    first: date
    last: date


def cycle_of(day: date) -> Cycle:
    """The cycle that a local date of the real calendar belongs to.

    Example:
        >>> (date(2026, 11, 20) - cycle_of(date(2026, 11, 20)).shift).isoformat()
        '2013-12-06'
    """
    return Cycle((day - FIRST) // CYCLE * CYCLE, FIRST, LAST)


def cycles(first: date, last: date, calendar: str) -> Iterator[Cycle]:
    """The cycles whose rows can be known between two UTC dates, oldest first.

    A flight of the local evening is known, and a flight of tomorrow is planned, on another UTC
    date than its own, so the cycles of two days around are asked too.
    """
    if calendar == str(YEAR):
        yield Cycle(timedelta(0), date(YEAR, 1, 1), LAST)
        return
    shift, final = (cycle_of(day).shift for day in (first - _AROUND, last + _AROUND))
    while shift <= final:
        yield Cycle(shift, FIRST, LAST)
        shift += CYCLE
