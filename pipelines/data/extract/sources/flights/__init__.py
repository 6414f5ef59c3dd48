"""Plays the source system of the flights: publishes, day by day, what was known that day.

Each case that reads the flights has a file beside this folder, which says its name.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd

from pipelines.core.errors import UsageError
from pipelines.core.settings import Settings
from pipelines.core.source import Source, SourceFile
from pipelines.data.extract.frames import frame_file
from pipelines.data.extract.replay import Cycle, known_between, naive
from pipelines.data.extract.sources.flights import nycflights, replay
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Feed

# A dimension table is published half a minute after the day has begun.
_SNAPSHOT_AFTER = pd.Timedelta(seconds=30)
_CALENDARS = ("today", "2013")
_FACTS: Mapping[str, Callable[[], pd.DataFrame]] = {
    "schedule": nycflights.schedule,
    "movements": nycflights.movements,
    "weather": nycflights.weather,
}
_SNAPSHOTS: Mapping[str, Callable[[], pd.DataFrame]] = {
    "airports": nycflights.airports,
    "airlines": nycflights.airlines,
    "planes": nycflights.planes,
}


def source(case: str, settings: Settings, interval: Interval) -> Source:
    """The flights' source system, able to answer for the parts of this interval.

    Args:
        case: whose source it is, and by whose name the settings tell of the calendar.

    Raises:
        UsageError: today's calendar has the interval's outcomes more than once; on that of 2013
            nothing can be known in it; or the settings tell of another calendar.
    """
    first, last = interval.start.date(), interval.last_date
    calendar = _calendar(case, settings)
    if calendar == "today" and interval.days >= replay.TODAY.cycle.days:
        raise UsageError(
            f"{interval} has {interval.days} days; after {replay.TODAY.cycle.days - 1} the source "
            "repeats its outcomes, and a model would know the future: take fewer days"
        )
    if calendar == "2013" and not replay.FIRST_KNOWN <= first <= last <= replay.LAST_KNOWN:
        raise UsageError(
            f"{interval} is not in {replay.FIRST_KNOWN} to {replay.LAST_KNOWN}, "
            "the days of the calendar 2013"
        )
    return _Flights(tuple(replay.cycles(first, last, calendar)))


def _calendar(case: str, settings: Settings) -> str:
    """`today`: the source's year repeats on today's dates; `2013`: its own dates."""
    told = settings.source(case)
    calendar = told.get("calendar", "today")
    if calendar not in _CALENDARS or told.keys() - {"calendar"}:
        raise UsageError(
            f"MILLRACE_SOURCES tells {case} {json.dumps(dict(told))}; it understands "
            f"calendar alone, one of {', '.join(_CALENDARS)}"
        )
    return calendar


class _Flights:
    def __init__(self, cycles: Sequence[Cycle]) -> None:
        self._cycles = cycles

    def files(self, feed: Feed, part: Interval) -> Iterable[SourceFile]:
        """One file a feed and part; a fact belongs to the part in which it became known."""
        if feed.name in _SNAPSHOTS:
            rows = _SNAPSHOTS[feed.name]().assign(known_at=naive(part.start) + _SNAPSHOT_AFTER)
        else:
            facts = _FACTS[feed.name]()
            rows = pd.concat([known_between(facts, cycle, part) for cycle in self._cycles])
        yield frame_file(feed, _identified(rows))


def _identified(rows: pd.DataFrame) -> pd.DataFrame:
    """With `flight_id` where there are flights; from the moved date, so that cycles differ."""
    if "flight_number" not in rows:
        return rows
    date, number = rows["local_date"].dt.strftime("%Y-%m-%d"), rows["flight_number"].astype(str)
    names = date + "_" + rows["carrier"] + "_" + number + "_" + rows["origin"]
    return rows.assign(flight_id=names)
