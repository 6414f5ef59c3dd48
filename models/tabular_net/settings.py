"""How a tabular net is learned."""

from dataclasses import dataclass, field
from typing import ClassVar

from models.family import Settings
from models.tabular_net.architecture import Architecture
from models.tabular_net.optimisation import Optimisation
from models.tabular_net.preprocess import Preprocessing


@dataclass(frozen=True, kw_only=True)
class TabularNet(Settings):
    """What is summarised, how large the net is, and how it is trained.

    Args:
        checkpoint_every_steps: how much work a crash may cost.

    Raises:
        ValueError: a number of steps below 1.
    """

    family: ClassVar[str] = "tabular_net"
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    architecture: Architecture = field(default_factory=Architecture)
    optimisation: Optimisation = field(default_factory=Optimisation)
    checkpoint_every_steps: int = 200

    def __post_init__(self) -> None:
        if self.checkpoint_every_steps < 1:
            raise ValueError(
                f"TabularNet.checkpoint_every_steps: {self.checkpoint_every_steps} is below 1; "
                "give 1 or more"
            )
