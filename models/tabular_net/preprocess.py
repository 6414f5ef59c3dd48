"""Statistics of the training rows, which the net carries inside; numpy and pyarrow only.

Shape suffixes: B rows, F numeric columns, E bin edges.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from models.columns import Columns, Floats, numeric_matrix, text_column
from models.errors import DataRefused

# Beyond it, widths of bins would overflow float32; no honest measurement is that large.
LARGEST = np.float32(1e18)


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How finely the training rows are summarised.

    Args:
        num_bins: quantile bins a numeric column; ties make fewer.
        min_category_rows: a rarer category shares bucket 0 with those never seen, which so has
            something to learn from.

    Raises:
        ValueError: a number below 1.
    """

    num_bins: int = 32
    min_category_rows: int = 20

    def __post_init__(self) -> None:
        for field in ("num_bins", "min_category_rows"):
            if getattr(self, field) < 1:
                raise ValueError(
                    f"Preprocessing.{field}: {getattr(self, field)} is below 1; give 1 or more"
                )


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """What was learned of the columns from the training rows alone.

    Args:
        edges_FE: ascending quantiles; the last one is repeated where a column has fewer values.
        vocabularies: a categorical column's known values, code = position + 1; 0 is unknown.
    """

    edges_FE: Floats
    vocabularies: tuple[tuple[str, ...], ...]


def fit_statistics(table: pa.Table, columns: Columns, options: Preprocessing) -> Statistics:
    """Summarise the training rows; constant and all-null columns simply get no bins (B21).

    Raises:
        DataRefused: no rows, or a column that can't be read.
    """
    if table.num_rows == 0:
        raise DataRefused("the training table has no rows; there is nothing to learn from")
    x_BF = numeric_matrix(table, columns.numeric)
    edges = [_edges(x_BF[:, f], options.num_bins) for f in range(x_BF.shape[1])]
    vocabularies = (_vocabulary(table, c, options.min_category_rows) for c in columns.categorical)
    return Statistics(edges_FE=np.stack(edges), vocabularies=tuple(vocabularies))


def _edges(x_B: Floats, num_bins: int) -> Floats:
    known = x_B[~np.isnan(x_B)]
    if known.size == 0:
        return np.zeros(num_bins + 1, np.float32)
    quantiles = np.quantile(known.astype(np.float64), np.linspace(0, 1, num_bins + 1))
    distinct = np.unique(quantiles.clip(-LARGEST, LARGEST).astype(np.float32))
    return np.pad(distinct, (0, num_bins + 1 - distinct.size), mode="edge")


def _vocabulary(table: pa.Table, name: str, min_rows: int) -> tuple[str, ...]:
    counts = pc.value_counts(text_column(table, name))
    often = counts.filter(pc.greater_equal(counts.field("counts"), min_rows))
    return tuple(sorted(often.field("values").to_pylist()))


def encode(column: pa.ChunkedArray, vocabulary: tuple[str, ...]) -> pa.ChunkedArray:
    """int64 codes of a text column; a value that is not in the vocabulary is 0 (B20)."""
    found = pc.index_in(column, value_set=pa.array(vocabulary, pa.string()))
    return pc.add(pc.fill_null(found.cast(pa.int64()), -1), 1)


def count_unknown(table: pa.Table, columns: Columns, statistics: Statistics) -> dict[str, int]:
    """How many rows fall into bucket 0, by categorical column (B20: counted)."""
    pairs = zip(columns.categorical, statistics.vocabularies, strict=True)
    return {
        name: int(pc.sum(pc.equal(encode(text_column(table, name), vocabulary), 0)).as_py() or 0)
        for name, vocabulary in pairs
    }
