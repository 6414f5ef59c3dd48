"""What the intervals of a naive forecast differ by."""

from dataclasses import dataclass
from typing import ClassVar

from models.family import Settings


@dataclass(frozen=True, kw_only=True)
class SeasonalNaive(Settings):
    """The naive forecast of the task, with intervals as wide as its errors were.

    Args:
        by: the categorical columns by which errors differ, such as the series.
        num_rows_min: training rows below which a group's errors are taken for those of all.

    Raises:
        ValueError: a number below 1.
    """

    family: ClassVar[str] = "seasonal_naive"
    by: tuple[str, ...] = ()
    num_rows_min: int = 100

    def __post_init__(self) -> None:
        if self.num_rows_min < 1:
            raise ValueError(
                f"SeasonalNaive.num_rows_min: {self.num_rows_min} is below 1; give 1 or more"
            )
