"""How boosted trees are learned."""

from dataclasses import dataclass
from typing import ClassVar

from models.family import Settings


@dataclass(frozen=True, kw_only=True)
class Trees(Settings):
    """The size of the trees, and how many.

    Args:
        num_rounds: trees at most, a class or quantile each.
        patience: rounds without a better validation loss after which learning ends.
        num_leaves, min_rows: of one tree, and rows of a leaf at least.
        column_share, row_share: drawn anew for each tree.
        l2: the weight of the leaves' squares.
        min_category_rows: a rarer category shares a code with those never seen.

    Raises:
        ValueError: a value out of its range.
    """

    family: ClassVar[str] = "trees"
    seed: int = 0
    num_rounds: int = 2000
    patience: int = 50
    learning_rate: float = 0.03
    num_leaves: int = 31
    min_rows: int = 100
    column_share: float = 0.5
    row_share: float = 0.8
    l2: float = 1.0
    min_category_rows: int = 20

    def __post_init__(self) -> None:
        for name in ("num_rounds", "patience", "min_rows", "min_category_rows"):
            self._check(name, getattr(self, name) >= 1, "give 1 or more")
        for name in ("column_share", "row_share", "learning_rate"):
            self._check(name, 0 < getattr(self, name) <= 1, "give a share above 0, 1 at most")
        self._check("num_leaves", self.num_leaves > 1, "give 2 or more")
        self._check("l2", self.l2 >= 0, "give 0 or more")

    def _check(self, name: str, holds: bool, way_out: str) -> None:
        if not holds:
            raise ValueError(f"Trees.{name}: {getattr(self, name)} is no use; {way_out}")
