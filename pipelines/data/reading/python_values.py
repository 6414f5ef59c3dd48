"""Values of Python, as a database's driver or a workbook gives them, as one typed Arrow column."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

import pyarrow as pa  # type: ignore[import-untyped]

INSTANT, CLOCK = pa.timestamp("us", "UTC"), pa.timestamp("us")
# A double holds every whole number up to here, and not the next.
_WHOLE_MAX = 2**53
# Of a whole number up to here a person sees all digits, beyond it an exponent.
_SHOWN_WHOLE_MAX = 10**15

Values: TypeAlias = Sequence[Any]


class _Unfit(Exception):
    """Not every value fits the type, so all of them are shown as texts."""


def array(values: Values) -> pa.Array:
    """The values in the type that holds each of them exactly; texts, where none does.

    Durations become seconds, lists and objects JSON, bytes hexadecimal digits.

    Example:
        >>> array([1, None, 2]).type, array([7.0, "n/a"]).to_pylist()
        (DataType(int64), ['7', 'n/a'])
    """
    kinds = frozenset(map(type, values)) - {type(None)}
    change = next((change for fitting, change in _CHANGES if kinds <= fitting), _texts)
    try:
        return change(values)
    except (_Unfit, OverflowError, ValueError):
        return _texts(values)


def shown(value: Any) -> str | None:
    """One value as the text that a person sees; None stays None.

    Example:
        >>> shown(7.0), shown(True), shown(b"K"), shown([1, None])
        ('7', 'true', '4b', '[1, null]')
    """
    if value is None or isinstance(value, str):
        return value
    show = next((show for kind, show in _SHOWN.items() if isinstance(value, kind)), str)
    return show(value)


def _texts(values: Values) -> pa.Array:
    return pa.array([shown(value) for value in values], pa.string())


def _int(values: Values) -> pa.Array:
    try:
        return pa.array(values, pa.int64())
    except OverflowError:
        return _decimal([None if value is None else Decimal(value) for value in values])


def _float(values: Values) -> pa.Array:
    if any(isinstance(value, int) and abs(value) > _WHOLE_MAX for value in values):
        raise _Unfit
    return pa.array(values, pa.float64())


def _decimal(values: Values) -> pa.Array:
    given = [None if value is None else Decimal(value) for value in values]
    if not all(value is None or value.is_finite() for value in given):
        raise _Unfit
    made = pa.array(given)
    if not pa.types.is_decimal128(made.type):
        raise _Unfit
    return made


def _clock(values: Values) -> pa.Array:
    zones = {value.tzinfo is None for value in values if isinstance(value, datetime)}
    if len(zones) > 1:
        raise _Unfit
    return pa.array(values, CLOCK if zones == {True} else INSTANT)


def _days_and_clocks(values: Values) -> pa.Array:
    midnights = [
        datetime.combine(value, time.min) if type(value) is date else value for value in values
    ]
    return _clock(midnights)


def _seconds(values: Values) -> pa.Array:
    seconds = [None if value is None else value.total_seconds() for value in values]
    return pa.array(seconds, pa.float64())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=shown)


def _number(value: float) -> str:
    is_whole = value.is_integer() and abs(value) < _SHOWN_WHOLE_MAX
    return str(int(value)) if is_whole else str(value)


def _at(value: datetime) -> str:
    return (value.astimezone(UTC) if value.tzinfo else value).isoformat()


_CHANGES: Sequence[tuple[frozenset[type], Callable[[Values], pa.Array]]] = (
    (frozenset({str}), lambda values: pa.array(values, pa.string())),
    (frozenset({bool}), lambda values: pa.array(values, pa.bool_())),
    (frozenset({int}), _int),
    (frozenset({int, float}), _float),
    (frozenset({int, Decimal}), _decimal),
    (frozenset({date}), lambda values: pa.array(values, pa.date32())),
    (frozenset({datetime}), _clock),
    (frozenset({date, datetime}), _days_and_clocks),
    (frozenset({timedelta}), _seconds),
)
# A boolean is an int, and an instant is a date: the narrower comes first.
_SHOWN: Mapping[type | tuple[type, ...], Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    float: _number,
    Decimal: lambda value: format(value, "f"),
    datetime: _at,
    (date, time): lambda value: value.isoformat(),
    timedelta: lambda value: _number(value.total_seconds()),
    (bytes, bytearray, memoryview): lambda value: bytes(value).hex(),
    UUID: str,
    (list, tuple, dict): _json,
}
