"""Both stages, opened: from a row's history to its k best items.

Shape suffixes: B rows, I items, P pairs of a row and a candidate, G features of a row alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import Columns
from models.family import NOTHING, Scorer
from models.tasks import Ranking
from models.tasks.task import Array
from models.trees import inputs
from models.trees.inputs import Categories
from models.two_stage import features, ratings
from models.two_stage.candidates import Retrievers, by_row
from models.two_stage.catalogue import Statistics
from models.two_stage.ratings import Sparse

# Rows whose candidates are held with their features at once.
_BATCH_ROWS = 2048


class Picks(Scorer):
    """Lists of items that a row's user has not taken; ties are broken by the items' names.

    A row of whose history no item is known gets the most popular items: `is_fallback`.

    Args:
        known: how often items were taken when the model was made or refreshed.
        prior_weight: of the retrievers' mean score, which the trees correct.
    """

    def __init__(
        self,
        task: Ranking,
        columns: Columns,
        retrievers: Retrievers,
        known: Statistics,
        booster: lightgbm.Booster,
        categories: Categories,
        prior_weight: float,
        num_threads: int,
    ) -> None:
        self.asked, self.answer = columns.schema, task.answer
        self.retrievers, self.known = retrievers, known
        self._task, self._columns, self._categories = task, columns, categories
        self._booster, self._prior_weight, self._num_threads = booster, prior_weight, num_threads
        popular_I = np.argsort(-known.num_ratings_I, kind="stable")
        self._popular = popular_I[: task.k]

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:  # noqa: ARG002
        history_BI = self.histories(table)
        is_known_B = np.diff(history_BI.indptr) > 0
        row_BG = inputs.matrix(table, self._columns, self._categories)
        lists = [self._fallback()] * table.num_rows
        known = np.flatnonzero(is_known_B)
        for at in range(0, len(known), _BATCH_ROWS):
            rows = known[at : at + _BATCH_ROWS]
            found = self._ranked(history_BI[rows], row_BG[rows])
            for row, own in zip(rows, found, strict=True):
                lists[row] = own
        return self._answered(lists, ~is_known_B)

    def histories(self, table: pa.Table) -> Sparse:
        """Weights of what each row's user has taken, [B, I].

        Raises:
            DataRefused: a column is absent or of the wrong kind.
        """
        retrievers = self.retrievers
        return ratings.of_rows(table, self._columns, retrievers.catalogue, retrievers.weights)

    def _ranked(self, history_BI: Sparse, row_BG: Array) -> list[tuple[Array, Array]]:
        """The k best items of each row, and their scores."""
        found = self.retrievers.found(history_BI)
        if not len(found):
            return [(np.empty(0, int), np.empty(0))] * history_BI.shape[0]
        towers, catalogue = self.retrievers.towers, self.retrievers.catalogue
        feature_PF = features.matrix(
            found, history_BI, catalogue, towers.contents, self.known, row_BG
        )
        said_P = np.asarray(self._booster.predict(feature_PF, num_threads=self._num_threads))
        score_P = said_P + features.prior(found, self._prior_weight)
        return best(found.row_P, found.item_P, score_P, history_BI.shape[0], self._task.k)

    def _fallback(self) -> tuple[Array, Array]:
        count_I = self.known.num_ratings_I
        return self._popular, count_I[self._popular] / max(count_I.sum(), 1)

    def _answered(self, lists: Sequence[tuple[Array, Array]], is_fallback_B: Array) -> pa.Table:
        """Lists of places in the catalogue as answers."""
        catalogue, percentile_I = self.retrievers.catalogue, self.known.percentiles
        offsets = pa.array(np.cumsum([0, *(len(items) for items, _ in lists)]), pa.int32())
        item_N = np.concatenate([np.empty(0, int), *(items for items, _ in lists)])
        score_N = np.concatenate([np.empty(0), *(scores for _, scores in lists)])
        columns = [
            pa.ListArray.from_arrays(offsets, catalogue.item_I.take(pa.array(item_N))),
            pa.ListArray.from_arrays(offsets, pa.array(score_N, pa.float32())),
            _means(lists, percentile_I),
            _means(lists, self.known.num_ratings_I == 0),
            pa.array(is_fallback_B),
        ]
        return pa.table(columns, schema=self.answer)


def best(
    row_P: Array, item_P: Array, score_P: Array, num_rows: int, k: int
) -> list[tuple[Array, Array]]:
    """The k items of the highest scores of each row, and their scores; of equal ones the first."""
    order = np.lexsort((item_P, -score_P, row_P))
    row_P, item_P, score_P = row_P[order], item_P[order], score_P[order]
    parts = (slice(each.start, min(each.stop, each.start + k)) for each in by_row(row_P, num_rows))
    return [(item_P[part], score_P[part]) for part in parts]


def _means(lists: Sequence[tuple[Array, Array]], value_I: Array) -> pa.Array:
    """The mean of a list's items, 0 for an empty list, float32 [B]."""
    means = [value_I[items].mean() if len(items) else 0.0 for items, _ in lists]
    return pa.array(means, pa.float32())
