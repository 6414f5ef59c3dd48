"""Retrieval by item similarity: EASE, the closed form of a linear autoencoder.

Shape suffixes: B rows, U users, I items, S items that have similarities.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.tasks.task import Array
from models.two_stage import arrow
from models.two_stage.catalogue import Catalogue
from models.two_stage.ratings import Sparse


@dataclass(frozen=True)
class Similarity:
    """What having taken an item adds to the score of another.

    Args:
        code_S: the items' places in the catalogue, rising.
        weight_SS: float32; row: taken, column: scored; 0 on the diagonal.
    """

    code_S: Array
    weight_SS: Array

    def scores(self, history_BI: Sparse) -> Array:
        """float32 [B, I], 0 for items without similarities.

        A row's sums are added in the order of its own items, whatever the other rows.
        """
        score_BI = np.zeros(history_BI.shape, np.float32)
        score_BI[:, self.code_S] = history_BI[:, self.code_S] @ self.weight_SS
        return score_BI


def fitted(history_UI: Sparse, l2: float, num_items_max: int) -> Similarity:
    """Each item as a weighted sum of the others, by ridge regression without a diagonal.

    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (2019). The inverse of all pairs
    takes time by the third power of the items: the most rated ones alone have a place in it.
    """
    count_I = np.bincount(history_UI.indices, minlength=history_UI.shape[1])
    most_I = np.argsort(-count_I, kind="stable")[:num_items_max]
    code_S = np.sort(most_I[count_I[most_I] > 0])
    taken_US = history_UI[:, code_S].astype(float)
    gram_SS = (taken_US.T @ taken_US).toarray() + l2 * np.eye(len(code_S))
    inverse_SS = np.linalg.inv(gram_SS)
    weight_SS = -inverse_SS / np.diag(inverse_SS)
    np.fill_diagonal(weight_SS, 0)
    return Similarity(code_S, weight_SS.astype(np.float32))


def write(path: Path, similarity: Similarity, catalogue: Catalogue) -> None:
    """Keep it by the items' names: their places change when the catalogue grows."""
    names = catalogue.item_I.take(pa.array(similarity.code_S))
    arrow.write_vectors(path, names, similarity.weight_SS)


def read(path: Path, num_items: int, catalogue: Catalogue) -> Similarity:
    """Read what `write` wrote; items that are not listed any more are left out.

    Raises:
        ModelRefused: it holds something else.
    """
    names, weight_SS = arrow.read_vectors(path, num_items)
    if len(names) != num_items:
        raise arrow.refusal(path, f"{len(names)} rows, {num_items} are needed")
    code_S = catalogue.codes(names)
    kept = np.flatnonzero(code_S >= 0)
    return Similarity(code_S[kept], weight_SS[np.ix_(kept, kept)])
