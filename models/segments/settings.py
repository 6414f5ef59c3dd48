"""How rows are parted among models."""

from dataclasses import dataclass
from typing import ClassVar

from models.family import Settings


@dataclass(frozen=True, kw_only=True)
class Segments(Settings):
    """A model for each value of a category, and one for all that are too rare.

    Args:
        column: one of the model's categorical columns.
        member: how each model is learned.
        num_rows_min: training rows below which a value has no model of its own.

    Raises:
        ValueError: a number below 1.
    """

    family: ClassVar[str] = "segments"
    column: str
    member: Settings
    num_rows_min: int = 2000

    def __post_init__(self) -> None:
        if self.num_rows_min < 1:
            raise ValueError(f"Segments.num_rows_min: {self.num_rows_min} is below 1; give 1 up")
