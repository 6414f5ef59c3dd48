"""A small table with every kind of column a case may have, and a net small enough to test."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pytest
import torch

from models.architecture import Architecture
from models.columns import Columns
from models.data import Rows, to_rows
from models.net import Net
from models.optimisation import Optimisation
from models.preprocess import Preprocessing, Statistics, fit_statistics
from models.spec import ModelSpec

MakeTable: TypeAlias = Callable[..., pa.Table]


@dataclass(frozen=True)
class Toy:
    """A spec with a table, and what training makes of both."""

    spec: ModelSpec
    table: pa.Table
    statistics: Statistics

    def rows(self, table: pa.Table | None = None) -> Rows:
        return to_rows(table or self.table, self.spec.columns, self.statistics)

    def net(self, seed: int = 0) -> Net:
        return Net(self.statistics, self.spec.architecture, seed)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    # More threads on matrices this small only wait for each other.
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def make_table() -> MakeTable:
    return _table


@pytest.fixture(scope="session")
def toy() -> Toy:
    spec = ModelSpec(
        name="toy",
        columns=Columns(
            numeric=("delay", "gusts", "hour", "constant", "empty"),
            categorical=("origin", "carrier"),
        ),
        preprocessing=Preprocessing(num_bins=8, min_category_rows=15),
        architecture=Architecture(
            numeric_size=4, categorical_size=4, hidden_size=16, num_members=4
        ),
        optimisation=Optimisation(
            batch_rows=50, max_epochs=4, learning_rate=0.01, warmup_steps=5, patience=4
        ),
    )
    table = _table()
    return Toy(spec, table, fit_statistics(table, spec.columns, spec.preprocessing))


def _table(num_rows: int = 401, seed: int = 0) -> pa.Table:
    """Late when `delay` is high or the carrier is BB; a third of `gusts` is null."""
    random = np.random.default_rng(seed)
    delay = random.gamma(1.0, 20.0, num_rows)
    carrier = random.choice(["AA", "BB", "CC", "DD"], num_rows, p=[0.5, 0.3, 0.19, 0.01])
    logit = delay / 10 - 3 + 2 * (carrier == "BB")
    return pa.table(
        {
            "delay": delay,
            "gusts": pa.array(random.normal(20, 5, num_rows), mask=random.random(num_rows) < 1 / 3),
            "hour": random.integers(0, 24, num_rows),
            "constant": np.full(num_rows, 7.0),
            "empty": pa.nulls(num_rows, pa.float64()),
            "origin": random.choice(["EWR", "JFK", "LGA"], num_rows),
            "carrier": carrier,
            "label": random.random(num_rows) < 1 / (1 + np.exp(-logit)),
        }
    )
