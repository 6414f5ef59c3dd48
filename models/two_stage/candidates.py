"""The first stage: for each row, the items that either retriever puts first.

Shape suffixes: B rows, I items, E numbers of a vector, K candidates of one retriever, P pairs of a
row and a candidate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from models.errors import ModelRefused
from models.tasks.task import Array
from models.two_stage.catalogue import Catalogue
from models.two_stage.index import Index
from models.two_stage.ratings import Sparse, Weights
from models.two_stage.similarity import Similarity
from models.two_stage.towers import Towers, user_vectors

# Rows whose scores of all items are held at once.
_BATCH_ROWS = 512
_RECALL_ROWS = 500


@dataclass(frozen=True)
class Candidates:
    """Pairs of a row and an item that its user has not taken, in the order of rows and items.

    Args:
        similarity_P, tower_P: the retrievers' scores, 1 for the row's best and 0 for the last that
            a retriever alone would give; what only the other one gave lies below.
    """

    row_P: Array
    item_P: Array
    similarity_P: Array
    tower_P: Array

    @classmethod
    def joined(cls, parts: Sequence["Candidates"]) -> "Candidates":
        """Those of several parts, one after the other."""
        names = [each.name for each in fields(cls)]
        none = cls(*(np.empty(0, int) for _ in names))
        kept = parts or [none]
        return cls(*(np.concatenate([getattr(part, name) for part in kept]) for name in names))

    def __len__(self) -> int:
        return len(self.row_P)

    def where(self, is_kept_P: Array) -> "Candidates":
        """Those of a mask."""
        return Candidates(*(getattr(self, each.name)[is_kept_P] for each in fields(self)))


@dataclass(frozen=True)
class Retrievers:
    """Both retrievers over one catalogue."""

    catalogue: Catalogue
    similarity: Similarity
    towers: Towers
    weights: Weights
    vector_IE: Array
    index: Index
    num_candidates: int

    @classmethod
    def built(
        cls,
        catalogue: Catalogue,
        similarity: Similarity,
        towers: Towers,
        weights: Weights,
        num_candidates: int,
    ) -> "Retrievers":
        """With an index that is built anew."""
        vector_IE = towers.item_vectors(catalogue)
        index = Index.built(vector_IE)
        return cls(catalogue, similarity, towers, weights, vector_IE, index, num_candidates)

    def recall(self, history_BI: Sparse) -> float:
        """The share of the nearest items that the index finds for some 500 users."""
        rows = np.linspace(0, history_BI.shape[0] - 1, _RECALL_ROWS).astype(int)
        vector_BE = user_vectors(history_BI[np.unique(rows)], self.vector_IE)
        return self.index.recall(vector_BE, self.vector_IE, self.num_candidates)

    def check_recall(self, history_BI: Sparse, recall_min: float) -> float:
        """The recall.

        Raises:
            ModelRefused: it is too low.
        """
        found = self.recall(history_BI)
        if found < recall_min:
            raise ModelRefused(
                f"the index finds {found:.1%} of the nearest items, {recall_min:.1%} are needed; "
                "train the towers again, or ask for fewer candidates"
            )
        return found

    def found(self, history_BI: Sparse) -> Candidates:
        """The candidates of each row; of a row by itself, whatever the other rows."""
        starts = range(0, history_BI.shape[0], _BATCH_ROWS)
        parts = [self._of_batch(history_BI[at : at + _BATCH_ROWS], at) for at in starts]
        return Candidates.joined(parts)

    def _of_batch(self, history_BI: Sparse, first_row: int) -> Candidates:
        score_BI = self.similarity.scores(history_BI)
        score_BI[history_BI.nonzero()] = -np.inf
        vector_BE = user_vectors(history_BI, self.vector_IE)
        similar_BK = np.argsort(-score_BI, 1, kind="stable")[:, : self.num_candidates]
        near_BK = self._near(history_BI, vector_BE)
        row_P, item_P = _pairs([similar_BK, near_BK], score_BI)
        tower_P = np.einsum("pe,pe->p", vector_BE[row_P], self.vector_IE[item_P])
        is_similar_P, is_near_P = (
            _among(row_P, item_P, each, score_BI.shape[1]) for each in (similar_BK, near_BK)
        )
        found = Candidates(
            row_P,
            item_P,
            _scaled(row_P, score_BI[row_P, item_P], is_similar_P),
            _scaled(row_P, tower_P, is_near_P),
        )
        return replace(found, row_P=row_P + first_row)

    def _near(self, history_BI: Sparse, vector_BE: Array) -> Array:
        """The nearest items that were not taken, [B, K]; -1 where there are no more.

        As many more are searched for as the row has taken, by powers of 2.
        """
        num_taken_B = np.diff(history_BI.indptr)
        wanted_B = 2 ** np.ceil(np.log2(self.num_candidates + num_taken_B)).astype(int)
        near_BK = np.full((len(wanted_B), self.num_candidates), -1)
        for wanted in np.unique(wanted_B):
            rows = np.flatnonzero(wanted_B == wanted)
            item_BK = self.index.nearest(vector_BE[rows], int(wanted))
            for row, items in zip(rows, item_BK, strict=True):
                taken = history_BI.indices[history_BI.indptr[row] : history_BI.indptr[row + 1]]
                left = items[(items >= 0) & ~np.isin(items, taken)][: self.num_candidates]
                near_BK[row, : len(left)] = left
        return near_BK


def _pairs(lists: list[Array], score_BI: Array) -> tuple[Array, Array]:
    """Rows and items of lists [B, K] that a row has not taken, each pair once and in order."""
    pairs = [_flat(each) for each in lists]
    row, item = (np.concatenate(each) for each in zip(*pairs, strict=True))
    row_P, item_P = np.divmod(np.unique(row * score_BI.shape[1] + item), score_BI.shape[1])
    is_left_P = np.isfinite(score_BI[row_P, item_P])
    return row_P[is_left_P], item_P[is_left_P]


def _flat(item_BK: Array) -> tuple[Array, Array]:
    row, place = np.nonzero(item_BK >= 0)
    return row, item_BK[row, place]


def _among(row_P: Array, item_P: Array, item_BK: Array, num_items: int) -> Array:
    row, item = _flat(item_BK)
    found: Array = np.isin(row_P * num_items + item_P, row * num_items + item)
    return found


def _scaled(row_P: Array, score_P: Array, is_own_P: Array) -> Array:
    """Of each row 1 for the best and 0 for the last of a retriever's own candidates."""
    num_rows = int(row_P.max(initial=-1)) + 1
    best_B, last_B = np.full(num_rows, -np.inf), np.full(num_rows, np.inf)
    np.maximum.at(best_B, row_P[is_own_P], score_P[is_own_P])
    np.minimum.at(last_B, row_P[is_own_P], score_P[is_own_P])
    # Where all are equal, and where a retriever gave none, its score says nothing.
    span_B = np.where(np.isfinite(best_B) & (best_B > last_B), best_B - last_B, np.inf)
    last_B = np.where(np.isfinite(last_B), last_B, 0)
    scaled: Array = (score_P - last_B[row_P]) / span_B[row_P]
    return scaled


def by_row(row_P: Array, num_rows: int) -> Iterator[slice]:
    """The pairs of each row."""
    ends = np.searchsorted(row_P, np.arange(num_rows), "right")
    starts = np.concatenate([[0], ends[:-1]])
    return (slice(int(start), int(end)) for start, end in zip(starts, ends, strict=True))
