"""The sizes of a net, apart from torch: a model's spec is read where no torch is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The sizes of the net.

    Raises:
        ValueError: a size below 1.
    """

    numeric_size: int = 8
    categorical_size: int = 8
    hidden_size: int = 192
    num_blocks: int = 2
    num_members: int = 8

    def __post_init__(self) -> None:
        for field, value in vars(self).items():
            if value < 1:
                raise ValueError(f"Architecture.{field}: {value} is below 1; give 1 or more")
