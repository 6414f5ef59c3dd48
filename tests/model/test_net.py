"""The net: its inside preprocessing against numpy, and how it behaves on odd rows."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from models.tabular_net.data import Rows, to_rows
from models.tabular_net.net import Net, NumericEmbedding
from models.tabular_net.preprocess import Statistics, fit_statistics

INFINITY = math.inf


def set_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


@pytest.fixture
def embedding() -> NumericEmbedding:
    """Columns with bins 0-10-20, with ties 5-6, and with none."""
    edges = np.array([[0, 10, 20], [5, 6, 6], [7, 7, 7]], np.float32)
    random = torch.Generator().manual_seed(0)
    return NumericEmbedding(Statistics(edges_FE=edges, vocabularies=()), 2, random)


@pytest.mark.parametrize(
    ("value", "first", "second", "third"),
    [
        (5.5, [0.55, 0, 0], [0.5, 0, 0], [0, 0, 0]),
        (15, [1, 0.5, 0], [1, 0, 0], [0, 0, 0]),
        (1e30, [1, 1, 0], [1, 0, 0], [0, 0, 0]),
        (-3e38, [0, 0, 0], [0, 0, 0], [0, 0, 0]),
        (math.nan, [0, 0, 1], [0, 0, 1], [0, 0, 1]),
        (INFINITY, [0, 0, 1], [0, 0, 1], [0, 0, 1]),
        (-INFINITY, [0, 0, 1], [0, 0, 1], [0, 0, 1]),
    ],
)
def test_positions_within_the_bins(
    embedding: NumericEmbedding,
    value: float,
    first: list[float],
    second: list[float],
    third: list[float],
) -> None:
    found = embedding.parts(torch.full((1, 3), value))
    torch.testing.assert_close(found, torch.tensor([[first, second, third]], dtype=torch.float32))


def test_a_missing_number_is_none_of_those_around_zero() -> None:
    edges = np.array([[-10, 0, 10]], np.float32)
    random = torch.Generator().manual_seed(0)
    embedding = NumericEmbedding(Statistics(edges_FE=edges, vocabularies=()), 2, random)
    found = embedding.parts(torch.tensor([[0.0], [math.nan], [INFINITY]]))
    assert found.tolist() == [[[1, 0, 0]], [[0, 0, 1]], [[0, 0, 1]]]


def test_b11_b21_no_row_gives_anything_but_a_probability(toy: Any) -> None:
    odd = torch.tensor([math.nan, INFINITY, -INFINITY, 3e38, -3e38, 1e-45, -0.0])
    numeric = odd[torch.randint(0, len(odd), (500, 5), generator=torch.Generator().manual_seed(1))]
    codes = torch.zeros(500, 2, dtype=torch.int64)
    net = toy.net()
    found = toy.probability(net, Rows(numeric, codes, torch.zeros(500)))
    assert bool(((found > 0) & (found < 1)).all())
    found.sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name


def test_b11_extreme_training_values_make_finite_statistics(toy: Any, make_table: Any) -> None:
    table = make_table(60)
    wild = np.resize([1e308, -1e308, 3e38, -3e38, INFINITY, 1e-45, 0.0, 1.0], 60)
    table = set_column(table, "delay", pa.array(wild))
    statistics = fit_statistics(table, toy.spec.columns, toy.settings.preprocessing)
    assert np.isfinite(statistics.edges_FE).all()
    net = Net(statistics, toy.settings.architecture, 1, 0)
    assert all(bool(tensor.isfinite().all()) for tensor in net.state_dict().values())
    rows = to_rows(table, toy.spec.columns, statistics, np.zeros(60))
    found = toy.probability(net, rows)
    assert bool(((found > 0) & (found < 1)).all())


def test_b20_a_category_never_seen_scores_as_the_unknown_one(toy: Any, make_table: Any) -> None:
    table = make_table(20, seed=9)
    unseen = toy.rows(set_column(table, "carrier", pa.array(["never seen"] * 20)))
    rare = toy.rows(set_column(table, "carrier", pa.array(["DD"] * 20)))
    assert bool((unseen.codes_BC[:, 1] == 0).all())
    net = toy.net()
    scores = [toy.probability(net, rows) for rows in (unseen, rare)]
    assert torch.equal(scores[0], scores[1])


def test_a_score_belongs_to_its_row_alone(toy: Any) -> None:
    rows, net = toy.rows(), toy.net()
    together = toy.probability(net, rows)
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(2))
    shuffled = rows.take(order)
    apart = toy.probability(net, shuffled)
    torch.testing.assert_close(apart, together[order], rtol=0, atol=1e-6)
    alone = toy.probability(net, rows.take(torch.arange(1)))
    torch.testing.assert_close(alone, together[:1], rtol=0, atol=1e-6)


def test_members_differ_and_a_seed_gives_the_same_net(toy: Any) -> None:
    rows = toy.rows()
    logits = toy.net(seed=1)(rows.numeric_BF, rows.codes_BC)
    assert logits.std(1).min().item() > 0
    torch.manual_seed(123)
    assert torch.equal(toy.net(seed=1)(rows.numeric_BF, rows.codes_BC), logits)
    assert not torch.equal(toy.net(seed=2)(rows.numeric_BF, rows.codes_BC), logits)
