"""The values of a database's column as one Arrow column, by its SQL type where that is clear."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeEngine

from pipelines.data.reading import python_values

# SQLite keeps dates as Julian days, too: those of the years 1585 to 2405.
_JULIAN_DAYS = (2_300_000.0, 2_600_000.0)
_DAY_OF_1970, _1970 = 2_440_587.5, datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def asked(column: "sa.ColumnClause[Any]") -> sa.ColumnElement[Any]:
    """A column as it is selected: plain, but money as an exact number without its sign."""
    if isinstance(column.type, postgresql.MONEY):
        return sa.type_coerce(sa.cast(column, sa.Numeric), sa.types.NullType())
    return sa.type_coerce(column, sa.types.NullType())


def array(values: Sequence[Any], sql: TypeEngine[Any]) -> pa.Array:
    """The values in the type that holds each of them; texts, where the column holds several kinds.

    Example:
        >>> array([0, 1, None], sa.Boolean()).type, array([0, 2], sa.Boolean()).type
        (DataType(bool), DataType(int64))
    """
    kind = sql.data_type if isinstance(sql, postgresql.DOMAIN) else sql
    if all(value is None for value in values):
        return pa.nulls(len(values), _empty(kind))
    return python_values.array(_meant(values, kind))


def problems(name: str, values: Sequence[Any], sql: TypeEngine[Any]) -> dict[int, str]:
    """Why rows can't be read, by their place: SQLite may have bytes where texts are."""
    kinds = set(map(type, values))
    if bytes not in kinds or not (str in kinds or isinstance(sql, sa.String)):
        return {}
    return {
        row: f"{name}: bytes where texts are: {value.decode(errors='backslashreplace')[:100]!r}"
        for row, value in enumerate(values)
        if isinstance(value, bytes)
    }


def _meant(values: Sequence[Any], sql: TypeEngine[Any]) -> Sequence[Any]:
    """What the type says of values that the driver gives as others."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {int}:
        return _meant_by_ints(values, sql)
    if kinds == {float} and isinstance(sql, sa.Date | sa.DateTime):
        return _meant_by_days(values)
    if kinds == {bytes} and isinstance(sql, mysql.BIT):
        return [None if value is None else int.from_bytes(value) for value in values]
    if kinds == {datetime} and isinstance(sql, mysql.TIMESTAMP):
        return [None if value is None else value.replace(tzinfo=UTC) for value in values]
    return values


def _meant_by_ints(values: Sequence[Any], sql: TypeEngine[Any]) -> Sequence[Any]:
    if isinstance(sql, sa.Boolean) and {0, 1}.issuperset(v for v in values if v is not None):
        return [None if value is None else bool(value) for value in values]
    is_broken = isinstance(sql, sa.Numeric) and all(abs(v) <= 2**53 for v in values if v)
    return [None if v is None else float(v) for v in values] if is_broken else values


def _meant_by_days(values: Sequence[Any]) -> Sequence[Any]:
    first, last = _JULIAN_DAYS
    if not all(value is None or first <= value < last for value in values):
        return values
    return [
        None if value is None else _1970 + timedelta(milliseconds=_milliseconds(value))
        for value in values
    ]


def _milliseconds(julian_day: float) -> int:
    """Since 1970; a double of that size is exact to 40 microseconds."""
    return round((julian_day - _DAY_OF_1970) * 86_400_000)


def _empty(sql: TypeEngine[Any]) -> pa.DataType:
    if isinstance(sql, sa.DateTime):
        is_instant = sql.timezone or isinstance(sql, mysql.TIMESTAMP)
        return python_values.INSTANT if is_instant else python_values.CLOCK
    return next((arrow for kinds, arrow in _EMPTY if isinstance(sql, kinds)), pa.string())


_EMPTY = (
    (sa.Boolean, pa.bool_()),
    (sa.Integer, pa.int64()),
    (sa.Numeric, pa.float64()),
    (sa.Date, pa.date32()),
    (sa.Interval, pa.float64()),
)
