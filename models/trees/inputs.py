"""Rows as LightGBM reads them: numbers, NaN for missing, and categories by code.

Shape suffixes: B rows, F columns.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from models.columns import Columns, numeric_matrix, text_column
from models.errors import ModelRefused
from models.files import write_json

# The known values of each categorical column, in the order of their codes.
Categories = Mapping[str, Sequence[str]]


def categories(table: pa.Table, columns: Columns, min_rows: int) -> Categories:
    """The values that occur often enough to learn from."""

    def often(name: str) -> list[str]:
        counts = pc.value_counts(text_column(table, name))
        kept = counts.filter(pc.greater_equal(counts.field("counts"), min_rows))
        return sorted(kept.field("values").to_pylist())

    return {name: often(name) for name in columns.categorical}


def matrix(table: pa.Table, columns: Columns, known: Categories) -> npt.NDArray[np.float64]:
    """float64 [B, F]: float32 numbers, then codes; NaN is missing, or a category not known (B20).

    Raises:
        DataRefused: a column is absent or of the wrong kind.
    """
    numbers_BF = numeric_matrix(table, columns.numeric).astype(np.float64)
    codes = [_codes(text_column(table, name), known[name]) for name in columns.categorical]
    return np.column_stack([numbers_BF, *codes])


def _codes(column: pa.ChunkedArray, known: Sequence[str]) -> npt.NDArray[np.float64]:
    found = pc.index_in(column, value_set=pa.array(known, pa.string()))
    codes: npt.NDArray[np.float64] = found.cast(pa.float64()).to_numpy()
    return codes


def write(path: Path, known: Categories) -> None:
    """Keep the categories beside the trees."""
    write_json(path, known)


def read(path: Path, columns: Columns) -> Categories:
    """Read what `write` wrote.

    Raises:
        ModelRefused: it is not of these columns.
    """
    try:
        known = json.loads(path.read_text())
        lists = all(isinstance(values, list) for values in known.values())
        texts = all(isinstance(value, str) for values in known.values() for value in values)
        fits = lists and texts and list(known) == list(columns.categorical)
    except (AttributeError, OSError, TypeError, ValueError):
        fits = False
    if not fits:
        raise ModelRefused(
            f"{path.name} does not hold the categories of {', '.join(columns.categorical)}; "
            "restore it, or roll back to an earlier version"
        )
    return {name: tuple(values) for name, values in known.items()}
