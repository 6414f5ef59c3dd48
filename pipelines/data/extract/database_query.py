"""Which rows of a table are asked for, and in which order.

The server picks generously, since it may keep local times, texts or epochs: who asked picks
exactly. A row whose instant is missing or can't be read is always picked, for quarantine.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from pipelines.data.reading.batches import Between

# Local times are up to 14 hours off.
_MARGIN = timedelta(days=1)
# The texts that sort as their instants do; every other text is picked.
_ISO = "^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_DAY_CHARACTERS = 10
_JULIAN_DAY_OF_1970 = 2_440_587.5
# As far as Python's own instants go, and a day, which a zone may be ahead.
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
_BIGINT = 2**63 - 1
_DAY_SECONDS = 86_400
_SORTABLE = (
    *(sa.Integer, sa.Numeric, sa.String, sa.Date, sa.DateTime, sa.Time, sa.Boolean, sa.Uuid),
    *(sa.Interval, postgresql.INTERVAL),
)

Column: TypeAlias = "sa.ColumnClause[Any]"
Condition: TypeAlias = sa.ColumnElement[bool]


def within(table: sa.TableClause, between: Between, dialect: str) -> Condition:
    """The rows that may lie in the interval, and those of which nobody can tell."""
    start, end = (at.astimezone(UTC) for at in (between.start - _MARGIN, between.end + _MARGIN))
    columns = [table.c[name] for name in between.columns]
    picked = [_picked(column, start, end, dialect) for column in columns]
    # Of the first alone: the others say when more became known, which need never be.
    known = columns[0]
    if between.first:
        picked.append(_picked(known, _FIRST, between.first.astimezone(UTC), dialect))
    if between.last:
        picked.append(_picked(known, between.last.astimezone(UTC), _LAST, dialect))
    return sa.or_(known.is_(None), *(each for found in picked for each in found))


def ordered(table: sa.TableClause, key: Sequence[str], between: Between | None) -> list[Column]:
    """By instant, then by key, or by all that can be sorted: the same rows make the same file.

    A table without a key that is read as a whole stays as the server has it: to sort it would
    take longer than to read it.
    """
    names = dict.fromkeys(between.columns if between else ())
    others = [c.name for c in table.columns if isinstance(c.type, _SORTABLE)] if between else []
    return [table.c[name] for name in dict.fromkeys([*names, *(key or others)])]


def _picked(column: Column, start: datetime, end: datetime, dialect: str) -> Iterator[Condition]:
    if dialect == "sqlite":
        yield from _dynamic(column, start, end)
    elif isinstance(column.type, sa.DateTime):
        is_aware = column.type.timezone
        at = [each if is_aware else each.replace(tzinfo=None) for each in (start, end)]
        yield _from_to(column, *at)
    elif isinstance(column.type, sa.Date):
        yield _from_to(column, start.date(), end.date())
    elif isinstance(column.type, sa.Numeric | sa.Integer):
        yield from _numbers(column, start, end)
    else:
        yield _texts(sa.cast(column, sa.Text), start, end)
        yield sa.not_(sa.cast(column, sa.Text).regexp_match(_ISO))
    if dialect in ("mysql", "mariadb") and isinstance(column.type, sa.DateTime | sa.Date):
        # 0000-00-00, 2026-00-15, 2026-11-00: what MySQL keeps in the place of a date.
        yield sa.or_(sa.func.month(column) == 0, sa.func.dayofmonth(column) == 0)


def _dynamic(column: Column, start: datetime, end: datetime) -> Iterator[Condition]:
    """SQLite keeps any kind of value in any column; beside a column of texts a number is a text."""
    raw = sa.type_coerce(column, sa.types.NullType())
    kind = sa.func.typeof(raw)
    is_number = kind.in_(("integer", "real"))
    yield from (sa.and_(is_number, each) for each in _numbers(raw, start, end))
    yield _texts(raw, start, end)
    day = sa.func.substr(raw, 1, _DAY_CHARACTERS)
    # Of what is no day of the calendar it makes null, or, with a modifier, another day.
    yield sa.and_(kind == "text", sa.func.date(day, "+0 days").is_distinct_from(day))
    yield kind == "blob"


def _numbers(column: sa.ColumnElement[Any], start: datetime, end: datetime) -> Iterator[Condition]:
    """Epochs in any unit, days such as 20261120, Julian days: none is within another's range."""
    epoch = [round(at.timestamp()) for at in (start, end)]
    for unit in (1, 10**3, 10**6, 10**9):
        yield _from_to(column, *(max(-_BIGINT, min(each * unit, _BIGINT)) for each in epoch))
    yield _from_to(column, *(int(f"{at:%Y%m%d}") for at in (start, end)))
    yield _from_to(column, *(each / _DAY_SECONDS + _JULIAN_DAY_OF_1970 for each in epoch))


def _texts(column: sa.ColumnElement[Any], start: datetime, end: datetime) -> Condition:
    return _from_to(column, start.date().isoformat(), end.date().isoformat())


def _from_to(column: sa.ColumnElement[Any], start: Any, end: Any) -> Condition:
    """Bounds are sent as the values that they are, not as what the column's type makes of them."""
    return sa.and_(column >= sa.literal(start), column < sa.literal(end))
