"""Values of any source as the texts that a landing file holds.

What is not of its column's type stays as it stood there: ingest quarantines it with its text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.use_cases.spec.use_case import ColumnType

_WHOLE = re.compile(r"(-?[0-9]+)\.0*", re.ASCII)
# A bare date, or a date and a time; `fromisoformat` alone would take 20240301 and 2024-W09, too.
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?", re.ASCII)


def as_texts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of any Arrow type as texts; NaN is null, a naive timestamp is taken as UTC."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return as_texts(values.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        # The clock of the text is UTC's whatever zone the column is shown in.
        instants = values if kind.tz else pc.assume_timezone(values, "UTC")
        utc = instants.cast(pa.timestamp("us", "UTC"), safe=False)
        return pc.strftime(utc, format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_date(kind):
        return values.cast(pa.date32()).cast(pa.string())
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_nan(values), None, values).cast(pa.string())
    if _casts_well(kind):
        return values.cast(pa.string())
    return pa.chunked_array([[text_of(value) for value in values.to_pylist()]], pa.string())


def _casts_well(kind: pa.DataType) -> bool:
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    is_number = pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    return bool(is_text or is_number or pa.types.is_boolean(kind) or pa.types.is_null(kind))


def text_of(value: Any) -> str | None:
    """One Python value as text, such as a database driver gives it."""
    if value is None or value != value:  # noqa: PLR0124  # NaN is not itself
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value)


@lru_cache(maxsize=65_536)
def instant(text: str | None) -> datetime | None:
    """The instant that a text in ISO form names: a date is its midnight, no zone means UTC.

    Example:
        >>> instant("2026-03-01 01:30:00+02:00").isoformat()
        '2026-02-28T23:30:00+00:00'
    """
    if text is None or not _INSTANT.fullmatch(text.strip()):
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _utc(at: datetime) -> str:
    """With a Z, as landing files have it."""
    aware = at.astimezone(UTC) if at.tzinfo else at
    return f"{aware.replace(tzinfo=None).isoformat()}Z"


def landing_text(kind: ColumnType, text: str) -> str:
    """A text as the landing file of that column type has it; what does not fit stays as it is.

    Example:
        >>> landing_text("timestamp", "2026-03-01"), landing_text("bigint", "7.0")
        ('2026-03-01T00:00:00Z', '7')
    """
    change = _CHANGES.get(kind)
    return change(text) if change else text


def _timestamp(text: str) -> str:
    found = instant(text)
    return _utc(found) if found else text


def _date(text: str) -> str:
    found = instant(text)
    # A time of day in a date column is more than the column says: not a date.
    return found.date().isoformat() if found and found.time() == datetime.min.time() else text


def _boolean(text: str) -> str:
    lowered = text.lower()
    return lowered if lowered in ("true", "false") else text


def _whole(text: str) -> str:
    found = _WHOLE.fullmatch(text)
    return found[1] if found else text


_CHANGES: Mapping[ColumnType, Callable[[str], str]] = {
    "timestamp": _timestamp,
    "date": _date,
    "boolean": _boolean,
    "int": _whole,
    "bigint": _whole,
}


def landing_texts(
    kind: ColumnType, texts: Sequence[str | None], nulls: frozenset[str]
) -> list[str | None]:
    """A column's texts for its landing file; `nulls` are the source's words for *missing*."""
    missing = frozenset({""}) if kind == "string" else nulls | {""}
    return [
        None if text is None or text in missing else landing_text(kind, text.replace("\0", "\\0"))
        for text in texts
    ]
