"""Arrow tables to whole matrices, for training and for scoring alike; numpy and pyarrow only.

Shape suffixes: B rows, F numeric columns, C categorical columns, N items of all rows' lists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from models.errors import DataRefused
from models.plain import parsed

Floats: TypeAlias = npt.NDArray[np.float32]
Texts: TypeAlias = npt.NDArray[np.object_]
Offsets: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What a model reads, in the order of its inputs.

    Args:
        numeric, categorical: a number, or a text, a row.
        numeric_lists, categorical_lists: a list of them a row, such as a series' last hours; a
            family of single values leaves them alone.

    Raises:
        ValueError: no column at all, or a name that occurs twice.
    """

    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    numeric_lists: tuple[str, ...] = ()
    categorical_lists: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # From JSON they come as lists; a frozen value holds tuples.
        for each in fields(self):
            object.__setattr__(self, each.name, tuple(getattr(self, each.name)))
        twice = sorted({name for name in self.inputs if self.inputs.count(name) > 1})
        if twice:
            raise ValueError(f"Columns: {twice} occur twice; name each column once")
        if not self.inputs:
            raise ValueError("Columns: there are none; name at least one number or category")

    @property
    def inputs(self) -> tuple[str, ...]:
        return (*self.numeric, *self.categorical, *self.numeric_lists, *self.categorical_lists)

    @property
    def single(self) -> Self:
        """Those of a single value a row."""
        return type(self)(numeric=self.numeric, categorical=self.categorical)

    @property
    def schema(self) -> pa.Schema:
        """What a model is asked with: numbers, texts, and lists of them; each may be missing."""
        kinds = {
            pa.float64(): self.numeric,
            pa.string(): self.categorical,
            pa.list_(pa.float64()): self.numeric_lists,
            pa.list_(pa.string()): self.categorical_lists,
        }
        return pa.schema([(name, kind) for kind, names in kinds.items() for name in names])

    def to_json(self) -> dict[str, list[str]]:
        """Plain values; kinds of columns that came later are left out where there are none."""
        always = ("numeric", "categorical")
        named = ((each.name, list(getattr(self, each.name))) for each in fields(self))
        return {name: columns for name, columns in named if columns or name in always}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave.

        Raises:
            ValueError: a field is missing or unknown; the message names it.
        """
        return parsed(cls, {"numeric_lists": (), "categorical_lists": (), **values})


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


def numeric_list(table: pa.Table, name: str) -> tuple[Floats, Offsets]:
    """A column of lists as its items, float32 [N], and where each row's begin, int64 [B + 1].

    A null list is an empty one; null, infinity and what float32 can't hold become NaN.

    Raises:
        DataRefused: the column is absent or holds no lists of numbers.
    """
    items, offset_B1 = _lists(table, name)
    with np.errstate(over="ignore"):
        value_N = _floats(name, items).astype(np.float32)
    value_N[~np.isfinite(value_N)] = np.nan
    return value_N, offset_B1


def text_list(table: pa.Table, name: str) -> tuple[pa.StringArray, Offsets]:
    """The same of lists of texts or whole numbers: strings [N], null as the empty one.

    Raises:
        DataRefused: the column is absent or holds no such lists.
    """
    items, offset_B1 = _lists(table, name)
    return text_column(pa.table({name: items}), name).combine_chunks(), offset_B1


def _lists(table: pa.Table, name: str) -> tuple[pa.ChunkedArray, Offsets]:
    """The items of all rows, and where each row's begin, [B + 1]."""
    column = _column(table, name)
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        raise DataRefused(f"{name}: {column.type} is no list; list it as single values")
    length_B = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    offset_B1 = np.concatenate([[0], np.cumsum(length_B, dtype=np.int64)])
    return pc.list_flatten(column), offset_B1


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
