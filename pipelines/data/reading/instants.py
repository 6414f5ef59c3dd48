"""Texts to instants and dates: whole batches at once, by Arrow's cast or by one pattern."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.data.reading.formats import has_time, pattern
from pipelines.data.reading.months import MONTHS
from pipelines.data.reading.notation import Epoch, Notation
from pipelines.data.reading.numbers import cast, whole_number
from pipelines.data.reading.zones import (
    CLOCK,
    DAY,
    INSTANT,
    SECOND,
    Instants,
    instants_of,
    localized,
    micros_of,
)

# A bare date in ISO form is no longer than this, and no date with a time is as short.
_DATE_CHARACTERS = 10
# Years of two digits: 69 to 99 are 1969 to 1999, as for strptime (POSIX).
CENTURY_TURN = 69
_PER_SECOND = {"s": 1, "ms": 1_000, "us": SECOND, "ns": 1_000 * SECOND}


class _Clocks(NamedTuple):
    """What texts say: a clock's time, and the seconds east of UTC, where they say them.

    `offsets` is None where no text says its zone.
    """

    times: pa.Array
    offsets: pa.Array | None


def instants(texts: pa.Array, notation: Notation) -> Instants:
    """Texts as instants; null where a text is none, or where a clock change skips it.

    Example:
        >>> found = instants(pa.array(["2026-03-01 01:30"]), Notation(zone="Europe/Berlin"))
        >>> found.values[0].as_py().isoformat()
        '2026-03-01T00:30:00+00:00'
    """
    if notation.epoch:
        return Instants(epochs(texts, notation.epoch), 0)
    if not notation.format and (zoned := cast(texts, INSTANT)) is not None:
        return Instants(instants_of(*micros_of(zoned)), 0)
    clocks = _clocks(texts, notation.format)
    if clocks.offsets is None:
        return localized(clocks.times, notation.zone, _are_days(texts, notation.format))
    told = pc.is_valid(clocks.offsets)
    rest = pc.if_else(told, pa.scalar(None, CLOCK), clocks.times)
    there = localized(rest, notation.zone, _are_days(texts, notation.format))
    micros, is_valid = micros_of(clocks.times)
    east = pc.fill_null(clocks.offsets, 0).to_numpy(zero_copy_only=False)
    by_text = instants_of(micros - east * SECOND, is_valid)
    return Instants(pc.if_else(told, by_text, there.values), there.num_doubled)


def dates(texts: pa.Array, notation: Notation) -> pa.Array:
    """Texts as dates; null where a text is none, or says a time of day other than midnight.

    A date is what the text's own clock shows, whatever its zone.
    """
    if notation.epoch:
        return days_of(epochs(texts, notation.epoch))
    return days_of(_clocks(texts, notation.format).times)


def days_of(times: pa.Array) -> pa.Array:
    """Clocks or instants as dates; null where the time of day is not midnight."""
    micros, is_valid = micros_of(times)
    is_midnight = is_valid & (micros % DAY == 0)
    return pa.array(micros // DAY, pa.int32(), mask=~is_midnight).cast(pa.date32())


def epochs(texts: pa.Array, unit: Epoch) -> pa.Array:
    """Texts of so many units since 1970 as instants; digits below a microsecond are cut."""
    found = pc.extract_regex(texts, r"\A(?P<whole>-?[0-9]{1,19})(?:\.(?P<f>[0-9]+))?\z")
    whole, fraction = pc.struct_field(found, "whole"), pc.struct_field(found, "f")
    is_odd = pc.and_(pc.starts_with(whole, "-"), pc.not_equal(fraction, ""))
    counts = _whole(pc.if_else(is_odd, None, whole))
    digits = {"s": 6, "ms": 3}.get(unit, 0)
    if not digits:
        return counted(counts, unit)
    micros, is_valid = micros_of(counted(counts, unit))
    return instants_of(micros + _numbers(_padded(fraction, digits)), is_valid)


def counted(counts: pa.Array, unit: str) -> pa.Array:
    """So many units since 1970 as instants; null outside of the years 1 to 9999."""
    values = pc.fill_null(counts, 0).to_numpy(zero_copy_only=False)
    is_valid = pc.is_valid(counts).to_numpy(zero_copy_only=False)
    per_second = _PER_SECOND[unit]
    if per_second > SECOND:
        return instants_of(values // (per_second // SECOND), is_valid)
    factor = SECOND // per_second
    # Multiplied first, a count of another unit would wrap around to some plausible year.
    fits = np.abs(values // 2) <= np.iinfo(np.int64).max // factor // 2
    return instants_of(np.where(fits, values, 0) * factor, is_valid & fits)


def _whole(texts: pa.Array) -> pa.Array:
    """Digits as int64; null where there are too many."""
    found = cast(texts, pa.int64())
    if found is not None:
        return found
    return pa.array(
        [None if text is None else whole_number(text) for text in texts.to_pylist()], pa.int64()
    )


def _clocks(texts: pa.Array, form: str) -> _Clocks:
    if not form and (found := cast(texts, CLOCK)) is not None:
        return _Clocks(found, None)
    parts = _parts(texts, form)
    micros = _days(parts) * DAY + _time_of_day(parts)
    is_valid = parts["is_valid"] & _is_real(parts)
    times = pa.array(micros, pa.int64(), mask=~is_valid).cast(CLOCK)
    return _Clocks(times, _offsets(parts["z"]) if "z" in parts else None)


def _parts(texts: pa.Array, form: str) -> dict[str, Any]:
    """The parts of each text as numpy integers (those of a zone as texts), by strptime's letter."""
    found = pc.extract_regex(texts, pattern(form))
    letters = [field.name for field in found.type]
    texts_of = {letter: pc.struct_field(found, letter) for letter in letters}
    read = {letter: _READ.get(letter, _numbers)(column) for letter, column in texts_of.items()}
    return read | {"is_valid": pc.is_valid(found).to_numpy(zero_copy_only=False)}


