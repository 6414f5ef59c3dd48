"""How candidates are found among many items, and how they are put in order."""

from dataclasses import dataclass, field
from typing import ClassVar

from models.family import Settings


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The whole tables that are learned from, by their roles, and the columns that are read.

    Args:
        ratings: one row for each item that a user has taken: `user`, `item`, `rating`, `known_at`.
        items: what there is to choose from: `item`, `year`, `tags` (one or more, separated by |),
            `known_at`; of several rows of an item the newest counts.
        rating, year, tags: None: the table has none, and nothing is known of them.
    """

    ratings: str = "ratings"
    items: str = "items"
    user: str = "user_id"
    item: str = "item_id"
    rating: str | None = "rating"
    year: str | None = "release_year"
    tags: str | None = "tags"
    known_at: str = "known_at"


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """How candidates are found.

    Args:
        num_candidates: by each of the two retrievers.
        rating_weight: what a star above the mean adds to an item's weight in a history, which is 1.
        similarity_l2: EASE's lambda.
        num_similar_items_max: the most rated ones alone have similarities, a matrix of all pairs;
            the towers know the others, too.
        num_dimensions, num_epochs, learning_rate, weight_decay, history_dropout, vector_dropout,
            id_dropout, batch_users: of the towers; dropouts are of a history's items, of a user's
            vector, and of an item's own part, without which its content has to do.
        recall_min: the share of the nearest candidates that the index has to find.
    """

    num_candidates: int = 100
    rating_weight: float = 0.15
    similarity_l2: float = 500.0
    num_similar_items_max: int = 5000
    num_dimensions: int = 64
    num_epochs: int = 50
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    history_dropout: float = 0.5
    vector_dropout: float = 0.4
    id_dropout: float = 0.1
    batch_users: int = 128
    recall_min: float = 0.95

    def __post_init__(self) -> None:
        for name in (
            "num_candidates",
            "num_similar_items_max",
            "num_dimensions",
            "num_epochs",
            "batch_users",
        ):
            _check(self, name, getattr(self, name) >= 1, "give 1 or more")
        for name in ("similarity_l2", "learning_rate"):
            _check(self, name, getattr(self, name) > 0, "give more than 0")
        for name in ("history_dropout", "vector_dropout", "id_dropout"):
            _check(self, name, 0 <= getattr(self, name) < 1, "give a share below 1")
        _check(self, "recall_min", 0 <= self.recall_min <= 1, "give a share")


@dataclass(frozen=True, kw_only=True)
class Ranker:
    """How candidates are put in order, by boosted trees.

    Args:
        past_share: of all ratings, the oldest, which the retrievers know whose candidates the trees
            learn from; they learn from decisions after these.
        num_decisions_max: of these, spread evenly over the time.
        prior_weight: of the mean of both retrievers' scores, which the trees correct.
    """

    past_share: float = 0.6
    num_decisions_max: int = 4000
    prior_weight: float = 2.0
    num_rounds: int = 500
    patience: int = 40
    learning_rate: float = 0.05
    num_leaves: int = 15
    min_rows: int = 50
    column_share: float = 0.7
    row_share: float = 0.8
    l2: float = 5.0

    def __post_init__(self) -> None:
        for name in ("num_decisions_max", "num_rounds", "patience", "min_rows"):
            _check(self, name, getattr(self, name) >= 1, "give 1 or more")
        for name in ("learning_rate", "column_share", "row_share"):
            _check(self, name, 0 < getattr(self, name) <= 1, "give a share above 0, 1 at most")
        for name in ("prior_weight", "l2"):
            _check(self, name, getattr(self, name) >= 0, "give 0 or more")
        _check(self, "past_share", 0 < self.past_share < 1, "give a share between 0 and 1")
        _check(self, "num_leaves", self.num_leaves > 1, "give 2 or more")


@dataclass(frozen=True, kw_only=True)
class TwoStage(Settings):
    """Retrieval, then ranking.

    Raises:
        ValueError: a value out of its range.
    """

    family: ClassVar[str] = "two_stage"
    seed: int = 0
    sources: Sources = field(default_factory=Sources)
    retrieval: Retrieval = field(default_factory=Retrieval)
    ranker: Ranker = field(default_factory=Ranker)


def _check(settings: object, name: str, holds: bool, way_out: str) -> None:
    if not holds:
        value = getattr(settings, name)
        raise ValueError(f"{type(settings).__name__}.{name}: {value} is no use; {way_out}")
