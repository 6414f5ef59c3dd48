"""What a row is known by when its source is read again: 64 bits of what it says.

By chance two of ten million rows share them in one source of 400,000 (n²/2 of 2**64).
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.data.reading.batches import PROBLEM, RAW
from pipelines.data.reading.rows import failed_texts

_Digests = npt.NDArray[np.uint64]
_MIX, _NULL = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)


def digests(rows: pa.Table, columns: list[str], again: int = 0) -> pa.Array:
    """The digest of each row, whatever file and line it is read from.

    Args:
        columns: those of the feed.
        again: of the second publication of a record 1, so that it is another row.
    """
    found = np.full(len(rows), again, np.uint64)
    unread = pc.if_else(pc.is_valid(rows[PROBLEM]), rows[RAW], pa.scalar(None, pa.string()))
    for column in [rows[name] for name in columns] + [*failed_texts(rows).values(), unread]:
        found = (found * _MIX) ^ (found >> np.uint64(29)) ^ _hashed(column)
    return pa.array(found, pa.uint64())


def _hashed(column: pa.ChunkedArray | pa.Array) -> _Digests:
    if column.null_count == len(column):
        return np.full(len(column), _NULL, np.uint64)
    is_null = np.asarray(pc.is_null(column), np.bool_)
    if pa.types.is_string(column.type):
        texts = np.asarray(pc.fill_null(column, ""), object)
        hashed: _Digests = pd.util.hash_array(texts, categorize=True)
    else:
        hashed = pd.util.hash_array(_bits(column))
    return np.where(is_null, _NULL, hashed)


def _bits(column: pa.ChunkedArray | pa.Array) -> _Digests:
    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif pa.types.is_timestamp(kind) or pa.types.is_date32(kind):
        column = column.cast(pa.int64() if pa.types.is_timestamp(kind) else pa.int32())
    values = np.asarray(pc.fill_null(column, 0))
    if values.dtype == np.float64:
        return values.view(np.uint64)
    return values.astype(np.int64).view(np.uint64)
