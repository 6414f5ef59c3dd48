"""The unit of work: a half-open stretch of UTC time, named by its partition key.

Standard library only: Dags import this at parse time.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, Self, TypeAlias

from pipelines.core.errors import UsageError

Grain: TypeAlias = Literal["day", "hour", "quarter_hour"]
GRAIN_MINUTES: Mapping[Grain, int] = {"day": 24 * 60, "hour": 60, "quarter_hour": 15}
# Of a part's key. No colon: parts are folders of an object store, too.
KEY_FORMATS: Mapping[Grain, str] = {
    "day": "%Y-%m-%d",
    "hour": "%Y-%m-%dT%H",
    "quarter_hour": "%Y-%m-%dT%H%M",
}

_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"(?P<hour>\d{2})(?P<minute>\d{2})?"
_KEY = re.compile(rf"(?P<day>{_DAY})(?:T{_CLOCK}|/(?P<last>{_DAY}))?", re.ASCII)
_FORMS = (
    "a day (2026-11-20), an hour (2026-11-20T13), a quarter of one (2026-11-20T1345) or a range of "
    "days (2026-01-01/2026-03-31)"
)
# A year outside these is a typing error, not a day anybody has data for.
YEARS = range(2000, 2100)


@dataclass(frozen=True, order=True)
class Interval:
    """A half-open interval ``[start, end)`` in UTC; its `key` is the Airflow partition key.

    Raises:
        UsageError: `parse` refuses a key that is not exactly one of the four forms.

    Example:
        >>> day = Interval.parse("2026-11-20")
        >>> day.end.isoformat()
        '2026-11-21T00:00:00+00:00'
        >>> [part.key for part in Interval.parse("2026-11-19/2026-11-20").parts("day")]
        ['2026-11-19', '2026-11-20']
    """

    start: datetime
    end: datetime
    key: str

    @classmethod
    def parse(cls, key: str) -> Self:
        """Read a partition key; the last day of a range belongs to it."""
        match = _KEY.fullmatch(key)
        if match is None:
            raise UsageError(f"interval {key!r} is not {_FORMS}")
        start = _midnight(match["day"], key)
        if match["hour"] is not None:
            return cls._of_clock(start, int(match["hour"]), match["minute"], key)
        last = _midnight(match["last"], key) if match["last"] else start
        if last < start:
            raise UsageError(f"interval {key!r} ends before it starts; write FIRST/LAST")
        return cls(start, last + timedelta(days=1), key)

    @classmethod
    def _of_clock(cls, day: datetime, hour: int, minute: str | None, key: str) -> Self:
        grain: Grain = "quarter_hour" if minute else "hour"
        step = timedelta(minutes=GRAIN_MINUTES[grain])
        past = timedelta(hours=hour, minutes=int(minute or 0))
        if hour not in range(24):
            raise UsageError(f"interval {key!r}: hour {hour} is not one of 00 to 23")
        if past % step or int(minute or 0) not in range(60):
            raise UsageError(f"interval {key!r}: minute {minute} is not one of 00, 15, 30 and 45")
        return cls(day + past, day + past + step, key)

    @classmethod
    def of_day(cls, day: date) -> Self:
        """The interval of one UTC day."""
        return cls.parse(day.isoformat())

    def parts(self, grain: Grain) -> Iterator["Interval"]:
        """The parts of that size that this interval is made of, in order.

        Raises:
            UsageError: it is smaller than one.
        """
        step = timedelta(minutes=GRAIN_MINUTES[grain])
        if self.end - self.start < step:
            size = grain.replace("_", " ")
            raise UsageError(f"interval {self.key!r} is less than a {size}, by which this is built")
        start = self.start
        while start < self.end:
            yield Interval(start, start + step, start.strftime(KEY_FORMATS[grain]))
            start += step

    @property
    def days(self) -> int:
        """How many UTC days the interval touches."""
        return (self.last_date - self.start.date()).days + 1

    @property
    def last_date(self) -> date:
        """The UTC date of the interval's last instant."""
        return (self.end - timedelta(microseconds=1)).date()

    def __str__(self) -> str:
        return self.key


def _midnight(text: str, key: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"interval {key!r}: {text!r} is not a day of the calendar") from error
    if day.year not in YEARS:
        raise UsageError(f"interval {key!r}: year {day.year} is not in {YEARS[0]} to {YEARS[-1]}")
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
