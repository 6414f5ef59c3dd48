"""Both sides of a comparison as the model sees them.

Infinite numbers are missing, and a missing category is one more category.
"""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import numeric_matrix, text_column

if TYPE_CHECKING:
    import pandas as pd

MISSING = ""  # as `models.columns` writes a category that is not there


def sample(table: pa.Table, num_rows_max: int) -> pa.Table:
    """At most so many rows, in their order, and always the same ones of the same table."""
    if table.num_rows <= num_rows_max:
        return table
    drawn = np.random.default_rng(0).choice(table.num_rows, num_rows_max, replace=False)
    return table.take(np.sort(drawn))


def frame(table: pa.Table, numbers: Sequence[str], categories: Sequence[str]) -> "pd.DataFrame":
    """Numbers as float64, NaN where missing; categories as text, a column that is not there too.

    Evidently writes categories into a script of its page as they are, so `</script>` in the data
    would run: they are escaped here, which keeps different ones different.

    Raises:
        DataRefused: a column is of the wrong kind.
    """
    import pandas as pd

    held = set(table.column_names)
    values = numeric_matrix(table, [name for name in numbers if name in held]).astype(float)
    made = pd.DataFrame(values, columns=[name for name in numbers if name in held])
    for name in categories:
        if name in held:
            made[name] = text_column(table, name).to_pandas().map(escape).to_numpy(object)
        else:
            made[name] = MISSING
    return made.reindex(columns=[*numbers, *categories])


def is_missing(column: "pd.Series[Any]") -> "pd.Series[bool]":
    """True where there is no value."""
    return column.isna() | (column == MISSING)


def missing_share(column: "pd.Series[Any]") -> float:
    """The share of missing values; of no rows all are."""
    return float(is_missing(column).mean()) if len(column) else 1.0
