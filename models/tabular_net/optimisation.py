"""How a net is trained: the options of the optimiser and its learning rate by step."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Optimisation:
    """How the net is trained.

    Args:
        seed: of the first weights, the order of the rows and the hidden values.
        batch_rows: rows of a global batch, whatever the number of ranks.
        max_epochs: the length of the learning rate's cosine.
        patience: epochs without a better validation loss after which training ends.
        warmup_steps: steps in which the learning rate rises to its full value.
        max_gradient_norm: gradients longer than this are shortened to it.
        hidden_numeric_rate: share of numbers hidden as missing while training.
        hidden_category_rate: share of categories hidden as unknown while training, so that
            bucket 0 means something (B20).

    Raises:
        ValueError: a value out of its range.
    """

    seed: int = 0
    batch_rows: int = 1024
    max_epochs: int = 4
    patience: int = 2
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warmup_steps: int = 100
    max_gradient_norm: float = 1.0
    hidden_numeric_rate: float = 0.0
    hidden_category_rate: float = 0.02

    def __post_init__(self) -> None:
        for name in ("batch_rows", "max_epochs", "patience"):
            self._check(name, getattr(self, name) >= 1, "give 1 or more")
        for name in ("seed", "warmup_steps", "weight_decay"):
            self._check(name, getattr(self, name) >= 0, "give 0 or more")
        for name in ("learning_rate", "max_gradient_norm"):
            value = getattr(self, name)
            self._check(name, math.isfinite(value) and value > 0, "give a number above 0")
        for name in ("hidden_numeric_rate", "hidden_category_rate"):
            self._check(name, 0 <= getattr(self, name) < 1, "give a share from 0 to below 1")

    def _check(self, name: str, holds: bool, way_out: str) -> None:
        if not holds:
            raise ValueError(f"Optimisation.{name}: {getattr(self, name)} is no use; {way_out}")

    def learning_rate_at(self, step: int, batches_an_epoch: int) -> float:
        """A linear rise, times half a cosine that ends at 0 after `max_epochs`.

        Example:
            >>> options = Optimisation(learning_rate=1.0, warmup_steps=4, max_epochs=1)
            >>> [round(options.learning_rate_at(step, 8), 3) for step in (0, 3, 4, 7)]
            [0.25, 0.691, 0.5, 0.038]
        """
        warm = min(1.0, (step + 1) / (self.warmup_steps or 1))
        done = step / (self.max_epochs * batches_an_epoch)
        return self.learning_rate * warm * (1 + math.cos(math.pi * done)) / 2
