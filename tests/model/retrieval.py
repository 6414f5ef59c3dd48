"""Made-up histories, items and retrievers, small enough to look at all of them."""

from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from models.two_stage import similarity
from models.two_stage.candidates import Retrievers
from models.two_stage.catalogue import Catalogue
from models.two_stage.ratings import Weights
from models.two_stage.towers import Contents, Towers

NUM_ROWS, NUM_ITEMS = 40, 30


def histories(seed: int, num_rows: int = NUM_ROWS, share: float = 0.3) -> Any:
    random = np.random.default_rng(seed)
    weight = random.uniform(0.5, 1.5, (num_rows, NUM_ITEMS))
    weight *= random.random(weight.shape) < share
    return sparse.csr_matrix(weight.astype(np.float32))


def catalogue(num_items: int = NUM_ITEMS) -> Catalogue:
    years = np.where(np.arange(num_items) == 3, np.nan, 1990.0 + np.arange(num_items) % 7)
    tags = pa.array([("a|b", " b ", "", "c|a")[number % 4] for number in range(num_items)])
    names = pa.array([f"i{number:02}" for number in range(num_items)])
    return Catalogue(names, years, tags, np.zeros(num_items, np.int64))


def retrievers(num_candidates: int = 6, seed: int = 0) -> Retrievers:
    random, items = np.random.default_rng(seed), catalogue()
    contents = Contents.of(items)
    own = random.normal(size=(NUM_ITEMS, 9)).astype(np.float32)
    content = random.normal(size=(len(contents.names), 9)).astype(np.float32)
    towers = Towers(contents, items.item_I, own, content)
    similar = similarity.fitted(histories(seed), 3.0, NUM_ITEMS)
    return Retrievers.built(items, similar, towers, Weights(0.1, 3.0), num_candidates)
