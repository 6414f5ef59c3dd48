"""Which days of the reference are like those that are judged: Sundays are held against Sundays.

A table with a weekly rhythm differs every Sunday from the mixture of a week, and has not drifted.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from models.tasks.task import Array
from pipelines.learning.monitor.chance import Draws

# When a row was decided, in references and predictions. References of before have no such column.
DECIDED_AT = "decided_at"
# No task's `day`: an input may have that name.
DECIDED_DAY = "decided_day"
_WEEK = 7
# With fewer the tail of Student's t is so long that nothing were drift any more.
_DEGREES_MIN = 5


def dated(table: pa.Table) -> pa.Table:
    """With the day of each row, as whole days since 1970 in UTC, in place of its instant.

    A decision at midnight is of the day that ends then. A table without instants stays as it is.

    Example:
        >>> from datetime import UTC, datetime
        >>> at = [datetime(1970, 1, 3, tzinfo=UTC), datetime(1970, 1, 3, 12, tzinfo=UTC)]
        >>> dated(pa.table({"decided_at": at}))["decided_day"].to_pylist()
        [1, 2]
    """
    if DECIDED_AT not in table.column_names:
        return table
    instant = table[DECIDED_AT].cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    microseconds_a_day = 24 * 3600 * 1_000_000
    day = (instant.to_numpy() - 1) // microseconds_a_day
    return table.drop_columns(DECIDED_AT).append_column(DECIDED_DAY, pa.array(day, pa.int32()))


def alike(reference: pa.Table, current: pa.Table) -> pa.Table:
    """The reference's newest days in the current rows' mixture of weekdays, as many as there are.

    Of a window of one Sunday these are all Sundays, of a week all whole weeks. Where the reference
    is too short for one such mixture, all its days of these weekdays; where it lacks one, all days.
    """
    known, asked = _days(reference), _days(current)
    if known is None or asked is None or not _knows(known, asked):
        return reference
    wanted = Counter((np.unique(asked) % _WEEK).tolist())
    held = Counter((np.unique(known) % _WEEK).tolist())
    times = min(held[weekday] // number for weekday, number in wanted.items())
    most = {weekday: (times or _WEEK) * number for weekday, number in wanted.items()}
    return reference.filter(pa.array(np.isin(known, list(_newest(known, most)))))


def _knows(known: Array, asked: Array) -> bool:
    """Whether a reference has all weekdays that are judged."""
    return len(asked) > 0 and bool(np.isin(asked % _WEEK, known % _WEEK).all())


def _newest(day: Array, most: dict[int, int]) -> Iterator[int]:
    """At most so many days of each weekday."""
    left = dict(most)
    for each in np.unique(day)[::-1].tolist():
        if left.get(each % _WEEK, 0):
            left[each % _WEEK] -= 1
            yield each


@dataclass(frozen=True)
class DayByDay:
    """Each day of the reference against the others that it is like.

    Args:
        draws: a draw a day.
        variance: how much a difference of two such sides varies, where one day varies by 1.
        degrees: how many differences there are that don't follow from each other.
    """

    draws: Draws
    variance: float
    degrees: int


def day_by_day(reference: pa.Table, current: pa.Table) -> DayByDay | None:
    """What tells how days differ; None where too few have another that they are like.

    Days of one weekday are alike. Where the reference lacks a weekday that is judged, all are: its
    days stand for any, and the rhythm is a part of how they differ.
    """
    day, asked = _days(reference), _days(current)
    if day is None or asked is None:
        return None
    known = np.unique(day)
    kind = known % _WEEK if _knows(known, asked) else np.zeros_like(known)
    others = {
        each: known[(kind == own) & (known != each)] for each, own in zip(known, kind, strict=True)
    }
    compared = [each for each in known if len(others[each])]
    degrees = len(compared) - len(set(kind[np.isin(known, compared)].tolist()))
    if degrees < _DEGREES_MIN:
        return None
    before = np.column_stack([np.isin(day, others[each]) for each in compared])
    after = np.column_stack([day == each for each in compared])
    draws = Draws(before.astype(np.float32), after.astype(np.float32))
    variance = float(np.mean([1 + 1 / len(others[each]) for each in compared]))
    return DayByDay(draws, variance, degrees)


def variance(before: pa.Table, after: pa.Table) -> float:
    """How much the difference of two sides varies, where one day varies by 1."""
    return sum(1 / len(np.unique(day)) for day in (_days(before), _days(after)) if day is not None)


def _days(table: pa.Table) -> Array | None:
    if DECIDED_DAY not in table.column_names:
        return None
    days: Array = pc.cast(table[DECIDED_DAY], pa.int64()).to_numpy()
    return days
