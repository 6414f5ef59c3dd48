"""What is reconciled."""

from dataclasses import dataclass
from typing import ClassVar

from models.family import Settings


@dataclass(frozen=True, kw_only=True)
class Reconciled(Settings):
    """A member of any family, whose answers are made to add up as the task says.

    Args:
        member: how the forecasts are learned.
        num_rows_min: validation rows below which a series' errors are taken for those of all.

    Raises:
        ValueError: a number below 1.
    """

    family: ClassVar[str] = "reconciled"
    member: Settings
    num_rows_min: int = 50

    def __post_init__(self) -> None:
        if self.num_rows_min < 1:
            raise ValueError(f"Reconciled.num_rows_min: {self.num_rows_min} is below 1; give 1 up")
