"""Retrieval by two towers: users and items as vectors, near where a user will take an item.

An item's vector is its own part, learned from who took it, and a sum over its content: tags, year.
A user's is the weighted sum of the items taken, and a 1 for the items' last number, their bias. An
item that nobody has taken has a vector by its content alone.

Shape suffixes: B rows, I items, J items that have a part of their own, C contents, D dimensions,
E dimensions and a bias.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from scipy import sparse  # type: ignore[import-untyped]

from models.tasks.task import Array
from models.two_stage.catalogue import Catalogue
from models.two_stage.ratings import Sparse

_ALWAYS = ("any item", "year", "year missing")


@dataclass(frozen=True)
class Contents:
    """What of an item is content.

    Args:
        tags: those known when the towers were learned; others are not seen.
        year_mean, year_std: by which years are standardized.
    """

    tags: tuple[str, ...]
    year_mean: float
    year_std: float

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Contents":
        """That of a catalogue."""
        tags = sorted({tag for each in split(catalogue.tags_I) for tag in each})
        year = catalogue.year_I[~np.isnan(catalogue.year_I)]
        mean, std = (float(year.mean()), float(year.std())) if year.size else (0.0, 1.0)
        return cls(tuple(tags), mean, std or 1.0)

    @property
    def names(self) -> tuple[str, ...]:
        """Of each content, in order."""
        return (*_ALWAYS, *(f"tag {tag}" for tag in self.tags))

    def tags_of(self, catalogue: Catalogue) -> Sparse:
        """1 where an item has a tag, float32 [I, tags]."""
        place = {tag: number for number, tag in enumerate(self.tags)}
        found = [
            (item, place[tag])
            for item, tags in enumerate(split(catalogue.tags_I))
            for tag in tags
            if tag in place
        ]
        rows, columns = np.array(found, int).reshape(-1, 2).T
        shape = (len(catalogue), len(self.tags))
        return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape)

    def matrix(self, catalogue: Catalogue) -> Sparse:
        """float32 [I, C]."""
        is_missing_I = np.isnan(catalogue.year_I)
        year_I = np.where(is_missing_I, 0, (catalogue.year_I - self.year_mean) / self.year_std)
        numbers = np.column_stack([np.ones(len(catalogue)), year_I, is_missing_I])
        both = [sparse.csr_matrix(numbers.astype(np.float32)), self.tags_of(catalogue)]
        return sparse.hstack(both, format="csr")


@dataclass(frozen=True)
class Towers:
    """What was learned.

    Args:
        item_J: the items that have a part of their own; the others are of the catalogue alone.
        own_JE, content_CE: float32.
    """

    contents: Contents
    item_J: pa.StringArray
    own_JE: Array
    content_CE: Array

    def item_vectors(self, catalogue: Catalogue) -> Array:
        """float32 [I, E]; of each item by itself, whatever else is listed."""
        vector_IE: Array = self.contents.matrix(catalogue) @ self.content_CE
        code_J = catalogue.codes(self.item_J)
        is_listed_J = code_J >= 0
        vector_IE[code_J[is_listed_J]] += self.own_JE[is_listed_J]
        return vector_IE


def user_vectors(history_BI: Sparse, vector_IE: Array) -> Array:
    """float32 [B, E]: the items taken, weighted, over the length of their weights; then a 1."""
    squares_B = np.asarray(history_BI.multiply(history_BI).sum(1)).ravel()
    scale_B = 1 / np.sqrt(np.maximum(squares_B, np.finfo(np.float32).tiny))
    taken_BD = (history_BI @ vector_IE[:, :-1]) * scale_B[:, None]
    vector_BE: Array = np.column_stack([taken_BD, np.ones(len(taken_BD))])
    return vector_BE.astype(np.float32)


def split(tags_I: pa.StringArray) -> Sequence[Sequence[str]]:
    """The tags of each item, without blanks around them."""
    return [[tag.strip() for tag in text.split("|") if tag.strip()] for text in tags_I.to_pylist()]


def to_json(contents: Contents) -> Mapping[str, Any]:
    """Plain values."""
    return {
        "tags": list(contents.tags),
        "year_mean": contents.year_mean,
        "year_std": contents.year_std,
    }
