"""The processes of one training: the same code for one and for many."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from models.errors import RankLost

_CPU = torch.device("cpu")
_START = timedelta(minutes=5)


class Store(Protocol):
    """What we use of torch's store; torchrun itself keeps it, so no rank's death loses it."""

    def set(self, key: str, value: str) -> None: ...
    def get(self, key: str) -> bytes: ...
    def check(self, keys: list[str]) -> bool: ...


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together; alone unless torchrun started it."""

    rank: int = 0
    size: int = 1
    device: torch.device = _CPU
    store: Store | None = None

    def wrap(self, net: nn.Module) -> nn.Module:
        """The net whose gradients are the mean over the ranks."""
        if self.size == 1:
            return net
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(net, device_ids=devices)

    def sum(self, values: Tensor) -> Tensor:
        """The sum over the ranks, the same on each."""
        total = values.clone()
        if self.size > 1:
            dist.all_reduce(total)
        return total

    def reached(self, step: int) -> None:
        """Note how far this rank is, so that the others can name it when it stops."""
        if self.store is not None:
            self.store.set(f"reached/{self.rank}", str(step))

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Say which rank was lost when the ranks can't talk any more.

        Raises:
            RankLost: a rank died or did not answer within the timeout (R21).
        """
        try:
            yield
        except RuntimeError as error:
            if self.store is None or not _is_of_ranks(error):
                raise
            raise RankLost(self._who_is_behind()) from error

    def _who_is_behind(self) -> str:
        assert self.store is not None  # noqa: S101  guarded() asks before
        names = [f"reached/{rank}" for rank in range(self.size)]
        known = [name for name in names if self.store.check([name])]
        steps = {name.removeprefix("reached/"): int(self.store.get(name)) for name in known}
        silent = [str(rank) for rank in range(self.size) if str(rank) not in steps]
        furthest = max(steps.values(), default=0)
        behind = silent + [
            rank for rank, step in steps.items() if step < furthest and rank != str(self.rank)
        ]
        others = [str(rank) for rank in range(self.size) if rank != self.rank]
        return (
            f"rank {', '.join(behind or others)} of {self.size} died or hangs at step "
            f"{min(steps.values(), default=0)}, while rank {self.rank} waited; "
            "start the training again: it goes on from its last checkpoint"
        )


ALONE = Ranks()


@contextmanager
def joined(device: str, timeout_seconds: float) -> Iterator[Ranks]:
    """Join the processes that torchrun started; alone when it did not.

    Args:
        device: cpu (gloo) or cuda (nccl, one GPU a process).
        timeout_seconds: how long one rank waits for another before it gives up (R21).
    """
    if not dist.is_torchelastic_launched():
        yield Ranks(device=torch.device(device))
        return
    shared, rank, size = next(rendezvous("env://"))
    # torchrun keeps one store through its restarts (seen in 2.15): without a prefix a restarted
    # rank reads the address of a dead one, and is refused. Only the environment tells the attempt.
    store = PrefixStore(f"attempt_{os.environ['TORCHELASTIC_RESTART_COUNT']}", shared)
    # A busy machine may start one rank long after another; only then do they owe quick answers.
    store.set(f"joined/{rank}", "")
    store.wait([f"joined/{other}" for other in range(size)], _START)
    wait = timedelta(seconds=timeout_seconds)
    backend = "nccl" if device == "cuda" else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=wait)
    place = torch.device(device, dist.get_node_local_rank()) if device == "cuda" else device
    try:
        yield Ranks(rank, size, torch.device(place), store)
    finally:
        dist.destroy_process_group()


def _is_of_ranks(error: RuntimeError) -> bool:
    """Gloo raises plain RuntimeErrors, told apart by their text; nccl its own kind."""
    words = ("gloo", "Connection closed by peer", "Timed out waiting", "Connection reset")
    return isinstance(error, dist.DistError) or any(word in str(error) for word in words)
