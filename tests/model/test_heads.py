"""What a net says task by task: its losses against scikit-learn, and its file against torch."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn import metrics as sklearn_metrics

from models.tabular_net import onnx_file
from models.tabular_net.data import Rows, to_rows
from models.tabular_net.fit import fit
from models.tabular_net.heads import Head, OneOfMany, Quantiles, YesOrNo, head
from models.tabular_net.net import Net
from models.tabular_net.onnx_export import to_onnx
from models.tasks import Binary, Multiclass, Regression, Task
from models.tasks.task import Evidence

TASKS: tuple[Task, ...] = (
    Binary(),
    Multiclass(classes=("low", "mid", "high")),
    Regression(coverage=0.9),
)
each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


def labels_of(task: Task, table: pa.Table) -> Any:
    """What is to be learned of a table's delays."""
    delay = table["delay"].to_numpy()
    match task:
        case Binary():
            return (delay > 20).astype(float)
        case Multiclass():
            return np.digitize(delay, [10, 30]).astype(float)
    return delay * 3 + table["hour"].to_numpy()


def learned(toy: Any, task: Task) -> tuple[Net, Head, Rows]:
    label = labels_of(task, toy.table)
    rows = to_rows(toy.table, toy.spec.columns, toy.statistics, label)
    means = head(task, label)
    net = Net(toy.statistics, toy.settings.architecture, task.num_outputs, 0)
    return fit(net, means, rows, rows, toy.settings.optimisation).net, means, rows


def odd_table(seed: int, num_rows: int = 2000) -> pa.Table:
    random = np.random.default_rng(seed)
    names = ("delay", "gusts", "hour", "constant", "empty")

    def numbers() -> Any:
        odd = random.choice([np.nan, np.inf, -np.inf, 1e308, -1e308, -0.0], num_rows)
        return np.where(random.random(num_rows) < 0.2, odd, random.normal(20, 30, num_rows))

    texts = np.array(["AA", "BB", "JFK", "never seen", "", None], object)
    return pa.table(
        {name: numbers() for name in names}
        | {name: pa.array(random.choice(texts, num_rows)) for name in ("origin", "carrier")}
    )


@each_task
def test_the_file_says_what_torch_says(toy: Any, task: Task) -> None:
    net, means, _ = learned(toy, task)
    table = odd_table(1)
    rows = to_rows(table, toy.spec.columns, toy.statistics, np.zeros(2000))
    with torch.no_grad():
        expected = means.outputs(net(rows.numeric_BF, rows.codes_BC)).numpy()
    content = to_onnx(net, means, toy.spec.columns, toy.statistics)
    assert to_onnx(net, means, toy.spec.columns, toy.statistics) == content
    assert onnx_file.check(content) == (toy.spec.columns, task.num_outputs)
    answer = task.checked(onnx_file.load(content, toy.spec.columns, task).score(table))
    assert np.ptp(expected) > 0.3
    # Numbers of a regression have the label's unit.
    unit = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(task.outputs(answer), expected, rtol=0, atol=1e-5 * unit)
    assert onnx_file.load(content, toy.spec.columns, task).score(table.slice(0, 0)).num_rows == 0


@each_task
def test_it_learns(toy: Any, task: Task) -> None:
    net, means, rows = learned(toy, task)
    with torch.no_grad():
        said = means.outputs(net(rows.numeric_BF, rows.codes_BC)).numpy().astype(float)
    label = rows.label_B.numpy().astype(float)
    found = task.scores(Evidence(label, said, np.arange(len(label)) % 7))
    first = found[task.metric().name]
    assert first is not None
    assert first > {"binary": 0.95, "multiclass": 0.3, "regression": 0.4}[task.name]


def raw_numbers(num_outputs: int, seed: int = 2) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(50, 4, num_outputs, generator=random, dtype=torch.float64) * 2


def test_the_loss_of_yes_or_no_is_the_log_loss_of_each_member() -> None:
    raw, label = raw_numbers(1), torch.arange(50) % 2
    found = YesOrNo().loss_sum(raw, label.double()) / 50
    each = [
        sklearn_metrics.log_loss(label, torch.sigmoid(raw[:, member, 0])) for member in range(4)
    ]
    assert found.item() == pytest.approx(np.mean(each))
    said = YesOrNo().outputs(raw)
    assert said[:, 0].tolist() == pytest.approx(torch.sigmoid(raw[:, :, 0]).mean(1).tolist())
    whole = YesOrNo().answered_loss_sum(said, label.double()) / 50
    assert whole.item() == pytest.approx(sklearn_metrics.log_loss(label, said[:, 0]))


