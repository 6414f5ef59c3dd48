"""Who took what, when, and how much they liked it: of whole tables, and of a row's own history.

Shape suffixes: B rows, U users, I items, N ratings.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from scipy import sparse  # type: ignore[import-untyped]

from models.columns import Columns, numeric_list, numeric_matrix, text_column, text_list
from models.errors import DataRefused
from models.tasks.task import Array
from models.two_stage.settings import Sources

if TYPE_CHECKING:
    from models.two_stage.catalogue import Catalogue

Sparse: TypeAlias = Any  # scipy.sparse.csr_matrix

# However bad a rating, the item was taken.
_WEIGHT_MIN = 0.1


@dataclass(frozen=True)
class Ratings:
    """Ratings of items that the catalogue has, in the order of instants, users and items.

    Args:
        user_N: whole numbers from 0, in the order of the users' names.
        rating_N: NaN where none was given.
        known_at_N: microseconds since 1970.
    """

    user_N: Array
    item_N: Array
    rating_N: Array
    known_at_N: Array

    def __len__(self) -> int:
        return len(self.item_N)

    def before(self, at: int) -> "Ratings":
        """Those known before an instant."""
        upto = int(np.searchsorted(self.known_at_N, at, "left"))
        return Ratings(*(getattr(self, name)[:upto] for name in self.__dataclass_fields__))

    @property
    def end(self) -> int:
        """The instant by which all were known."""
        return int(self.known_at_N[-1]) + 1

    @property
    def mean(self) -> float:
        """Of all ratings that were given; 0 where none was."""
        known_N = self.rating_N[~np.isnan(self.rating_N)]
        return float(known_N.mean()) if known_N.size else 0.0


@dataclass(frozen=True)
class Weights:
    """What an item weighs in a history: 1, and more or less by its rating."""

    per_star: float
    rating_mean: float

    def __call__(self, rating_N: Array) -> Array:
        weight_N: Array = 1 + self.per_star * np.nan_to_num(rating_N - self.rating_mean)
        return np.maximum(weight_N, _WEIGHT_MIN)


def read(path: Path, sources: Sources, catalogue: "Catalogue") -> Ratings:
    """The ratings of a whole table.

    Raises:
        DataRefused: it has no rows of items that the catalogue has, or lacks a column.
    """
    table = pq.read_table(path)
    code_N = catalogue.codes(text_column(table, sources.item).combine_chunks())
    known = table.filter(pa.array(code_N >= 0))
    if not known.num_rows:
        raise DataRefused(f"{sources.ratings}: there are no rows of items that are listed")
    user_N = pc.rank(text_column(known, sources.user), tiebreaker="dense").to_numpy() - 1
    columns = (
        user_N.astype(np.int64),
        code_N[code_N >= 0],
        numbers(known, sources.rating),
        instants(known, sources.known_at),
    )
    order = np.lexsort(columns[:2][::-1] + columns[3:])
    return Ratings(*(column[order] for column in columns))


def numbers(table: pa.Table, name: str | None) -> Array:
    """A column, NaN where it has none; all NaN where there is no such column, [N].

    Raises:
        DataRefused: one was named that is absent or holds no numbers.
    """
    if name is None:
        return np.full(table.num_rows, np.nan)
    found: Array = numeric_matrix(table, [name])[:, 0].astype(float)
    return found


def instants(table: pa.Table, name: str) -> Array:
    """Microseconds since 1970, [N].

    Raises:
        DataRefused: the column is absent, no instant, or one is missing.
    """
    if name not in table.column_names or not pa.types.is_timestamp(table[name].type):
        raise DataRefused(f"{name}: the table has no such column of instants")
    if table[name].null_count:
        raise DataRefused(f"{name}: {table[name].null_count} instants are missing")
    micros = table[name].cast(pa.timestamp("us", table[name].type.tz), safe=False)
    found: Array = micros.cast(pa.int64()).to_numpy()
    return found


def by_user(ratings: Ratings, num_items: int, weights: Weights) -> Sparse:
    """Weights of what each user has taken, [U, I]; users without any have no row."""
    _, user_N = np.unique(ratings.user_N, return_inverse=True)
    num_users = int(user_N.max(initial=-1)) + 1
    return _matrix(user_N, ratings.item_N, weights(ratings.rating_N), (num_users, num_items))


def of_rows(table: pa.Table, columns: Columns, catalogue: "Catalogue", weights: Weights) -> Sparse:
    """Weights of what each row's user has taken, by its lists, [B, I].

    Raises:
        DataRefused: a column is absent or of the wrong kind, or a row has not a rating an item.
    """
    (name,) = columns.categorical_lists
    item_N, offset_B1 = text_list(table, name)
    rating_N = np.full(len(item_N), np.nan)
    for ratings in columns.numeric_lists:
        rating_N, own_B1 = numeric_list(table, ratings)
        if not np.array_equal(own_B1, offset_B1):
            row = np.flatnonzero(own_B1 != offset_B1)[0] - 1
            raise DataRefused(f"{ratings}: row {row} has not as many as {name}; give each item one")
    code_N, row_N = catalogue.codes(item_N), np.repeat(np.arange(len(table)), np.diff(offset_B1))
    is_known_N = code_N >= 0
    weight_N = weights(rating_N.astype(float))[is_known_N]
    shape = (table.num_rows, len(catalogue))
    return _matrix(row_N[is_known_N], code_N[is_known_N], weight_N, shape)


def _matrix(row_N: Array, item_N: Array, weight_N: Array, shape: tuple[int, int]) -> Sparse:
    """float32; what is there twice weighs its mean."""
    sums = sparse.csr_matrix((weight_N, (row_N, item_N)), shape)
    counts = sparse.csr_matrix((np.ones(len(row_N)), (row_N, item_N)), shape)
    sums.sum_duplicates()
    counts.sum_duplicates()
    data = (sums.data / counts.data).astype(np.float32)
    return sparse.csr_matrix((data, sums.indices, sums.indptr), shape)
