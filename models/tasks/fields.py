"""The fields of answers: what each means and which bounds it has, as metadata."""

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from models.errors import DataRefused


def answer_field(
    name: str,
    kind: pa.DataType,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    not_above: str | None = None,
) -> pa.Field:
    """A field of an answer, its meaning and bounds as metadata.

    Args:
        not_above: another field of the answer that this one never exceeds.
    """
    bounds = {"low": low, "high": high, "not_above": not_above}
    said = {key: str(value) for key, value in bounds.items() if value is not None}
    return pa.field(name, kind, nullable=False, metadata={"meaning": meaning, **said})


def said_of(field: pa.Field, key: str) -> str | None:
    """What a field's metadata says: `meaning`, `low`, `high`, `not_above`."""
    found = (field.metadata or {}).get(key.encode())
    return None if found is None else found.decode()


def limit_of(field: pa.Field, key: str) -> float | None:
    """The lowest or the highest value that a field may have."""
    found = said_of(field, key)
    return None if found is None else float(found)


def check_field(field: pa.Field, answer: pa.Table) -> None:
    """Refuse a value that the field can't have.

    Raises:
        DataRefused: a null, NaN, or a value out of its bounds; names field and row.
    """
    column = answer[field.name]
    is_bad = pc.fill_null(_is_bad(field, column, answer), False)
    if pc.any(is_bad).as_py():
        row = pc.index(is_bad, True).as_py()
        raise DataRefused(
            f"{field.name}: the answer to row {row} is {column[row].as_py()}, not "
            f"{said_of(field, 'meaning')}{_limits(field)}; nothing is published: look at the "
            "model's inputs there, or roll back"
        )


def _is_bad(field: pa.Field, column: pa.ChunkedArray, answer: pa.Table) -> pa.ChunkedArray:
    """True where a value is none: null, NaN, out of bounds; null where the other's is null."""
    is_bad = pc.is_null(column)
    if pa.types.is_floating(field.type):
        is_bad = pc.or_kleene(is_bad, pc.invert(pc.is_finite(column)))
    low, high, other = limit_of(field, "low"), limit_of(field, "high"), said_of(field, "not_above")
    if low is not None:
        is_bad = pc.or_kleene(is_bad, pc.less(column, low))
    if high is not None:
        is_bad = pc.or_kleene(is_bad, pc.greater(column, high))
    if other is not None:
        is_bad = pc.or_kleene(is_bad, pc.greater(column, answer[other]))
    return is_bad


def _limits(field: pa.Field) -> str:
    said = (said_of(field, key) or "" for key in ("low", "high", "not_above"))
    low, high, other = said
    return (f" from {low} to {high}" if low or high else "") + (
        f", at most {other}" if other else ""
    )
