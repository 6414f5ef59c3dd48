"""Arrow columns of any type as the few that the platform has, each value as it was.

Those are bool, integers, floats, decimal128, date32, timestamps in microseconds (of UTC, or
without a zone) and strings.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from pyarrow import types

from pipelines.data.reading.batches import CELL_CHARACTERS_MAX, batch
from pipelines.data.reading.python_values import CLOCK, INSTANT, shown

_UNITS_A_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DECIMAL_DIGITS_MAX = 38
_SHOWN_CHARACTERS = 40
# The days of the years 1 and 10000, counted from 1970: Python has no others.
_FIRST_DAY, _DAY_BEYOND = -719_162, 2_932_897
_DAY_SECONDS = 86_400


def flat_names(schema: pa.Schema) -> list[str]:
    """The columns' names, those of a struct as `struct.field`, one level deep.

    Example:
        >>> flat_names(pa.schema({"a": pa.struct({"b": pa.int8()}), "c": pa.int8()}))
        ['a.b', 'c']
    """
    return [name for field in schema for name in _names(field)]


def is_nested(field: pa.Field) -> bool:
    """Whether a column becomes several."""
    return bool(types.is_struct(field.type)) and field.type.num_fields > 0


def flat(table: pa.Table | pa.RecordBatch) -> dict[str, pa.Array]:
    """The columns by their flat names, in their own types; of equal names the first."""
    found: dict[str, pa.Array] = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        parts = whole.flatten() if is_nested(field) else [whole]
        for name, part in zip(_names(field), parts, strict=True):
            found.setdefault(name, part)
    return found


def _names(field: pa.Field) -> list[str]:
    if is_nested(field):
        return [f"{field.name}.{inner.name}" for inner in field.type]
    return [field.name]


def typed_batch(
    columns: Mapping[str, pa.Array],
    lines: Sequence[int],
    *,
    file: str,
    problems: Mapping[int, str] | None = None,
) -> pa.Table:
    """A batch of typed columns; a row with a cell that is too long or no text is a problem.

    Args:
        problems: of rows that can't be read for other reasons, by their place in the batch.
    """
    found = dict(problems or {})
    for name, column in columns.items():
        found |= {row: f"{name}: {said}" for row, said in _problems(column)}
    values = {name: plain(column) for name, column in columns.items()}
    said = [found.get(row) for row in range(len(lines))] if found else None
    if said:
        is_broken = pa.array([each is not None for each in said])
        values = {name: _without(value, is_broken) for name, value in values.items()}
    return batch(values, lines, file=file, problems=said)


def _without(column: pa.Array, is_broken: pa.Array) -> pa.Array:
    return pc.if_else(is_broken, pa.scalar(None, column.type), column)


def _problems(column: pa.Array) -> Iterator[tuple[int, str]]:
    if types.is_timestamp(column.type) or types.is_date(column.type):
        for row in pc.indices_nonzero(_is_beyond(column)).to_pylist():
            yield row, "not in the years 1 to 9999"
    elif _is_text(column.type):
        yield from _text_problems(column)


def _is_beyond(column: pa.Array) -> pa.Array:
    """Which days or instants no program of ours could show."""
    is_day = types.is_date32(column.type)
    unit = "ms" if types.is_date64(column.type) else "" if is_day else column.type.unit
    day = _DAY_SECONDS * _UNITS_A_SECOND[unit] if unit else 1
    first, beyond = (
        # Nanoseconds end long before.
        max(min(each * day, 2**63 - 1), -(2**63))
        for each in (_FIRST_DAY, _DAY_BEYOND)
    )
    number = column.cast(pa.int32() if is_day else pa.int64()).cast(pa.int64())
    is_beyond = pc.or_(pc.less(number, first), pc.greater_equal(number, beyond))
    return pc.fill_null(is_beyond, False)


def _text_problems(column: pa.Array) -> Iterator[tuple[int, str]]:
    lengths = pc.fill_null(pc.binary_length(column), 0)
    # In UTF-8 a text has as many bytes as characters, or more.
    for row in pc.indices_nonzero(pc.greater(lengths, CELL_CHARACTERS_MAX)).to_pylist():
        if (length := len(_decoded(column[row]))) > CELL_CHARACTERS_MAX:
            yield row, f"{length} characters, above {CELL_CHARACTERS_MAX}"
    if not _is_utf_8(column):
        for row, value in enumerate(column):
            if value.is_valid and "\\x" in (text := _decoded(value)) and not _is_whole(value):
                yield row, f"the text {text[:_SHOWN_CHARACTERS]} is not UTF-8"


def _is_utf_8(column: pa.Array) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_whole(value: pa.Scalar) -> bool:
    try:
        value.as_py()
    except UnicodeDecodeError:
        return False
    return True


def _decoded(value: pa.Scalar) -> str:
    raw: bytes = value.as_buffer().to_pybytes()
    return raw.decode(errors="backslashreplace")


def plain(column: pa.Array) -> pa.Array:
    """A column in one of the platform's types; of what has none the texts that show it.

    Durations become seconds, binary values hexadecimal digits, lists and structs JSON.

    Example:
        >>> plain(pa.array([b"K", None])).to_pylist(), plain(pa.array([[1, 2]])).to_pylist()
        (['4b', None], ['[1, 2]'])
    """
    if isinstance(column, pa.ExtensionArray) and not isinstance(column, pa.UuidArray):
        column = column.storage
    change = next((change for holds, change in _CHANGES if holds(column.type)), _shown)
    try:
        return change(column)
    except pa.ArrowInvalid:
        return _shown(column)


def _is_text(kind: pa.DataType) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _shown(column: pa.Array) -> pa.Array:
    return pa.array([shown(value) for value in column.to_pylist()], pa.string())


def _text(column: pa.Array) -> pa.Array:
    if _is_utf_8(column):
        return column.cast(pa.string())
    return pa.array([_decoded(v) if v.is_valid else None for v in column], pa.string())


def _timestamp(column: pa.Array) -> pa.Array:
    # Nanoseconds are cut: neither Spark nor Delta has them.
    is_safe = column.type.unit != "ns"
    return _within_years(column).cast(INSTANT if column.type.tz else CLOCK, safe=is_safe)


def _date(column: pa.Array) -> pa.Array:
    return _within_years(column).cast(pa.date32())


def _within_years(column: pa.Array) -> pa.Array:
    """Null where it is beyond: those rows are problems."""
    return _without(column, _is_beyond(column))


def _seconds(column: pa.Array) -> pa.Array:
    units = column.cast(pa.int64()).cast(pa.float64(), safe=False)
    return pc.divide(units, float(_UNITS_A_SECOND[column.type.unit]))


def _decimal(column: pa.Array) -> pa.Array:
    digits = min(column.type.precision, _DECIMAL_DIGITS_MAX)
    return column.cast(pa.decimal128(digits, column.type.scale))


def _unsigned(column: pa.Array) -> pa.Array:
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column.cast(pa.decimal128(20, 0))


def _decoded_again(decode: Callable[[pa.Array], pa.Array]) -> Callable[[pa.Array], pa.Array]:
    return lambda column: plain(decode(column))


def _same(column: pa.Array) -> pa.Array:
    return column


def _cast(kind: pa.DataType) -> Callable[[pa.Array], pa.Array]:
    return lambda column: column.cast(kind)


# The first that holds; a type that none holds is shown as texts.
_CHANGES: Sequence[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.Array]]] = (
    (types.is_dictionary, _decoded_again(lambda column: column.dictionary_decode())),
    (types.is_run_end_encoded, _decoded_again(pc.run_end_decode)),
    (_is_text, _text),
    (types.is_uint64, _unsigned),
    (types.is_integer, _same),
    (types.is_boolean, _same),
    (types.is_float16, _cast(pa.float32())),
    (types.is_floating, _same),
    (types.is_decimal, _decimal),
    (types.is_date, _date),
    (types.is_timestamp, _timestamp),
    (types.is_time, _cast(pa.string())),
    (types.is_duration, _seconds),
    (types.is_null, _cast(pa.string())),
)
