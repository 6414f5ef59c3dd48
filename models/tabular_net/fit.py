"""The training loop: one process or many with the same code and the same global batches.

The loss of a step is a sum over the global batch divided by its size, so that uneven shares of the
ranks stay exact. All random numbers belong to a place (seed, epoch, batch), so that a resumed
training goes on to the same weights (R19, R20).

Shape suffixes: B rows, K members, O outputs.
"""

import hashlib
import logging
import math
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from models.errors import DataRefused, Diverged
from models.tabular_net.checkpoint import Checkpoints
from models.tabular_net.data import Rows, generator, global_batches, num_batches, share
from models.tabular_net.heads import Head
from models.tabular_net.net import Net
from models.tabular_net.optimisation import Optimisation
from models.tabular_net.ranks import ALONE, Ranks

log = logging.getLogger(__name__)

# Rows scored at once: bounds the memory of the bins at about 100 MB for 100 columns.
SCORED_ROWS = 8192


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to; the losses are those of the task's head."""

    epoch: int
    training_loss: float
    validation_loss: float


@dataclass
class _Progress:
    """Where a training is: what a checkpoint holds besides net and optimiser."""

    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    best_epoch: int = -1
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Fitted:
    """The net with the weights of its best epoch, and the way there."""

    net: Net
    best_epoch: int
    history: tuple[Epoch, ...]


def fit(
    net: Net,
    head: Head,
    training: Rows,
    validation: Rows,
    options: Optimisation,
    *,
    ranks: Ranks = ALONE,
    checkpoints: Checkpoints | None = None,
) -> Fitted:
    """Train until the validation loss no longer falls; go on from a checkpoint if there is one.

    Every rank gets all rows and takes its share of each batch.

    Raises:
        DataRefused: no rows to learn from, or to validate on.
        Diverged: loss or gradient is no longer finite; there is no model then (R22).
        RankLost: another rank died or hangs (R21).
        CheckpointRefused: the checkpoints are of other rows, options or another net.
    """
    for name, rows in (("training", training), ("validation", validation)):
        if not len(rows):
            raise DataRefused(f"there are no {name} rows; widen the interval they come from")
    with ranks.guarded():
        trainer = _Trainer(net, head, training, validation, options, ranks, checkpoints)
        return trainer.run()


