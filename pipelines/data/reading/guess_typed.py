"""What the columns of typed sources are: by type, and numbers that are times by their size."""

from collections.abc import Iterator

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.data.reading.guess_instants import epoch_of
from pipelines.data.reading.notation import Notation
from pipelines.data.reading.said import Guess, Said
from pipelines.data.reading.stand_ins import stand_in_told
from pipelines.data.reading.tally import Tally
from pipelines.data.reading.typed import as_texts, decoded
from pipelines.data.reading.values import converted
from pipelines.use_cases.spec.use_case import ColumnType


def of_typed(name: str, column: pa.ChunkedArray, is_time: bool, said: Said) -> Guess:
    """What a column that is not of texts is."""
    notation = _notation(column, is_time, said)
    kind = kind_of(column, notation)
    asks = None
    if is_time and kind not in ("date", "timestamp"):
        asks = f"{name}: it holds {column.type}, which is no instant: name another column"
    return Guess(kind=kind, notation=notation, told=tuple(_told(name, column, notation)), asks=asks)


def _told(name: str, column: pa.ChunkedArray, notation: Notation) -> Iterator[str]:
    if notation.epoch:
        yield f"{name}: {notation.epoch} since 1970"
    elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        texts = pa.chunked_array([as_texts(decoded(chunk)) for chunk in column.chunks], pa.string())
        yield from stand_in_told(name, Tally.of(texts), Notation())
    if column.null_count == len(column):
        yield f"{name}: empty in the sample"


def has_zone(kind: pa.DataType) -> bool:
    """Whether a type says in which zone its clocks are."""
    return bool(pa.types.is_timestamp(kind) and kind.tz is not None)


def kind_of(column: pa.ChunkedArray, notation: Notation) -> ColumnType:
    """Our type of a typed column; a text for what has none, such as lists and times of day.

    Example:
        >>> kind_of(pa.chunked_array([[1, 2]]), Notation())
        'bigint'
    """
    kind = column.type
    if notation.epoch or pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_floating(kind):
        return "double"
    if pa.types.is_decimal(kind) and kind.scale > 0:
        return "double"
    is_whole = pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    return "bigint" if is_whole and _fits(column) else "string"


def _fits(column: pa.ChunkedArray) -> bool:
    """A number beyond 64 bits is a name of something: as a text it keeps every digit."""
    return bool(converted(column, "bigint").failed.null_count == len(column))


def _notation(column: pa.ChunkedArray, is_time: bool, said: Said) -> Notation:
    """How it is read: the numbers of a time column are seconds or less since 1970."""
    kind, missing = column.type, frozenset(said.missing)
    if is_time and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        numbers = pc.cast(column, pa.float64(), safe=False).drop_null()
        return Notation(epoch=epoch_of(numbers), missing=missing)
    is_local = is_time or pa.types.is_timestamp(kind)
    zone = said.zone if said.zone and is_local and not has_zone(kind) else "UTC"
    return Notation(zone=zone, missing=missing)
