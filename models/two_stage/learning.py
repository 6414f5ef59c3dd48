"""How the retrievers are learned from ratings; the towers by torch, in this process alone.

Shape suffixes: U users, I items, B users of a batch, C contents, D dimensions, E dimensions and a
bias.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import Tensor, nn

from models.two_stage import similarity
from models.two_stage.candidates import Retrievers
from models.two_stage.catalogue import Catalogue
from models.two_stage.ratings import Ratings, Sparse, Weights, by_user
from models.two_stage.settings import Retrieval
from models.two_stage.towers import Contents, Towers

log = logging.getLogger(__name__)

_SPREAD = 0.05


@dataclass(frozen=True)
class Fitted:
    """Both retrievers, the towers' loss of each epoch, and what the index finds."""

    retrievers: Retrievers
    losses: Sequence[float]
    index_recall: float


def fitted(ratings: Ratings, catalogue: Catalogue, settings: Retrieval, seed: int) -> Fitted:
    """Learn from ratings.

    One thread, so that equal ratings give equal retrievers on machines of any size.

    Raises:
        ModelRefused: the index finds too few of the nearest.
    """
    weights = Weights(settings.rating_weight, ratings.mean)
    history_UI = by_user(ratings, len(catalogue), weights)
    with threadpool_limits(1):
        similar = similarity.fitted(
            history_UI, settings.similarity_l2, settings.num_similar_items_max
        )
        towers, losses = towers_fitted(history_UI, catalogue, settings, seed)
    built = Retrievers.built(catalogue, similar, towers, weights, settings.num_candidates)
    return Fitted(built, losses, built.check_recall(history_UI, settings.recall_min))


def towers_fitted(
    history_UI: Sparse, catalogue: Catalogue, settings: Retrieval, seed: int
) -> tuple[Towers, Sequence[float]]:
    """Towers that tell a part of each user's items from the rest of them, among all items.

    The softmax is over the whole catalogue, which some ten thousand items allow (Liang et al.,
    "Variational Autoencoders for Collaborative Filtering", 2018, has the likelihood).
    """
    torch.set_num_threads(1)
    contents = Contents.of(catalogue)
    content_IC = torch.from_numpy(contents.matrix(catalogue).toarray())
    net = _Net(content_IC, settings, torch.Generator().manual_seed(seed))
    descent = torch.optim.AdamW(
        net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    losses = [_epoch(net, descent, history_UI, settings) for _ in range(settings.num_epochs)]
    log.info("towers: a loss of %.3f after %d epochs", losses[-1], len(losses))
    code_J = np.unique(history_UI.indices)
    own_IE, content_CE = (each.detach().numpy() for each in (net.own_IE, net.content_CE))
    item_J = catalogue.item_I.take(pa.array(code_J))
    return Towers(contents, item_J, own_IE[code_J], content_CE), losses


class _Net(nn.Module):
    """Both towers; every random number comes from one generator."""

    def __init__(self, content_IC: Tensor, settings: Retrieval, random: torch.Generator) -> None:
        super().__init__()
        num_items, num_contents = content_IC.shape
        size = (settings.num_dimensions + 1,)
        self.content_IC, self.settings, self.random = content_IC, settings, random
        self.own_IE = nn.Parameter(_SPREAD * torch.randn(num_items, *size, generator=random))
        self.content_CE = nn.Parameter(_SPREAD * torch.randn(num_contents, *size, generator=random))

    def forward(self, taken_BI: Tensor) -> Tensor:
        """Scores of all items [B, I]."""
        own_I1 = self._kept((len(self.own_IE), 1), self.settings.id_dropout)
        vector_IE = own_I1 * self.own_IE + self.content_IC @ self.content_CE
        user_BD = nn.functional.normalize(taken_BI, dim=1) @ vector_IE[:, :-1]
        user_BD = user_BD * self._kept(user_BD.shape, self.settings.vector_dropout)
        user_BD = user_BD / (1 - self.settings.vector_dropout)
        return user_BD @ vector_IE[:, :-1].T + vector_IE[:, -1]

    def _kept(self, shape: Sequence[int], dropout: float) -> Tensor:
        """1 where a number stays, 0 where it is dropped."""
        return (torch.rand(*shape, generator=self.random) >= dropout).float()

    def loss(self, taken_BI: Tensor) -> Tensor:
        """The mean negative log-likelihood of the items that were dropped from a history."""
        is_shown_BI = self._kept(taken_BI.shape, self.settings.history_dropout)
        score_BI = self(taken_BI * is_shown_BI)
        is_taken_BI = taken_BI > 0
        is_seen_BI = is_taken_BI & (is_shown_BI > 0)
        score_BI = score_BI.masked_fill(is_seen_BI, float("-inf"))
        is_asked_BI = is_taken_BI & ~is_seen_BI
        surprise_BI = -torch.log_softmax(score_BI, 1).masked_fill(~is_asked_BI, 0)
        num_asked_B = is_asked_BI.sum(1).clamp(min=1)
        return (surprise_BI.sum(1) / num_asked_B).mean()


def _epoch(
    net: _Net, descent: torch.optim.Optimizer, history_UI: Sparse, settings: Retrieval
) -> float:
    """One pass over all users in an order of its own; the mean loss."""
    order_U = torch.randperm(history_UI.shape[0], generator=net.random).numpy()
    batches = [
        order_U[at : at + settings.batch_users]
        for at in range(0, len(order_U), settings.batch_users)
    ]
    losses = []
    for users in batches:
        loss = net.loss(torch.from_numpy(history_UI[users].toarray()))
        descent.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        descent.step()
        losses.append(loss.item())
    return float(np.mean(losses))
