"""Records as rows of a feed: each column of its type, and beside it the texts that did not fit.

Such rows land as Parquet, typed up to bronze: a value is parsed once.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.data.reading.batches import BATCH_ROWS, LINE, ORIGIN, FileRefused
from pipelines.data.reading.notation import PLAIN, Notation
from pipelines.data.reading.values import arrow_type, converted
from pipelines.use_cases.spec.use_case import Column, Feed

log = logging.getLogger(__name__)

# The texts that are not of their column's type, a field a column; and what a row is known by when
# its source is read again.
FAILED, DIGEST = "__failed__", "__digest__"
_DOUBLED = "%s: %d times came twice, when the clocks of %s went back: each is taken as the first"


def typed(
    batch: pa.Table, columns: Sequence[Column], notations: Mapping[str, Notation]
) -> pa.Table:
    """The records of a batch, whose columns have the feed's names, as the feed has them.

    Example:
        >>> origin = {name: pa.nulls(2, pa.string()) for name in ORIGIN}
        >>> rows = typed(pa.table({"n": ["7", "x"], **origin}), [Column("n", "bigint", "")], {})
        >>> rows["n"].to_pylist(), rows[FAILED].to_pylist()
        ([7, None], [{'n': None}, {'n': 'x'}])
    """
    values, failed = {}, {}
    for column in columns:
        values[column.name] = pa.nulls(len(batch), arrow_type(column.type))
        failed[column.name] = pa.nulls(len(batch), pa.string())
        if column.name in batch.column_names:
            notation = notations.get(column.name, PLAIN)
            found = converted(batch[column.name], column.type, notation)
            values[column.name], failed[column.name] = found.values, found.failed
            if found.num_doubled:
                log.warning(_DOUBLED, column.name, found.num_doubled, notation.zone)
    return pa.table({**values, FAILED: _struct(failed), **{name: batch[name] for name in ORIGIN}})


def with_value(rows: pa.Table, column: str, values: pa.ChunkedArray) -> pa.Table:
    """The rows with other values in a column, of its type."""
    place = rows.schema.get_field_index(column)
    return rows.set_column(place, rows.schema.field(place), values)


def with_failed(rows: pa.Table, column: str, texts: pa.Array, *, anew: bool = False) -> pa.Table:
    """The rows, of whose column these texts, where there are any, did not fit.

    Args:
        anew: what did not fit before is forgotten.
    """
    failed = failed_texts(rows)
    failed[column] = texts if anew else pc.coalesce(texts, failed[column])
    nothing = pa.scalar(None, rows.schema.field(column).type)
    nulled = with_value(rows, column, pc.if_else(pc.is_valid(texts), nothing, rows[column]))
    return with_value(nulled, FAILED, pa.chunked_array([_struct(failed)]))


def failed_texts(rows: pa.Table) -> dict[str, pa.Array]:
    """By column, the texts that did not fit."""
    together = rows[FAILED].combine_chunks()
    fields = (
        pa.concat_arrays(together.chunks) if isinstance(together, pa.ChunkedArray) else together
    )
    return dict(zip((field.name for field in fields.type), fields.flatten(), strict=True))


def schema(feed: Feed) -> pa.Schema:
    """Of the landed rows of a feed."""
    names = pa.struct([(name, pa.string()) for name in feed.column_names])
    origin = [(name, pa.int64() if name == LINE else pa.string()) for name in ORIGIN]
    columns = [(column.name, arrow_type(column.type)) for column in feed.columns]
    return pa.schema([*columns, (FAILED, names), *origin, (DIGEST, pa.uint64())])


def landed(content: bytes, feed: Feed) -> Iterator[pa.Table]:
    """The rows of a landed file of Parquet, in its order.

    Raises:
        FileRefused: it is none, or one of other columns; names them.
    """
    try:
        file = pq.ParquetFile(BytesIO(content))
    except pa.ArrowException as error:
        raise FileRefused(f"it is no Parquet: {error}") from error
    wanted = schema(feed)
    for field in wanted:
        found = (
            file.schema_arrow.field(field.name) if field.name in file.schema_arrow.names else None
        )
        if found is None or not found.type.equals(field.type):
            raise FileRefused(
                f"column {field.name} landed as {found.type if found else 'nothing'}, the feed has "
                f"{field.type}: the columns have changed; land those days again"
            )
    for batch in file.iter_batches(BATCH_ROWS, columns=wanted.names):
        yield pa.Table.from_batches([batch]).select(wanted.names)


def _struct(texts: Mapping[str, pa.Array | pa.ChunkedArray]) -> pa.StructArray:
    arrays = [
        each.combine_chunks() if isinstance(each, pa.ChunkedArray) else each
        for each in texts.values()
    ]
    return pa.StructArray.from_arrays(arrays, names=list(texts))
