"""The items near a user's vector, found without looking at all: a graph by faiss.

Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using HNSW graphs"
(2018), on inner products.

Shape suffixes: B rows, I items, E numbers of a vector, K neighbours.
"""

from pathlib import Path

import faiss
import numpy as np

from models.errors import ModelRefused
from models.files import write_atomically
from models.tasks.task import Array

_NUM_LINKS, _BUILD_BREADTH = 32, 200
# Of a search, by each neighbour wanted: with 2 it found 97 % of those of MovieLens, with 4 99 %.
_SEARCH_BREADTH = 4


class Index:
    """A graph of vectors; the same vectors in the same order make the same graph."""

    def __init__(self, graph: faiss.IndexHNSWFlat) -> None:
        self._graph = graph

    @classmethod
    def built(cls, vector_IE: Array) -> "Index":
        """Link each vector to others near it, one after the other, in one thread."""
        faiss.omp_set_num_threads(1)
        metric = faiss.METRIC_INNER_PRODUCT
        graph = faiss.IndexHNSWFlat(vector_IE.shape[1], _NUM_LINKS, metric)
        graph.hnsw.efConstruction = _BUILD_BREADTH
        graph.add(np.ascontiguousarray(vector_IE))
        return cls(graph)

    def nearest(self, vector_BE: Array, num_neighbours: int) -> Array:
        """Items of the greatest inner products, falling, [B, K]; -1 where no more were found."""
        breadth = faiss.SearchParametersHNSW(  # type: ignore[attr-defined]  # its stubs lack it
            efSearch=_SEARCH_BREADTH * num_neighbours
        )
        _, item_BK = self._graph.search(
            np.ascontiguousarray(vector_BE), num_neighbours, params=breadth
        )
        found: Array = item_BK
        return found

    def recall(self, vector_BE: Array, vector_IE: Array, num_neighbours: int) -> float:
        """The share of the nearest, by looking at all, that it finds."""
        num_neighbours = min(num_neighbours, len(vector_IE))
        found_BK = self.nearest(vector_BE, num_neighbours)
        product_BI = vector_BE @ vector_IE.T
        least_B1 = -np.partition(-product_BI, num_neighbours - 1, 1)[:, [num_neighbours - 1]]
        found = np.take_along_axis(product_BI, np.maximum(found_BK, 0), 1)
        # What is as near as the last one is as good; float32 sums differ in their last digits.
        is_near = (found_BK >= 0) & (found >= least_B1 - 1e-5 * np.abs(least_B1))
        return float(is_near.mean())

    def write(self, path: Path) -> None:
        """Keep it in faiss' own format."""
        write_atomically(path, faiss.serialize_index(self._graph).tobytes())


def read(path: Path, vector_IE: Array) -> Index:
    """Read what `Index.write` wrote.

    Raises:
        ModelRefused: it is no such graph, or of other vectors.
    """
    try:
        graph = faiss.deserialize_index(np.frombuffer(path.read_bytes(), np.uint8))
    except (OSError, RuntimeError) as error:
        raise _refusal(path, "is no index") from error
    if type(graph) is not faiss.IndexHNSWFlat or graph.d != vector_IE.shape[1]:
        raise _refusal(path, "is another kind of index")
    held = graph.reconstruct_n(0, graph.ntotal) if graph.ntotal else np.empty((0, graph.d))
    if held.shape != vector_IE.shape or not np.allclose(held, vector_IE, atol=1e-5):
        raise _refusal(path, "holds other vectors than the towers give")
    return Index(graph)


def _refusal(path: Path, what: str) -> ModelRefused:
    return ModelRefused(f"{path.name} {what}; restore it, or roll back to an earlier version")
