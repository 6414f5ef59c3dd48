"""What a net's last numbers mean, task by task: its loss while it learns, and its answer.

Shape suffixes: B rows, K members, O outputs, Q quantiles.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.tasks import Binary, Multiclass, Regression, Task
from models.tasks.task import Array


class Head(ABC):
    """How O numbers a member become the numbers of an answer."""

    @abstractmethod
    def loss_sum(self, raw_BKO: Tensor, label_B: Tensor) -> Tensor:
        """The members' mean loss, summed over the rows."""

    @abstractmethod
    def outputs(self, raw_BKO: Tensor) -> Tensor:
        """The numbers of each answer: the members' mean, [B, O]."""

    @abstractmethod
    def answered_loss_sum(self, output_BO: Tensor, label_B: Tensor) -> Tensor:
        """The loss of the answers, summed over the rows."""


@dataclass(frozen=True)
class YesOrNo(Head):
    """One logit; the loss is the log loss in nats."""

    def loss_sum(self, raw_BKO: Tensor, label_B: Tensor) -> Tensor:
        logit_BK = raw_BKO[:, :, 0]
        label_BK = label_B[:, None].expand_as(logit_BK)
        total = functional.binary_cross_entropy_with_logits(logit_BK, label_BK, reduction="sum")
        return total / logit_BK.shape[1]

    def outputs(self, raw_BKO: Tensor) -> Tensor:
        return torch.sigmoid(raw_BKO).mean(1)

    def answered_loss_sum(self, output_BO: Tensor, label_B: Tensor) -> Tensor:
        said_B = output_BO[:, 0].double()
        return functional.binary_cross_entropy(said_B, label_B.double(), reduction="sum")


@dataclass(frozen=True)
class OneOfMany(Head):
    """A logit a class; the loss is the log loss in nats."""

    def loss_sum(self, raw_BKO: Tensor, label_B: Tensor) -> Tensor:
        members = raw_BKO.shape[1]
        label_BK = label_B.long()[:, None].expand(-1, members)
        total = functional.cross_entropy(raw_BKO.flatten(0, 1), label_BK.flatten(), reduction="sum")
        return total / members

    def outputs(self, raw_BKO: Tensor) -> Tensor:
        return torch.softmax(raw_BKO, 2).mean(1)

    def answered_loss_sum(self, output_BO: Tensor, label_B: Tensor) -> Tensor:
        said_B = output_BO.double().gather(1, label_B.long()[:, None])[:, 0]
        return -said_B.clamp_min(1e-12).log().sum()


@dataclass(frozen=True)
class Quantiles(Head):
    """The median, and how far the interval's ends lie from it, so that they never cross.

    Labels are learned in units of `scale` around `centre`, which come from the training rows.
    """

    shares: tuple[float, float, float]
    centre: float
    scale: float

    def loss_sum(self, raw_BKO: Tensor, label_B: Tensor) -> Tensor:
        label_B = (label_B - self.centre) / self.scale
        return self._pinball(_ordered(raw_BKO), label_B[:, None, None]).mean(1).sum()

    def outputs(self, raw_BKO: Tensor) -> Tensor:
        return _ordered(raw_BKO).mean(1) * self.scale + self.centre

    def answered_loss_sum(self, output_BO: Tensor, label_B: Tensor) -> Tensor:
        return self._pinball(output_BO.double(), label_B.double()[:, None]).sum()

    def _pinball(self, said: Tensor, label: Tensor) -> Tensor:
        """The mean over the quantiles of each one's pinball loss (Koenker and Bassett, 1978)."""
        share_Q = torch.tensor(self.shares, dtype=said.dtype, device=said.device)
        above = label - said
        return torch.maximum(share_Q * above, (share_Q - 1) * above).mean(-1)


def _ordered(raw_BKO: Tensor) -> Tensor:
    """Low, middle and high of each member, from its median and its two distances."""
    middle = raw_BKO[..., 1]
    low = middle - functional.softplus(raw_BKO[..., 0])
    high = middle + functional.softplus(raw_BKO[..., 2])
    return torch.stack([low, middle, high], -1)


def head(task: Task, label_B: Array) -> Head:
    """The head of a task, for the training rows' labels."""
    match task:
        case Binary():
            return YesOrNo()
        case Multiclass():
            return OneOfMany()
        case Regression():
            low, centre, high = np.quantile(label_B, (0.25, 0.5, 0.75))
            # Where half of the labels are equal, their spread by moments.
            scale = float(high - low) or float(np.std(label_B)) or 1.0
            return Quantiles(task.quantiles, float(centre), scale)
    raise ValueError(f"a tabular_net has no head for the task {task.name}")
