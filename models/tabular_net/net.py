"""The tabular net: preprocessing, embeddings and a cheap ensemble in one module.

Piecewise-linear embeddings of numbers: Gorishniy et al., "On Embeddings for Numerical Features in
Tabular Deep Learning" (2022). The ensemble shares its matrices and differs in vectors: Gorishniy
et al., "TabM" (2024), after BatchEnsemble. Unlike TabM the first, widest layer is computed once for
all members, which makes eight of them cost about twice one.

Shape suffixes: B rows, F numeric columns, C categorical columns, T bins, S bins and the flag of a
missing value, D embedding size, E all embeddings, H hidden width, K members, O outputs.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.tabular_net.architecture import Architecture
from models.tabular_net.data import generator
from models.tabular_net.preprocess import Statistics

# Places of `generator` that no epoch has: a net's first weights are drawn from here.
_INITIAL = 2**32 - 1
# The inverse of a narrower bin would leave float32: it counts as none.
_NARROWEST = 1e-30


class NumericEmbedding(nn.Module):
    """Each number becomes the position within its quantile bins, then a vector.

    A bin's part is 0 below it, 1 above it and rises within; missing is its own flag with all parts
    0. A column of one value has no bin, so it says nothing, and nothing is divided by zero (B21).
    """

    low_FT: Tensor
    per_width_FT: Tensor
    first_F: Tensor
    last_F: Tensor

    def __init__(self, statistics: Statistics, size: int, random: torch.Generator) -> None:
        super().__init__()
        edges_FE = torch.from_numpy(statistics.edges_FE)
        width_FT = edges_FE[:, 1:] - edges_FE[:, :-1]
        per_width_FT = torch.where(width_FT > _NARROWEST, 1 / width_FT, 0.0)
        self.register_buffer("low_FT", edges_FE[:, :-1].clone())
        self.register_buffer("per_width_FT", per_width_FT)
        self.register_buffer("first_F", edges_FE[:, 0].clone())
        self.register_buffer("last_F", edges_FE[:, -1].clone())
        num_columns, num_bins = width_FT.shape
        weight_FSD = torch.randn(num_columns, num_bins + 1, size, generator=random)
        self.weight_FSD = nn.Parameter(weight_FSD / math.sqrt(num_bins))
        self.bias_FD = nn.Parameter(torch.zeros(num_columns, size))

    def forward(self, x_BF: Tensor) -> Tensor:
        """float32 [B, F] with NaN or infinity for missing -> float32 [B, F * D]."""
        parts_BFS = self.parts(x_BF)
        embedded_BFD = torch.einsum("bfs,fsd->bfd", parts_BFS, self.weight_FSD) + self.bias_FD
        return embedded_BFD.flatten(1)

    def parts(self, x_BF: Tensor) -> Tensor:
        """The position within the bins, each 0 to 1, and the flag of a missing value."""
        missing_BF = ~torch.isfinite(x_BF)
        known_BF = torch.where(missing_BF, 0.0, x_BF)
        inside_BF = known_BF.clamp(self.first_F, self.last_F)
        parts_BFT = ((inside_BF[:, :, None] - self.low_FT) * self.per_width_FT).clamp(0, 1)
        parts_BFT = torch.where(missing_BF[:, :, None], 0.0, parts_BFT)
        return torch.cat([parts_BFT, missing_BF[:, :, None].to(parts_BFT.dtype)], 2)


class CategoricalEmbedding(nn.Module):
    """Each category's code becomes a vector; code 0 is unknown and starts as no information."""

    def __init__(self, statistics: Statistics, size: int, random: torch.Generator) -> None:
        super().__init__()
        tables = [
            torch.randn(len(words) + 1, size, generator=random) * 0.1
            for words in statistics.vocabularies
        ]
        for table_WD in tables:
            table_WD[0] = 0
        self.tables = nn.ParameterList(tables)

    def forward(self, codes_BC: Tensor) -> Tensor:
        """int64 [B, C] -> float32 [B, C * D]."""
        embedded = [functional.embedding(codes_BC[:, c], t) for c, t in enumerate(self.tables)]
        return torch.cat(embedded, 1) if embedded else codes_BC.float()


class Block(nn.Module):
    """A residual layer: one matrix for all members, and vectors of their own."""

    def __init__(self, size: int, num_members: int, random: torch.Generator) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.matrix_HH = nn.Parameter(_matrix(size, size, random))
        self.scale_KH = nn.Parameter(torch.ones(num_members, size))
        self.bias_KH = nn.Parameter(torch.zeros(num_members, size))

    def forward(self, x_BKH: Tensor) -> Tensor:
        """float32 [B, K, H] -> float32 [B, K, H]."""
        step_BKH = (self.norm(x_BKH) * self.scale_KH) @ self.matrix_HH + self.bias_KH
        return x_BKH + functional.relu(step_BKH)


class Net(nn.Module):
    """Raw columns in, the task's numbers a member out; the head says what they mean.

    First weights come from a generator of our own, so that nobody's global seed matters.
    """

    def __init__(
        self, statistics: Statistics, architecture: Architecture, num_outputs: int, seed: int
    ) -> None:
        super().__init__()
        random = generator(seed, _INITIAL)
        size, members = architecture.hidden_size, architecture.num_members
        numeric_size, categorical_size = architecture.numeric_size, architecture.categorical_size
        width = len(statistics.edges_FE) * numeric_size
        width += len(statistics.vocabularies) * categorical_size
        self.numeric = NumericEmbedding(statistics, numeric_size, random)
        self.categorical = CategoricalEmbedding(statistics, categorical_size, random)
        self.first_EH = nn.Parameter(_matrix(width, size, random))
        self.first_bias_H = nn.Parameter(torch.zeros(size))
        # Random signs keep the members apart; with equal ones they would stay one net.
        sign_KH = torch.randint(0, 2, (members, size), generator=random) * 2.0 - 1
        self.sign_KH = nn.Parameter(sign_KH)
        self.blocks = nn.ModuleList(
            Block(size, members, random) for _ in range(architecture.num_blocks)
        )
        last_KOH = torch.randn(members, num_outputs, size, generator=random) / math.sqrt(size)
        self.last_KOH = nn.Parameter(last_KOH)
        self.last_bias_KO = nn.Parameter(torch.zeros(members, num_outputs))

    def forward(self, numeric_BF: Tensor, codes_BC: Tensor) -> Tensor:
        """float32 [B, F], int64 [B, C] -> float32 [B, K, O]."""
        embedded_BE = torch.cat([self.numeric(numeric_BF), self.categorical(codes_BC)], 1)
        shared_BH = functional.relu(embedded_BE @ self.first_EH + self.first_bias_H)
        x_BKH = shared_BH[:, None] * self.sign_KH
        for block in self.blocks:
            x_BKH = block(x_BKH)
        return torch.einsum("bkh,koh->bko", x_BKH, self.last_KOH) + self.last_bias_KO


def _matrix(rows: int, columns: int, random: torch.Generator) -> Tensor:
    """Uniform, so that outputs have about a third of the inputs' variance, as torch's Linear."""
    return (torch.rand(rows, columns, generator=random) * 2 - 1) / math.sqrt(rows)
