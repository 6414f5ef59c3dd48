"""The source's year on today's calendar, or on its own.

The year has 365 days; 1 January is left out when moved, so that each cycle plays 2 January to 31
December and the next begins on the day after.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from pipelines.data.extract.replay import Cycle, Replay

YEAR = 2013
TODAY = Replay(date(YEAR, 1, 2), timedelta(weeks=52))
# On its own calendar: the first day's flights are planned the evening before, and the last local
# evening's movements are known on the next UTC day.
FIRST_KNOWN, LAST_KNOWN = date(YEAR - 1, 12, 31), date(YEAR + 1, 1, 1)


def cycles(first: date, last: date, calendar: str) -> Iterator[Cycle]:
    """The cycles whose rows can be known between two UTC dates, oldest first."""
    if calendar == str(YEAR):
        yield Cycle(timedelta(0), date(YEAR, 1, 1), TODAY.last)
    else:
        yield from TODAY.cycles(first, last)
