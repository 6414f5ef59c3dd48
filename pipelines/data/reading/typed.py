"""Columns that come with a type, from Parquet or a database: to ours without going through text."""

import json
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.data.reading.instants import counted, days_of
from pipelines.data.reading.notation import Notation
from pipelines.data.reading.zones import CLOCK, Instants, instants_of, localized, micros_of
from pipelines.use_cases.spec.use_case import ColumnType

_INT64_END = 2.0**63


def decoded(column: pa.Array) -> pa.Array:
    """The plain values of a column: no dictionary, no runs; texts as `string`; NaN as null."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return decoded(column.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return decoded(pc.run_end_decode(column))
    if is_text(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_floating(kind):
        wide = column.cast(pa.float64()) if pa.types.is_float16(kind) else column
        return pc.if_else(pc.is_nan(wide), None, wide)
    return column


def is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def quick(column: pa.Array, kind: ColumnType, notation: Notation) -> Instants | None:
    """The values of a decoded column in our type; null where one does not fit.

    None where only its texts can say: a decimal as a number, a number as a yes or no.
    """
    if is_instant(kind) and pa.types.is_temporal(column.type):
        return _temporal(column, kind, notation)
    if is_instant(kind) and notation.epoch and pa.types.is_signed_integer(column.type):
        instants = counted(column.cast(pa.int64()), notation.epoch)
        return Instants(instants if kind == "timestamp" else days_of(instants), 0)
    for fits, target, change in _CHANGES:
        if fits(column.type) and kind == target:
            return Instants(change(column), 0)
    return None


def is_instant(kind: ColumnType) -> bool:
    return kind in ("date", "timestamp")


def _temporal(column: pa.Array, kind: ColumnType, notation: Notation) -> Instants | None:
    if pa.types.is_timestamp(column.type):
        return _timestamps(column, kind, notation)
    if not pa.types.is_date(column.type):
        return None
    days = column.cast(pa.date32())
    if kind == "date":
        return Instants(days, 0)
    midnights = counted(pc.multiply(days.cast(pa.int32()).cast(pa.int64()), 86_400), "s")
    clocks = midnights.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).cast(CLOCK)
    return localized(clocks, notation.zone, np.ones(len(days), bool))


def _timestamps(column: pa.Array, kind: ColumnType, notation: Notation) -> Instants:
    """Digits below a microsecond are cut; a clock without a zone is one of the notation's."""
    has_zone = column.type.tz is not None
    shown = pc.local_timestamp(column) if has_zone and kind == "date" else column
    micros = counted(shown.cast(pa.int64()), column.type.unit)
    if kind == "date":
        return Instants(days_of(micros), 0)
    if has_zone:
        return Instants(instants_of(*micros_of(micros)), 0)
    clocks = micros.cast(pa.int64()).cast(CLOCK)
    return localized(clocks, notation.zone, np.zeros(len(column), bool))


def _wholes(column: pa.Array) -> pa.Array:
    """Floats as int64, null where one is broken or too big."""
    fits = pc.and_(pc.equal(column, pc.floor(column)), _is_within(column))
    return pc.if_else(fits, column, None).cast(pa.int64(), safe=False)


def _is_within(column: pa.Array) -> pa.Array:
    wide = column.cast(pa.float64())
    return pc.and_(pc.greater_equal(wide, -_INT64_END), pc.less(wide, _INT64_END))


def _int64(column: pa.Array) -> pa.Array:
    if pa.types.is_uint64(column.type):
        fits = pc.less(column, pa.scalar(2**63, pa.uint64()))
        column = pc.if_else(fits, column, None)
    return column.cast(pa.int64())


def _finite(column: pa.Array) -> pa.Array:
    # Adding 0 makes -0.0 a plain 0.0.
    finite = pc.if_else(pc.is_finite(column), column, None)
    return pc.add(finite.cast(pa.float64()), 0.0)


_Change: TypeAlias = tuple[
    Callable[[pa.DataType], bool], ColumnType, Callable[[pa.Array], pa.Array]
]
# An int too big for our 32 bits becomes null in `values`, which knows both.
_CHANGES: tuple[_Change, ...] = (
    (pa.types.is_boolean, "boolean", lambda column: column),
    (pa.types.is_integer, "int", _int64),
    (pa.types.is_integer, "bigint", _int64),
    (pa.types.is_integer, "double", lambda column: column.cast(pa.float64(), safe=False)),
    (pa.types.is_floating, "int", _wholes),
    (pa.types.is_floating, "bigint", _wholes),
    (pa.types.is_floating, "double", _finite),
)


def as_texts(column: pa.Array) -> pa.Array:
    """A decoded column of any type as texts: 1001.0 as `1001`, what is nested as JSON.

    Example:
        >>> as_texts(pa.array([[1, 2], None])).to_pylist()
        ['[1, 2]', None]
    """
    kind = column.type
    if pa.types.is_floating(kind):
        whole = _wholes(column).cast(pa.string())
        return pc.coalesce(whole, column.cast(pa.string()))
    if pa.types.is_timestamp(kind):
        return _iso(column)
    if any(is_one(kind) for is_one in _CASTS_WELL):
        return column.cast(pa.string())
    return pa.array([_text(value) for value in column.to_pylist()], pa.string())


_CASTS_WELL = (
    is_text,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_decimal,
    pa.types.is_date,
    pa.types.is_time,
)


def _iso(column: pa.Array) -> pa.Array:
    utc = column.cast(pa.timestamp(column.type.unit, "UTC")) if column.type.tz else column
    return pc.replace_substring_regex(utc.cast(pa.string()), r"\.0+(Z?)\z", r"\1")


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, ensure_ascii=False, default=_text)
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)
