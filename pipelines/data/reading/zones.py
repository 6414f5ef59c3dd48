"""Local clocks to instants, by Python's `zoneinfo`: right to the hour in the night of a change.

Arrow's own `assume_timezone` knows no rules beyond the last change written in the zone's file: the
summers after 2037 come out an hour late (Arrow 25).
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

CLOCK = pa.timestamp("us")
INSTANT = pa.timestamp("us", "UTC")
SECOND = 1_000_000
DAY = 86_400 * SECOND
# Microseconds since 1970 of the first and the last instant that Python and Spark can hold.
_FIRST, _LAST = -719_162 * DAY, 2_932_897 * DAY - 1
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # a clock, of no zone yet


class Instants(NamedTuple):
    """Instants in UTC, null where there is none, and how many clocks showed their time twice."""

    values: pa.Array
    num_doubled: int


def instants_of(micros: Any, is_valid: Any) -> pa.Array:
    """Microseconds since 1970 as instants; null outside of the years 1 to 9999."""
    missing = ~(is_valid & (micros >= _FIRST) & (micros <= _LAST))
    return pa.array(micros, pa.int64(), mask=missing).cast(INSTANT)


def micros_of(times: pa.Array) -> tuple[Any, Any]:
    """Clocks or instants as numpy's microseconds since 1970, and which there are."""
    filled = pc.fill_null(times.cast(pa.int64()), 0)
    return filled.to_numpy(zero_copy_only=False), pc.is_valid(times).to_numpy(zero_copy_only=False)


def localized(clocks: pa.Array, zone: str, is_day: Any) -> Instants:
    """The instants at which a zone's clocks show these times.

    A time that a clock change skips never was: null. One that it doubles is the first of the two.

    Args:
        clocks: timestamps without a zone.
        is_day: numpy booleans, which of them are days without a time: these begin at the first
            instant that they have, also where a change skips midnight.

    Example:
        >>> night = pa.array([datetime(2026, 3, 29, 2, 30), datetime(2026, 10, 25, 2, 30)], CLOCK)
        >>> localized(night, "Europe/Berlin", np.zeros(2, bool)).values.to_pylist()[0] is None
        True
    """
    micros, is_valid = micros_of(clocks)
    if zone == "UTC":
        return Instants(instants_of(micros, is_valid), 0)
    offsets, is_unusual = _offsets_of_days(micros // DAY, zone)
    num_doubled = 0
    for row in np.flatnonzero(is_unusual & is_valid):
        offset, is_doubled = _offset(int(micros[row]), bool(is_day[row]), zone)
        is_valid[row] = offset is not None
        offsets[row] = offset or 0
        num_doubled += is_doubled
    return Instants(instants_of(micros - offsets * SECOND, is_valid), num_doubled)


def _offsets_of_days(days: Any, zone: str) -> tuple[Any, Any]:
    """Of each day the seconds east of UTC; and whether it has no single offset."""
    found = pc.dictionary_encode(pa.array(days))
    each = [_offset_of_day(day, zone) for day in found.dictionary.to_pylist()]
    places = found.indices.to_numpy(zero_copy_only=False)
    offsets = np.array([offset or 0 for offset in each], np.int64)
    return offsets[places], np.array([offset is None for offset in each], bool)[places]


@lru_cache(maxsize=65_536)
def _offset_of_day(day: int, zone: str) -> int | None:
    """The seconds east of UTC of a whole day since 1970; None: the clock changes on it.

    No zone ever changed its clocks to and fro within half a day.
    """
    times = (day * DAY, day * DAY + DAY // 2, (day + 1) * DAY - 1)
    found = {_east(micros, fold, zone) for micros in times for fold in (0, 1)}
    return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=65_536)
def _offset(micros: int, is_day: bool, zone: str) -> tuple[int | None, bool]:
    """The seconds east of UTC of a clock's time, None where it is skipped; is it doubled?

    In a gap the offset before it (fold 0) is the smaller, in a doubled time the larger one.
    """
    before, after = (_east(micros, fold, zone) for fold in (0, 1))
    if before >= after:
        return before, before > after
    # The skipped midnight and the day's first instant are one, unless the whole day is skipped.
    starts = is_day and _day_at(micros - before * SECOND, zone) == micros // DAY
    return (before if starts else None), False


def _east(micros: int, fold: int, zone: str) -> int:
    clamped = min(max(micros, _FIRST), _LAST)
    clock = (_EPOCH + timedelta(microseconds=clamped)).replace(tzinfo=ZoneInfo(zone), fold=fold)
    offset = clock.utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _day_at(micros: int, zone: str) -> int:
    """The day since 1970 that the zone's calendar shows at an instant."""
    at = datetime.fromtimestamp(micros // SECOND, UTC).astimezone(ZoneInfo(zone))
    return (at.replace(tzinfo=None) - _EPOCH).days
