"""What a list is worth, by the places at which it has something relevant.

Of each row the number of relevant items, above 0 [B], and 1 at each place that has one [B, K].
"""

import numpy as np

from models.tasks.task import Array


def precision(label_B: Array, hit_BK: Array) -> Array:  # noqa: ARG001
    """The share of the places that have a hit."""
    found: Array = hit_BK.mean(1)
    return found


def recall(label_B: Array, hit_BK: Array) -> Array:
    """The share of what was relevant that is listed."""
    found: Array = hit_BK.sum(1) / label_B
    return found


def average_precision(label_B: Array, hit_BK: Array) -> Array:
    """Precision at each hit, over the hits that k places can have."""
    k = hit_BK.shape[1]
    precision_BK = np.cumsum(hit_BK, 1) / np.arange(1, k + 1)
    found: Array = (precision_BK * hit_BK).sum(1) / np.minimum(label_B, k)
    return found


def ndcg(label_B: Array, hit_BK: Array) -> Array:
    """Gain discounted by the place's logarithm, over that of the best order.

    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (2002).
    """
    k = hit_BK.shape[1]
    discount_K = 1 / np.log2(np.arange(2, k + 2))
    best_K = np.cumsum(discount_K)
    found: Array = hit_BK @ discount_K / best_K[np.minimum(label_B, k).astype(int) - 1]
    return found