def test_the_loss_of_classes_is_the_log_loss_of_each_member() -> None:
    raw, label = raw_numbers(3), torch.arange(50) % 3
    shares = torch.softmax(raw, 2)
    found = OneOfMany().loss_sum(raw, label.double()) / 50
    each = [sklearn_metrics.log_loss(label, shares[:, member]) for member in range(4)]
    assert found.item() == pytest.approx(np.mean(each))
    said = OneOfMany().outputs(raw)
    np.testing.assert_allclose(said, shares.mean(1))
    whole = OneOfMany().answered_loss_sum(said, label.double()) / 50
    assert whole.item() == pytest.approx(sklearn_metrics.log_loss(label, said))


def test_the_loss_of_an_interval_is_the_pinball_loss_of_each_member() -> None:
    raw = raw_numbers(3)
    label = torch.linspace(-9, 30, 50, dtype=torch.float64)
    means = Quantiles((0.1, 0.5, 0.9), centre=5.0, scale=4.0)
    distance = torch.log1p(torch.exp(raw))
    middle = raw[:, :, 1]
    ends = [middle - distance[:, :, 0], middle, middle + distance[:, :, 2]]
    units = (label - 5) / 4

    def lost(what: torch.Tensor, said: Any) -> Any:
        pairs = zip(said, (0.1, 0.5, 0.9), strict=True)
        return np.mean(
            [sklearn_metrics.mean_pinball_loss(what, each, alpha=share) for each, share in pairs]
        )

    each = [lost(units, [end[:, member] for end in ends]) for member in range(4)]
    assert (means.loss_sum(raw, label) / 50).item() == pytest.approx(np.mean(each))
    said = means.outputs(raw)
    np.testing.assert_allclose(said, torch.stack(ends, -1).mean(1) * 4 + 5)
    whole = (means.answered_loss_sum(said, label) / 50).item()
    assert whole == pytest.approx(lost(label, said.T))
    evidence = Evidence(label.numpy(), said.numpy(), np.zeros(50, int))
    assert whole == pytest.approx(Regression(coverage=0.8).losses(evidence).mean())


@pytest.mark.parametrize("distance", [-300.0, -20.0, 0.0, 50.0])
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e6])
def test_an_interval_never_crosses(toy: Any, distance: float, scale: float) -> None:
    """Also where its ends are so close to the median that rounding decides."""
    task = Regression()
    net = Net(toy.statistics, toy.settings.architecture, 3, 3)
    with torch.no_grad():
        net.last_bias_KO[:, 0] += distance
        net.last_bias_KO[:, 2] += distance
        net.last_bias_KO[:, 1] += torch.tensor([1e3, -7.0, 0.1, 30.0])
    means = Quantiles(task.quantiles, centre=0.3 * scale, scale=scale)
    table = odd_table(4, 5000)
    rows = to_rows(table, toy.spec.columns, toy.statistics, np.zeros(5000))
    with torch.no_grad():
        said = means.outputs(net(rows.numeric_BF, rows.codes_BC)).numpy()
    assert (np.diff(said, axis=1) >= 0).all()
    content = to_onnx(net, means, toy.spec.columns, toy.statistics)
    task.checked(onnx_file.load(content, toy.spec.columns, task).score(table))


@pytest.mark.parametrize(
    ("label", "centre", "scale"),
    [
        ([0, 10, 20, 30, 40], 20, 20),
        ([7] * 9 + [17], 7, 3),  # half of them equal: the spread by moments
        ([7] * 9, 7, 1),
    ],
)
def test_labels_are_learned_in_units_of_their_spread(
    label: list[float], centre: float, scale: float
) -> None:
    found = head(Regression(), np.array(label, float))
    assert isinstance(found, Quantiles)
    assert (found.centre, found.scale) == (centre, pytest.approx(scale))
    assert found.shares == pytest.approx((0.1, 0.5, 0.9))


@each_task
def test_every_number_of_a_member_has_a_gradient(toy: Any, task: Task) -> None:
    means = head(task, labels_of(task, toy.table))
    raw = raw_numbers(task.num_outputs).requires_grad_()
    means.loss_sum(raw, torch.ones(50, dtype=torch.float64)).backward()
    assert raw.grad is not None
    assert bool((raw.grad != 0).all())
    assert math.isfinite(raw.grad.sum().item())
