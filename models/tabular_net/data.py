"""Rows as whole tensors, and the one global order in which any number of ranks sees them.

Shape suffixes: B rows, F numeric columns, C categorical columns.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import torch
from torch import Tensor

from models.columns import Columns, numeric_matrix, text_column
from models.tabular_net.preprocess import Statistics, encode
from models.tasks.task import Array


@dataclass(frozen=True)
class Rows:
    """Inputs and labels of many rows: float32 with NaN for missing, int64 codes, float32 labels."""

    numeric_BF: Tensor
    codes_BC: Tensor
    label_B: Tensor

    def __len__(self) -> int:
        return len(self.label_B)

    def take(self, index_B: Tensor) -> "Rows":
        """The rows of these positions."""
        return Rows(self.numeric_BF[index_B], self.codes_BC[index_B], self.label_B[index_B])

    def to(self, device: torch.device) -> "Rows":
        """The same rows on another device."""
        return Rows(self.numeric_BF.to(device), self.codes_BC.to(device), self.label_B.to(device))

    def digest(self) -> str:
        """sha256 of the content: two trainings with equal digests saw equal rows."""
        hashed = hashlib.sha256()
        for tensor in (self.numeric_BF, self.codes_BC, self.label_B):
            hashed.update(f"{tuple(tensor.shape)}".encode())
            hashed.update(np.ascontiguousarray(tensor.cpu().numpy()).data)
        return hashed.hexdigest()


def to_rows(table: pa.Table, columns: Columns, statistics: Statistics, label_B: Array) -> Rows:
    """An Arrow table and its labels, encoded, as tensors.

    Raises:
        DataRefused: a column is absent or of the wrong kind.
    """
    codes_BC = np.zeros((table.num_rows, len(columns.categorical)), np.int64)
    pairs = zip(columns.categorical, statistics.vocabularies, strict=True)
    for position, (name, vocabulary) in enumerate(pairs):
        codes_BC[:, position] = encode(text_column(table, name), vocabulary).to_numpy()
    return Rows(
        torch.from_numpy(numeric_matrix(table, columns.numeric)),
        torch.from_numpy(codes_BC),
        torch.from_numpy(label_B.astype(np.float32)),
    )


def generator(seed: int, *place: int) -> torch.Generator:
    """Random numbers of one place in a training, such as an epoch and a batch.

    Nothing random is carried from step to step, so a resumed training needs no generator state
    and any number of ranks draws the same.
    """
    (state,) = np.random.SeedSequence((seed, *place)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state >> np.uint64(1)))


def global_batches(num_rows: int, batch_rows: int, seed: int, epoch: int) -> Sequence[Tensor]:
    """The row positions of each batch of an epoch: all rows once, in sizes that differ by one."""
    order_B = torch.randperm(num_rows, generator=generator(seed, epoch))
    return order_B.tensor_split(num_batches(num_rows, batch_rows))


def num_batches(num_rows: int, batch_rows: int) -> int:
    """How many batches an epoch has."""
    return -(-num_rows // batch_rows)


def share(index_B: Tensor, rank: int, num_ranks: int) -> Tensor:
    """One rank's part of a global batch; it may be empty."""
    return index_B.tensor_split(num_ranks)[rank]
