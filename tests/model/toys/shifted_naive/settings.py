"""How the naive forecast is shifted."""

from dataclasses import dataclass
from typing import ClassVar

from models.family import Settings


@dataclass(frozen=True, kw_only=True)
class ShiftedNaive(Settings):
    """By how much of its own errors' quantiles.

    Raises:
        ValueError: a share that is none.
    """

    family: ClassVar[str] = "shifted_naive"
    share: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"ShiftedNaive.share: {self.share} is not from 0 to 1")
