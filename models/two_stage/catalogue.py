"""What there is to choose from: each item's year and tags, and how often it was taken by then.

Shape suffixes: I items, N ratings.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from models.columns import text_column
from models.errors import DataRefused
from models.tasks.task import Array
from models.two_stage import arrow
from models.two_stage.ratings import Ratings, instants, numbers
from models.two_stage.settings import Sources

_RECENT_MICROSECONDS = 28 * 24 * 3600 * 10**6
# A mean of few ratings lies near that of all: as if so many more had given the common mean.
_PRIOR_RATINGS = 10

_SCHEMA = pa.schema(
    [
        ("item", pa.string()),
        ("year", pa.float64()),
        ("tags", pa.string()),
        ("num_ratings", pa.int64()),
        ("num_ratings_28d", pa.int64()),
        ("rating_mean", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Catalogue:
    """The items, in the order of their names, which breaks ties.

    Args:
        year_I: NaN where it is not known.
        tags_I: of each item one or more, separated by |.
        listed_at_I: since when it is known, microseconds since 1970.
    """

    item_I: pa.StringArray
    year_I: Array
    tags_I: pa.StringArray
    listed_at_I: Array

    def __len__(self) -> int:
        return len(self.item_I)

    def codes(self, items: pa.StringArray) -> Array:
        """The places of items, -1 where it has none of that name."""
        found = pc.fill_null(pc.index_in(items, value_set=self.item_I), -1)
        codes: Array = found.to_numpy(zero_copy_only=False).astype(np.int64)
        return codes


@dataclass(frozen=True)
class Statistics:
    """How often each item was taken by an instant, and in the 28 days before it, [I]."""

    num_ratings_I: Array
    num_ratings_28d_I: Array
    rating_mean_I: Array

    @property
    def percentiles(self) -> Array:
        """The share of all items that are taken less often, [I]; ties count half."""
        count_I = self.num_ratings_I
        ordered_I = np.sort(count_I)
        below_I = np.searchsorted(ordered_I, count_I, "left")
        upto_I = np.searchsorted(ordered_I, count_I, "right")
        share_I: Array = (below_I + upto_I) / (2 * len(count_I))
        return share_I


def listed(path: Path, sources: Sources) -> Catalogue:
    """The items of a whole table.

    Raises:
        DataRefused: it has no rows, lacks a column, or an item has no name.
    """
    table = pq.read_table(path)
    if not table.num_rows:
        raise DataRefused(f"{sources.items}: there are no rows of items to choose from")
    name_N = text_column(table, sources.item).combine_chunks()
    known_at_N = instants(table, sources.known_at)
    rows = np.lexsort((known_at_N, name_N.to_numpy(zero_copy_only=False).astype(str)))
    name_N, known_at_N = name_N.take(pa.array(rows)), known_at_N[rows]
    if name_N[0].as_py() == "":
        raise DataRefused(f"{sources.items}: a row has no {sources.item}; leave it out")
    is_first_N = np.append(True, pc.not_equal(name_N[1:], name_N[:-1]).to_numpy(False))
    newest = pa.array(rows[np.append(is_first_N[1:], True)])
    return Catalogue(
        name_N.filter(pa.array(is_first_N)),
        numbers(table, sources.year)[newest.to_numpy()],
        _tags(table, sources.tags).take(newest).combine_chunks(),
        known_at_N[is_first_N],
    )


def _tags(table: pa.Table, name: str | None) -> pa.ChunkedArray:
    if name is None:
        return pa.chunked_array([pa.array([""] * table.num_rows, pa.string())])
    return text_column(table, name)


def statistics(ratings: Ratings, num_items: int, at: int) -> Statistics:
    """What was known of the items before an instant, microseconds since 1970."""
    known = ratings.before(at)
    is_recent_N = known.known_at_N >= at - _RECENT_MICROSECONDS
    count_I = np.bincount(known.item_N, minlength=num_items)
    sum_I = np.bincount(known.item_N, np.nan_to_num(known.rating_N), minlength=num_items)
    mean = sum_I.sum() / max(count_I.sum(), 1)
    return Statistics(
        count_I,
        np.bincount(known.item_N[is_recent_N], minlength=num_items),
        (sum_I + _PRIOR_RATINGS * mean) / (count_I + _PRIOR_RATINGS),
    )


def write(path: Path, catalogue: Catalogue, known: Statistics) -> None:
    """Keep the items with what is known of them."""
    columns = (catalogue.item_I, catalogue.year_I, catalogue.tags_I)
    counted = (known.num_ratings_I, known.num_ratings_28d_I, known.rating_mean_I)
    arrow.write(path, pa.table([*columns, *counted], schema=_SCHEMA))


def read(path: Path) -> tuple[Catalogue, Statistics]:
    """Read what `write` wrote.

    Raises:
        ModelRefused: it holds something else.
    """
    table = arrow.read(path, _SCHEMA)
    item_I, year_I, tags_I, *counted = (each.combine_chunks() for each in table.columns)
    catalogue = Catalogue(item_I, year_I.to_numpy(False), tags_I, np.zeros(len(item_I), np.int64))
    return catalogue, Statistics(*(each.to_numpy() for each in counted))
