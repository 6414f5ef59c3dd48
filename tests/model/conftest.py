"""A small table with every kind of column a case may have, and a net small enough to test."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import Tensor

from models import artifact, families
from models.columns import Columns
from models.spec import ModelSpec
from models.tabular_net.architecture import Architecture
from models.tabular_net.data import Rows, to_rows
from models.tabular_net.fit import fit
from models.tabular_net.heads import Head, head
from models.tabular_net.net import Net
from models.tabular_net.onnx_export import to_onnx
from models.tabular_net.optimisation import Optimisation
from models.tabular_net.preprocess import Preprocessing, Statistics, fit_statistics
from models.tabular_net.settings import TabularNet
from models.tasks import Binary
from tests.model import constants

MakeTable: TypeAlias = Callable[..., pa.Table]


@dataclass(frozen=True)
class Toy:
    """A spec with a table, and what training makes of both."""

    spec: ModelSpec
    table: pa.Table
    statistics: Statistics

    @property
    def settings(self) -> TabularNet:
        assert isinstance(self.spec.settings, TabularNet)
        return self.spec.settings

    @property
    def head(self) -> Head:
        return head(self.spec.task, self.rows().label_B.numpy())

    def rows(self, table: pa.Table | None = None) -> Rows:
        table = table or self.table
        label = self.spec.task.encode("label", table["label"])
        return to_rows(table, self.spec.columns, self.statistics, label)

    def net(self, seed: int = 0) -> Net:
        return Net(self.statistics, self.settings.architecture, 1, seed)

    def probability(self, net: Net, rows: Rows) -> Tensor:
        """What the net says of each row, [B]."""
        return self.head.outputs(net(rows.numeric_BF, rows.codes_BC))[:, 0]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    # More threads on matrices this small only wait for each other.
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def make_table() -> MakeTable:
    return _table


@pytest.fixture(scope="session")
def toy() -> Toy:
    settings = TabularNet(
        preprocessing=Preprocessing(num_bins=8, min_category_rows=15),
        architecture=Architecture(
            numeric_size=4, categorical_size=4, hidden_size=16, num_members=4
        ),
        optimisation=Optimisation(
            batch_rows=50, max_epochs=4, learning_rate=0.01, warmup_steps=5, patience=4
        ),
        checkpoint_every_steps=7,
    )
    spec = ModelSpec(
        columns=Columns(
            numeric=("delay", "gusts", "hour", "constant", "empty"),
            categorical=("origin", "carrier"),
        ),
        task=Binary(),
        settings=settings,
    )
    table = _table()
    return Toy(spec, table, fit_statistics(table, spec.columns, settings.preprocessing))


@pytest.fixture(scope="session")
def net(toy: Toy) -> Net:
    """Trained a little, so that no weight is at its first value."""
    rows = toy.rows()
    return fit(toy.net(), toy.head, rows, rows, toy.settings.optimisation).net


@pytest.fixture(scope="session")
def content(toy: Toy, net: Net) -> bytes:
    """The net as a file."""
    return to_onnx(net, toy.head, toy.spec.columns, toy.statistics)


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> Iterator[constants.Constants]:
    made, module = constants.Constants(), ModuleType("constants_of_a_test")
    module.FAMILY = made  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(families.PACKAGES, "constants", module.__name__)
    families.find.cache_clear()
    yield made
    families.find.cache_clear()


@pytest.fixture
def folder(family: constants.Constants, tmp_path: Path) -> Path:
    """Two levels: a member inside, and a base beside."""
    made = constants.fill(tmp_path / "whole")
    (tmp_path / "base.bin").write_bytes(b"what it is built upon")
    inner = constants.fill(made / "members" / "inner", 1.0)
    digest = constants.sealed(inner, bases={"encoder": artifact.sha256_of(tmp_path / "base.bin")})
    constants.sealed(made, members={"members/inner": digest}, corpus={"gold.items": 7})
    return made


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
