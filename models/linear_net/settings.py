"""How a linear net is learned."""

from dataclasses import dataclass
from typing import ClassVar

from models.family import Settings


@dataclass(frozen=True, kw_only=True)
class LinearNet(Settings):
    """Which inputs are the series' past, which say the step ahead, and the descent.

    Args:
        history: numeric columns of the series' own past, in any order.
        horizon: the numeric column that says the step ahead; each value has a map of its own.
        calendar: numeric columns of few values, such as the weekday, each with its own part.
        num_epochs, batch_rows: how often all rows are seen, and how many at once.
        learning_rate: at its highest; it rises and falls once (Smith and Topin, 2018).
        weight_decay: the share of the weights that each step takes, by the learning rate.
        num_rows_min: training rows below which a series shares scale and level with all.

    Raises:
        ValueError: a value out of its range, or no history.
    """

    family: ClassVar[str] = "linear_net"
    history: tuple[str, ...]
    horizon: str
    calendar: tuple[str, ...] = ()
    seed: int = 0
    num_epochs: int = 12
    batch_rows: int = 1024
    learning_rate: float = 6e-3
    weight_decay: float = 1e-4
    num_rows_min: int = 100

    def __post_init__(self) -> None:
        for name in ("num_epochs", "batch_rows", "num_rows_min"):
            self._check(name, getattr(self, name) >= 1, "give 1 or more")
        self._check("learning_rate", 0 < self.learning_rate <= 1, "give a number up to 1")
        self._check("weight_decay", self.weight_decay >= 0, "give 0 or more")
        self._check("history", len(self.history) > 0, "name columns of the series' past")

    def _check(self, name: str, holds: bool, way_out: str) -> None:
        if not holds:
            raise ValueError(f"LinearNet.{name}: {getattr(self, name)} is no use; {way_out}")