class _Trainer:
    """The state of one training; `run` is the loop."""

    def __init__(
        self,
        net: Net,
        head: Head,
        training: Rows,
        validation: Rows,
        options: Optimisation,
        ranks: Ranks,
        checkpoints: Checkpoints | None,
    ) -> None:
        self.fingerprint = _fingerprint(net, head, training, validation, options)
        self.options, self.ranks, self.checkpoints = options, ranks, checkpoints
        self.net, self.head = net.to(ranks.device), head
        self.training, self.validation = training.to(ranks.device), validation.to(ranks.device)
        self.wrapped = ranks.wrap(self.net)
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(),
            lr=options.learning_rate,
            weight_decay=options.weight_decay,
            fused=True,
        )
        self.progress = _Progress()
        self.batches_an_epoch = num_batches(len(training), options.batch_rows)
        # The loss of this rank's steps since it was last summed over the ranks.
        self.loss_since = torch.zeros((), dtype=torch.float64, device=ranks.device)

    def run(self) -> Fitted:
        self._resume()
        while not self._is_over():
            self._run_epoch()
        progress = self.progress
        self.net.load_state_dict(progress.best_weights)
        history = tuple(Epoch(**epoch) for epoch in progress.history)
        return Fitted(self.net, progress.best_epoch, history)

    def _is_over(self) -> bool:
        progress = self.progress
        waited = progress.epoch - 1 - progress.best_epoch
        return progress.epoch >= self.options.max_epochs or waited >= self.options.patience

    def _run_epoch(self) -> None:
        progress, options = self.progress, self.options
        batches = global_batches(
            len(self.training), options.batch_rows, options.seed, progress.epoch
        )
        for index_B in batches[progress.batch :]:
            self._step(index_B)
            progress.batch += 1
            step = progress.epoch * self.batches_an_epoch + progress.batch
            self.ranks.reached(step)
            if self.checkpoints and step % self.checkpoints.every_steps == 0:
                self._save(step)
        self._end_epoch()

    def _step(self, index_B: Tensor) -> None:
        progress, options, ranks = self.progress, self.options, self.ranks
        step = progress.epoch * self.batches_an_epoch + progress.batch
        for group in self.optimizer.param_groups:
            group["lr"] = options.learning_rate_at(step, self.batches_an_epoch)
        rows = self._hidden(self.training.take(share(index_B, ranks.rank, ranks.size)), index_B)
        raw_BKO = self.wrapped(rows.numeric_BF, rows.codes_BC)
        loss = self.head.loss_sum(raw_BKO, rows.label_B) / len(index_B)
        self.optimizer.zero_grad()
        # Averaged over the ranks by DDP, so each rank's part counts `size` times.
        (loss * ranks.size).backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), options.max_gradient_norm)
        # The same on all ranks, whichever of them saw the bad number.
        if not torch.isfinite(norm):
            raise Diverged(
                f"the gradient became {norm.item()} at epoch {progress.epoch}, batch "
                f"{progress.batch}, so no model is made; look for wild labels or inputs there, "
                f"or lower Optimisation.learning_rate ({options.learning_rate})"
            )
        self.optimizer.step()
        self.loss_since += loss.detach()

    def _hidden(self, rows: Rows, index_B: Tensor) -> Rows:
        """Some inputs hidden, drawn for the global batch, so that every number of ranks agrees."""
        options, progress, ranks = self.options, self.progress, self.ranks
        random = generator(options.seed, progress.epoch, progress.batch)
        mine = share(torch.arange(len(index_B)), ranks.rank, ranks.size)

        def drawn(columns: int, rate: float) -> Tensor:
            chance = torch.rand(len(index_B), columns, generator=random)
            return (chance[mine] < rate).to(ranks.device)

        numeric_BF, codes_BC = rows.numeric_BF, rows.codes_BC
        if options.hidden_numeric_rate:
            hidden = drawn(numeric_BF.shape[1], options.hidden_numeric_rate)
            numeric_BF = numeric_BF.masked_fill(hidden, math.nan)
        if options.hidden_category_rate:
            hidden = drawn(codes_BC.shape[1], options.hidden_category_rate)
            codes_BC = codes_BC.masked_fill(hidden, 0)
        return Rows(numeric_BF, codes_BC, rows.label_B)

    def _end_epoch(self) -> None:
        progress = self.progress
        self._sum_losses()
        epoch = Epoch(
            progress.epoch, progress.loss_sum / self.batches_an_epoch, self._validation_loss()
        )
        if not math.isfinite(epoch.validation_loss):
            raise Diverged(
                f"the validation loss became {epoch.validation_loss} after epoch {epoch.epoch}, "
                "so no model is made; lower Optimisation.learning_rate"
            )
        best = min((past["validation_loss"] for past in progress.history), default=math.inf)
        if epoch.validation_loss < best:
            progress.best_epoch = epoch.epoch
            progress.best_weights = {
                name: tensor.detach().clone() for name, tensor in self.net.state_dict().items()
            }
        progress.history.append(asdict(epoch))
        progress.epoch, progress.batch, progress.loss_sum = epoch.epoch + 1, 0, 0.0
        if self.ranks.rank == 0:
            log.info(
                "epoch %d: training loss %.4f, validation loss %.4f",
                epoch.epoch,
                epoch.training_loss,
                epoch.validation_loss,
            )

    def _sum_losses(self) -> None:
        """Move what the ranks lost since last time into the progress, the same on each."""
        self.progress.loss_sum += self.ranks.sum(self.loss_since).item()
        self.loss_since.zero_()

    @torch.no_grad()
    def _validation_loss(self) -> float:
        """The loss of the answers, over all ranks' shares of the validation rows."""
        mine = share(torch.arange(len(self.validation)), self.ranks.rank, self.ranks.size)
        total = torch.zeros((), dtype=torch.float64, device=self.ranks.device)
        for index_B in torch.split(mine, SCORED_ROWS):
            rows = self.validation.take(index_B)
            output_BO = self.head.outputs(self.net(rows.numeric_BF, rows.codes_BC))
            if not output_BO.isfinite().all():
                # The loss function would raise on this rank alone, and not say `Diverged`.
                total += math.nan
                continue
            total += self.head.answered_loss_sum(output_BO, rows.label_B)
        return self.ranks.sum(total).item() / len(self.validation)

    def _save(self, step: int) -> None:
        self._sum_losses()
        if self.checkpoints and self.ranks.rank == 0:
            state = {
                "net": self.net.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "progress": vars(self.progress),
            }
            self.checkpoints.save(step, self.fingerprint, state)

    def _resume(self) -> None:
        state = self.checkpoints.load(self.fingerprint) if self.checkpoints else None
        if state is None:
            return
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = _Progress(**state["progress"])
        log.info(
            "goes on from its checkpoint: epoch %d, batch %d",
            self.progress.epoch,
            self.progress.batch,
        )


def _fingerprint(
    net: Net, head: Head, training: Rows, validation: Rows, options: Optimisation
) -> str:
    """Equal for trainings that give equal weights: rows, head, options, the first weights."""
    hashed = hashlib.sha256(repr((head, options)).encode())
    for name, tensor in net.state_dict().items():
        hashed.update(name.encode() + tensor.cpu().numpy().tobytes())
    hashed.update(training.digest().encode() + validation.digest().encode())
    return hashed.hexdigest()
