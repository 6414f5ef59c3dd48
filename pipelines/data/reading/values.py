r"""The one place where a column gets its type, whatever its source: texts, or typed already.

Nothing is dropped and nothing is guessed: what does not fit stays as a text beside its null.

What was decided:

- An empty text is null in every column; one of blanks alone in all that are not text.
- `24:00` and a leap second are no times; digits below a microsecond are cut.
- A number becomes the nearest double, as Python's `float` reads it, also one of a database's
  decimals; a whole number fits exactly or fails.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.data.reading.batches import CELL_CHARACTERS_MAX
from pipelines.data.reading.instants import dates, instants
from pipelines.data.reading.notation import PLAIN, Notation
from pipelines.data.reading.numbers import PATTERNS, booleans, doubles, matches, wholes
from pipelines.data.reading.typed import as_texts, decoded, is_text, quick
from pipelines.data.reading.zones import INSTANT, Instants
from pipelines.use_cases.spec.use_case import ColumnType

_FAILED_CHARACTERS_MAX = 1_000
_TYPES: dict[ColumnType, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": INSTANT,
}
_INT32_MAX = 2**31 - 1


class Converted(NamedTuple):
    """A column in its type.

    `failed` has the text of each value that did not fit, null elsewhere; `num_doubled` counts the
    clock times that a clock change showed twice, of which the first was taken.
    """

    values: pa.ChunkedArray
    failed: pa.ChunkedArray
    num_doubled: int


def arrow_type(kind: ColumnType) -> pa.DataType:
    """Arrow's type of a column."""
    return _TYPES[kind]


def converted(column: pa.ChunkedArray, kind: ColumnType, notation: Notation = PLAIN) -> Converted:
    """A column of texts, or of any type, in ours.

    Example:
        >>> found = converted(pa.chunked_array([["1,97", "9.00"]]), "double", Notation(decimal=","))
        >>> found.values.to_pylist(), found.failed.to_pylist()
        ([1.97, None], [None, '9.00'])
    """
    parts = [_converted(chunk, kind, notation) for chunk in column.chunks]
    return Converted(
        pa.chunked_array([part.values for part in parts], _TYPES[kind]),
        pa.chunked_array([part.failed for part in parts], pa.string()),
        sum(part.num_doubled for part in parts),
    )


class _Part(NamedTuple):
    values: pa.Array
    failed: pa.Array
    num_doubled: int


def _converted(chunk: pa.Array, kind: ColumnType, notation: Notation) -> _Part:
    column = _without_missing(decoded(chunk), kind, notation)
    found = None if is_text(column.type) else quick(column, kind, notation)
    if found is None:
        if not is_text(column.type):
            column = as_texts(column)
            notation = replace(notation, decimal=".", thousands="", format="", is_exact=False)
        column = _visible(column)
        found = _read(_of_bearable_length(column), kind, notation)
    values = _narrow(found.values, kind)
    return _Part(values, _failed(column, values), found.num_doubled)


def _without_missing(column: pa.Array, kind: ColumnType, notation: Notation) -> pa.Array:
    """Null in place of an empty text and of each word for *missing*, also if that is a number."""
    if not is_text(column.type) and not notation.missing:
        return column
    texts = column if is_text(column.type) else as_texts(column)
    if kind != "string" and not notation.is_exact:
        texts = pc.utf8_trim_whitespace(texts)
    words = pa.array(["", *sorted(notation.missing)])
    is_missing = pc.fill_null(pc.is_in(texts, value_set=words), False)
    return pc.if_else(is_missing, pa.scalar(None, column.type), column)


def _visible(texts: pa.Array) -> pa.Array:
    r"""NUL as `\0`: neither PostgreSQL nor a page can hold it."""
    has_nul = pc.any(pc.match_substring(texts, "\0")).as_py()
    return pc.replace_substring(texts, "\0", "\\0") if has_nul else texts


def _of_bearable_length(texts: pa.Array) -> pa.Array:
    if (pc.max(pc.binary_length(texts)).as_py() or 0) <= CELL_CHARACTERS_MAX:
        return texts
    fits = pc.less_equal(pc.utf8_length(texts), CELL_CHARACTERS_MAX)
    return pc.if_else(fits, texts, None)


def _read(texts: pa.Array, kind: ColumnType, notation: Notation) -> Instants:
    if kind in ("date", "timestamp"):
        trimmed = _trimmed(texts, kind, notation)
        if kind == "timestamp":
            return instants(trimmed, notation)
        return Instants(dates(trimmed, notation), 0)
    if kind == "string":
        return Instants(texts, 0)
    read: dict[str, Any] = {"double": doubles, "boolean": booleans}
    return Instants(read.get(kind, wholes)(texts, notation), 0)


def _trimmed(texts: pa.Array, kind: ColumnType, notation: Notation) -> pa.Array:
    if notation.is_exact:
        return pc.if_else(matches(texts, PATTERNS[kind]), texts, None)
    return pc.utf8_trim_whitespace(texts)


def _narrow(values: pa.Array, kind: ColumnType) -> pa.Array:
    if kind != "int":
        return values
    fits = pc.and_(pc.less_equal(values, _INT32_MAX), pc.greater_equal(values, -_INT32_MAX - 1))
    return pc.if_else(fits, values, None).cast(pa.int32())


def _failed(column: pa.Array, values: pa.Array) -> pa.Array:
    if values.null_count == column.null_count:
        return pa.nulls(len(column), pa.string())
    has_failed = pc.and_(pc.is_null(values), pc.is_valid(column))
    texts = as_texts(column.filter(has_failed))
    cut = pc.utf8_slice_codeunits(texts, 0, _FAILED_CHARACTERS_MAX)
    shown = pc.if_else(pc.equal(cut, texts), texts, pc.binary_join_element_wise(cut, "...", ""))
    empty = pa.nulls(len(column), pa.string())
    return pc.replace_with_mask(empty, has_failed, shown)