def _numbers(texts: pa.Array) -> Any:
    filled = pc.fill_null(pc.if_else(pc.equal(texts, ""), "0", texts), "0")
    return pc.cast(filled, pa.int64()).to_numpy(zero_copy_only=False)


def _padded(fraction: pa.Array, digits: int) -> pa.Array:
    return pc.utf8_slice_codeunits(pc.utf8_rpad(fraction, digits, "0"), 0, digits)


def _month(names: pa.Array) -> Any:
    found = pc.index_in(pc.utf8_lower(names), value_set=pa.array(MONTHS))
    numbers = np.array([*MONTHS.values()], np.int64)
    return numbers[pc.fill_null(found, 0).to_numpy(zero_copy_only=False)]


def _is_afternoon(marks: pa.Array) -> Any:
    is_pm = pc.starts_with(pc.utf8_lower(marks), "p")
    return pc.fill_null(is_pm, False).to_numpy(zero_copy_only=False)


_READ: dict[str, Callable[[pa.Array], Any]] = {
    "b": _month,
    "p": _is_afternoon,
    "f": lambda texts: _numbers(_padded(texts, 6)),
    "z": lambda texts: texts,
}


def _year(parts: dict[str, Any]) -> Any:
    if "Y" in parts:
        return parts["Y"]
    return parts["y"] + np.where(parts["y"] < CENTURY_TURN, 2000, 1900)


def _first_of_month(parts: dict[str, Any]) -> Any:
    month = parts["b"] if "b" in parts else parts["m"]
    return ((_year(parts) - 1970) * 12 + month - 1).astype("datetime64[M]")


def _days(parts: dict[str, Any]) -> Any:
    return _first_of_month(parts).astype("datetime64[D]").astype(np.int64) + parts["d"] - 1


def _is_real(parts: dict[str, Any]) -> Any:
    """Whether the month has that day, and the year is one of ours."""
    month = _days(parts).astype("datetime64[D]").astype("datetime64[M]")
    return (month == _first_of_month(parts)) & (_year(parts) > 0)


def _time_of_day(parts: dict[str, Any]) -> Any:
    """Microseconds since midnight."""
    hour = parts["I"] % 12 + 12 * parts["p"] if "I" in parts else parts.get("H", 0)
    minutes = hour * 60 + parts.get("M", 0)
    return (minutes * 60 + parts.get("S", 0)) * SECOND + parts.get("f", 0)


def _offsets(zones: pa.Array) -> pa.Array:
    """Seconds east of UTC; null where the text says none."""
    digits = pc.replace_substring(zones, ":", "")
    hours, minutes = (_sliced(digits, start) for start in (1, 3))
    sign = np.where(
        pc.fill_null(pc.starts_with(zones, "-"), False).to_numpy(zero_copy_only=False), -1, 1
    )
    says = pc.not_equal(pc.fill_null(zones, ""), "").to_numpy(zero_copy_only=False)
    return pa.array(sign * (hours * 60 + minutes) * 60, pa.int64(), mask=~says)


def _sliced(digits: pa.Array, start: int) -> Any:
    """Two of an offset's digits; of `Z` and `UTC` none."""
    is_offset = pc.match_substring_regex(digits, r"\A[+-]")
    part = pc.utf8_slice_codeunits(digits, start, start + 2)
    return _numbers(pc.if_else(is_offset, part, ""))


def _are_days(texts: pa.Array, form: str) -> Any:
    """Which texts say no time of day."""
    if form:
        return np.full(len(texts), not has_time(form))
    short = pc.less_equal(pc.binary_length(texts), _DATE_CHARACTERS)
    return pc.fill_null(short, False).to_numpy(zero_copy_only=False)
