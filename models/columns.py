"""Arrow tables to whole matrices, for training and for scoring alike; numpy and pyarrow only.

Shape suffixes: B rows, F numeric columns, C categorical columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from models.errors import DataRefused

Floats: TypeAlias = npt.NDArray[np.float32]
Texts: TypeAlias = npt.NDArray[np.object_]


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What a model reads, in the order of its inputs.

    Raises:
        ValueError: no column at all, or a name that occurs twice.
    """

    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # From JSON they come as lists; a frozen value holds tuples.
        object.__setattr__(self, "numeric", tuple(self.numeric))
        object.__setattr__(self, "categorical", tuple(self.categorical))
        twice = sorted({name for name in self.inputs if self.inputs.count(name) > 1})
        if twice:
            raise ValueError(f"Columns: {twice} occur twice; name each column once")
        if not self.inputs:
            raise ValueError("Columns: there are none; name at least one number or category")

    @property
    def inputs(self) -> tuple[str, ...]:
        return (*self.numeric, *self.categorical)

    @property
    def schema(self) -> pa.Schema:
        """What a model is asked with: numbers, and texts; each may be missing."""
        numbers = ((name, pa.float64()) for name in self.numeric)
        return pa.schema([*numbers, *((name, pa.string()) for name in self.categorical)])


def numeric_matrix(table: pa.Table, names: Sequence[str]) -> Floats:
    """float32 [B, F]; null, infinity and what float32 can't hold become NaN, which is *missing*.

    Raises:
        DataRefused: a column is absent or holds no numbers.
    """
    x_BF = np.empty((table.num_rows, len(names)), np.float32)
    with np.errstate(over="ignore"):
        for position, name in enumerate(names):
            x_BF[:, position] = _floats(name, _column(table, name))
    x_BF[~np.isfinite(x_BF)] = np.nan
    return x_BF


def text_column(table: pa.Table, name: str) -> pa.ChunkedArray:
    """A categorical column as strings; null is the empty string, a value like any other.

    Raises:
        DataRefused: the column is absent or holds neither text, whole numbers nor booleans.
    """
    column = _column(table, name)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (_is_text(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise DataRefused(f"{name}: {column.type} is no category; give text or whole numbers")
    return pc.fill_null(column.cast(pa.string()), "")


def text_matrix(table: pa.Table, names: Sequence[str]) -> Texts:
    """Strings [B, C] as onnxruntime takes them."""
    x_BC = np.empty((table.num_rows, len(names)), object)
    for position, name in enumerate(names):
        x_BC[:, position] = text_column(table, name).to_numpy()
    return x_BC


def label_vector(name: str, label: pa.ChunkedArray) -> Floats:
    """float32 [B] of 0 and 1.

    Raises:
        DataRefused: a label is null or another number; says in which row.
    """
    label_B = _floats(name, label).astype(np.float32)
    wrong = np.flatnonzero((label_B != 0) & (label_B != 1))
    if wrong.size:
        raise DataRefused(
            f"{name}: {wrong.size} of {label_B.size} labels are neither 0 nor 1, the first in row "
            f"{wrong[0]} ({label[int(wrong[0])]}); leave rows without a label out"
        )
    return label_B


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if table.column_names.count(name) != 1:
        raise DataRefused(
            f"{name}: the table has {table.column_names.count(name)} columns of that name, "
            f"not one; it has {', '.join(table.column_names)}"
        )
    return table[name]


def _floats(name: str, column: pa.ChunkedArray) -> npt.NDArray[Any]:
    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (number or pa.types.is_boolean(kind)):
        raise DataRefused(f"{name}: {kind} is not a number; cast it or list it as categorical")
    floats: npt.NDArray[Any] = column.cast(pa.float64()).to_numpy()
    return floats


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
