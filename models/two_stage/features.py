"""What the ranker sees of a candidate: the retrievers' scores, the item, its user's taste.

Shape suffixes: B rows, I items, T tags, P pairs of a row and a candidate, F features, G those of a
row alone.
"""

import numpy as np

from models.tasks.task import Array
from models.two_stage.candidates import Candidates
from models.two_stage.catalogue import Catalogue, Statistics
from models.two_stage.ratings import Sparse
from models.two_stage.towers import Contents

# In the order of the columns; those of the row follow.
NAMES = (
    "similarity",
    "tower",
    "popularity_log",
    "popularity_28d_log",
    "popularity_trend",
    "rating_mean",
    "year",
    "year_gap",
    "tag_affinity",
    "num_taken_log",
)
# A better score of a retriever never puts an item lower.
RISING = ("similarity", "tower")

# Of how many ratings a share is of: it keeps the logarithm of rare items above 0.
_PER_RATINGS = 1e5


def matrix(
    candidates: Candidates,
    history_BI: Sparse,
    catalogue: Catalogue,
    contents: Contents,
    known: Statistics,
    row_BG: Array,
) -> Array:
    """float64 [P, F]; NaN where a value is missing.

    Args:
        known: what was known of the items when the rows were decided.
        row_BG: what is known of a row beside its history.
    """
    row_P, item_P = candidates.row_P, candidates.item_P
    popularity_I, recent_I = _log_share(known.num_ratings_I), _log_share(known.num_ratings_28d_I)
    columns = (
        candidates.similarity_P,
        candidates.tower_P,
        popularity_I[item_P],
        recent_I[item_P],
        (recent_I - popularity_I)[item_P],
        known.rating_mean_I[item_P],
        catalogue.year_I[item_P],
        catalogue.year_I[item_P] - _years(history_BI, catalogue)[row_P],
        _affinities(row_P, item_P, history_BI, contents.tags_of(catalogue)),
        np.log1p(np.diff(history_BI.indptr))[row_P],
    )
    return np.column_stack([*columns, row_BG[row_P]])


def prior(candidates: Candidates, weight: float) -> Array:
    """The score that the trees correct, [P]: both retrievers' mean."""
    score_P: Array = weight * (candidates.similarity_P + candidates.tower_P) / 2
    return score_P


def _log_share(count_I: Array) -> Array:
    share_I: Array = np.log1p(count_I / max(count_I.sum(), 1) * _PER_RATINGS)
    return share_I


def _years(history_BI: Sparse, catalogue: Catalogue) -> Array:
    """The mean year of what was taken, by weight, [B]; NaN where no year is known."""
    is_known_I = ~np.isnan(catalogue.year_I)
    weight_B = history_BI @ is_known_I.astype(float)
    year_B = history_BI @ np.where(is_known_I, catalogue.year_I, 0)
    mean_B: Array = np.divide(
        year_B, weight_B, out=np.full(len(weight_B), np.nan), where=weight_B > 0
    )
    return mean_B


def _affinities(row_P: Array, item_P: Array, history_BI: Sparse, tag_IT: Sparse) -> Array:
    """The cosine between an item's tags and those of its user's history, [P]."""
    tag_IT = tag_IT.toarray()
    taste_BT = history_BI @ tag_IT
    affinity_P: Array = np.einsum("pt,pt->p", _unit(taste_BT)[row_P], _unit(tag_IT)[item_P])
    return affinity_P


def _unit(vectors: Array) -> Array:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Array = vectors / np.where(lengths > 0, lengths, 1)
    return unit
