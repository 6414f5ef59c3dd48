"""The metrics of every task: scikit-learn's on all rows, and on every draw those of its rows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from models.tasks import Binary, Multiclass, Regression, Task
from models.tasks.bootstrap import Bootstrap
from models.tasks.task import Array, Evidence, Metric

CLASSES = ("low", "mid", "high", "never")
TASKS: tuple[Task, ...] = (
    Binary(),
    Multiclass(classes=CLASSES[:3]),
    Regression(),
    Regression(coverage=0.5),
)
BY_METRIC = [(task, metric.name) for task in TASKS for metric in task.metrics]


def made(task: Task, seed: int, num_rows: int = 150, num_units: int = 8) -> Evidence:
    """Labels, and answers that say something about them; ties, and units of unequal sizes."""
    print(f"seed {seed}")
    random = np.random.default_rng(seed)
    unit = np.append(random.integers(0, num_units, num_rows - num_units), np.arange(num_units))
    match task:
        case Binary():
            said = random.integers(0, 21, num_rows) / 20
            return Evidence((random.random(num_rows) < said).astype(float), said[:, None], unit)
        case Multiclass():
            shares = random.dirichlet(np.ones(len(task.classes)), num_rows) * 0.9
            label = random.integers(0, 3, num_rows)
            shares[np.arange(num_rows), label] += 0.1
            return Evidence(label.astype(float), shares, unit)
    middle = random.normal(5, 20, num_rows)
    label = np.round(middle + random.normal(0, 10, num_rows))
    ends = random.gamma(2, 6, (2, num_rows))
    return Evidence(label, np.column_stack([middle - ends[0], middle, middle + ends[1]]), unit)


def rows_of(evidence: Evidence, picked: Array) -> Evidence:
    return Evidence(evidence.label_B[picked], evidence.answer_BO[picked], evidence.unit_B[picked])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("task", "name"), BY_METRIC, ids=lambda each: getattr(each, "name", each))
def test_a_draw_is_the_metric_of_its_rows(task: Task, name: str, seed: int) -> None:
    metric, evidence = task.metric(name), made(task, seed)
    random = np.random.default_rng(seed)
    weights = random.multinomial(8, np.full(8, 1 / 8), 30).astype(float)
    expected = []
    for weight in weights:
        picked = np.repeat(np.arange(len(evidence)), weight[evidence.unit_B].astype(int))
        value = metric.value(rows_of(evidence, picked))
        expected.append(np.nan if value is None else value)
    found = metric.draws(evidence, weights)
    assert np.ptp(found) > 0
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["d2_log_loss_score", "roc_auc_ovr", "log_loss"])
def test_a_draw_that_lacks_a_class_is_undefined_where_its_rows_are(name: str) -> None:
    task, evidence = TASKS[1], made(TASKS[1], 3)
    # Each of two units holds one class alone, so that every kind of draw occurs.
    evidence = replace(evidence, unit_B=(evidence.label_B > 0).astype(int))
    for weight, lacks in (([1, 1], 0), ([2, 0], 2), ([0, 2], 1), ([0, 0], 3)):
        picked = np.repeat(np.arange(len(evidence)), np.array(weight)[evidence.unit_B])
        value = task.metric(name).value(rows_of(evidence, picked))
        (found,) = task.metric(name).draws(evidence, np.array([weight], float))
        assert found == pytest.approx(np.nan if value is None else value, nan_ok=True)
        undefined_from = {"d2_log_loss_score": 2, "roc_auc_ovr": 1, "log_loss": 3}[name]
        assert (value is None) == (lacks >= undefined_from), (weight, value)


@pytest.mark.parametrize(("task", "name"), BY_METRIC, ids=lambda each: getattr(each, "name", each))
def test_a_thousand_draws_are_one_call(task: Task, name: str) -> None:
    evidence, asked = made(task, 5), []

    def counted(given: Evidence, weights: Array) -> Array:
        asked.append(weights)
        return task.metric(name).draws(given, weights)

    metric: Metric = replace(task.metric(name), draws=counted)
    found = Bootstrap(num_draws=1000).interval(metric, evidence)
    assert [weights.shape for weights in asked] == [(1000, 8)]
    assert (asked[0].sum(1) == 8).all()
    assert found is not None
    assert found.low < found.estimate < found.high


@pytest.mark.parametrize("seed", range(3))
def test_metrics_of_classes_are_those_of_scikit_learn(seed: int) -> None:
    task = TASKS[1]
    evidence = made(task, seed)
    label, said = evidence.label_B.astype(int), evidence.answer_BO
    found: dict[str, Any] = task.scores(evidence)
    rates = np.bincount(label) / len(label)
    brier = np.mean([((p - np.eye(3)[y]) ** 2).sum() for p, y in zip(said, label, strict=True)])
    assert found == {
        "num_rows": 150,
        "largest_class_rate": pytest.approx(rates.max()),
        "d2_log_loss_score": pytest.approx(sklearn_metrics.d2_log_loss_score(label, said)),
        "log_loss": pytest.approx(sklearn_metrics.log_loss(label, said)),
        "accuracy": pytest.approx(sklearn_metrics.accuracy_score(label, said.argmax(1))),
        "roc_auc_ovr": pytest.approx(
            sklearn_metrics.roc_auc_score(label, said, multi_class="ovr", average="macro")
        ),
        "brier_score": pytest.approx(brier),
    }
    assert brier == pytest.approx(
        sklearn_metrics.brier_score_loss(label, said, labels=[0, 1, 2], scale_by_half=False)
    )


def test_a_class_that_no_row_has_leaves_only_its_ranking_undefined() -> None:
    task = Multiclass(classes=CLASSES)
    evidence = made(task, 7)
    label, said = evidence.label_B.astype(int), evidence.answer_BO
    found: dict[str, Any] = task.scores(evidence)
    every = list(range(4))
    assert found["roc_auc_ovr"] is None
    assert found["log_loss"] == pytest.approx(sklearn_metrics.log_loss(label, said, labels=every))
    expected = sklearn_metrics.d2_log_loss_score(label, said, labels=every)
    assert found["d2_log_loss_score"] == pytest.approx(expected)


def test_a_certain_error_costs_what_a_millionth_does() -> None:
    task = TASKS[1]
    evidence = Evidence(np.array([0.0]), np.array([[0.0, 1.0, 0.0]]), np.array([0]))
    assert task.losses(evidence).tolist() == pytest.approx([-np.log(1e-7)])


@pytest.mark.parametrize("offset", [0, 1e6])
@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_metrics_of_numbers_are_those_of_scikit_learn(coverage: float, offset: float) -> None:
    task = Regression(coverage=coverage)
    evidence = made(task, 2)
    label, said = evidence.label_B + offset, evidence.answer_BO + offset
    evidence = replace(evidence, label_B=label, answer_BO=said)
    found: dict[str, Any] = task.scores(evidence)
    losses, own = [], []
    shares = ((1 - coverage) / 2, 0.5, (1 + coverage) / 2)
    for share, answer in zip(shares, said.T, strict=True):
        lost = sklearn_metrics.mean_pinball_loss(label, answer, alpha=share)
        losses.append(lost)
        own.append(lost / (1 - sklearn_metrics.d2_pinball_score(label, answer, alpha=share)))
    held = sum(low <= y <= high for y, (low, _, high) in zip(label, said, strict=True))
    assert found == {
        "num_rows": 150,
        "label_mean": pytest.approx(label.mean()),
        "d2_pinball_score": pytest.approx(1 - sum(losses) / sum(own), rel=1e-7),
        "mean_pinball_loss": pytest.approx(np.mean(losses)),
        "mean_absolute_error": pytest.approx(
            sklearn_metrics.mean_absolute_error(label, said[:, 1])
        ),
        "mean_squared_error": pytest.approx(sklearn_metrics.mean_squared_error(label, said[:, 1])),
        "interval_coverage": held / 150,
        "interval_width_mean": pytest.approx(np.mean([high - low for low, _, high in said])),
    }


def test_an_interval_holds_its_ends() -> None:
    said = np.array([[1.0, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2, 3]])
    evidence = Evidence(np.array([1.0, 3.0, 0.999, 3.001]), said, np.arange(4))
    assert Regression().scores(evidence)["interval_coverage"] == 0.5


@pytest.mark.parametrize("constant", [0.0, 0.1, 3.3, 1e9 + 0.1])
def test_labels_that_are_all_equal_have_no_d2(constant: float) -> None:
    """Nothing can be saved where the labels' own quantiles lose only what rounding leaves."""
    said = np.tile([constant - 1, constant + 0.1, constant + 1], (60, 1))
    unit = np.arange(60) % 6
    task, evidence = Regression(), Evidence(np.full(60, constant), said, unit)
    assert task.scores(evidence)["d2_pinball_score"] is None
    assert Bootstrap(num_draws=20).interval(task.metric(), evidence) is None
    mixed = replace(evidence, label_B=np.where(unit == 5, constant + 2, constant))
    (only_equal,) = task.metric().draws(mixed, np.array([[1.0, 2, 0, 0, 3, 0]]))
    assert np.isnan(only_equal)


@pytest.mark.parametrize("task", TASKS[:3], ids=lambda task: task.name)
def test_no_rows_have_no_metrics(task: Task) -> None:
    nothing = Evidence(np.empty(0), np.empty((0, task.num_outputs)), np.empty(0, int))
    assert task.scores(nothing) == {"num_rows": 0, **dict.fromkeys(task.metric_names)}
    assert task.lacks(nothing) != ""


@pytest.mark.parametrize(
    ("task", "label", "says"),
    [
        (Binary(num_class_rows_min=3), [1] * 9 + [0] * 2, "2 rows of the rarer outcome, 3 are"),
        (Binary(num_class_rows_min=3), [0] * 9 + [1] * 3, ""),
        (
            Multiclass(classes=CLASSES, num_class_rows_min=3),
            [0] * 9 + [1] * 2 + [2] * 2,
            "2 rows of the second class by number, 3 are needed",
        ),
        (Multiclass(classes=CLASSES, num_class_rows_min=3), [3] * 9 + [1] * 3, ""),
        (Regression(num_rows_min=3), [1, 2], "2 rows, 3 are needed"),
        (Regression(num_rows_min=3), [1, 2, 3], ""),
    ],
)
def test_what_evidence_lacks_is_said(task: Task, label: list[int], says: str) -> None:
    given = np.array(label, float)
    evidence = Evidence(given, np.zeros((len(given), task.num_outputs)), np.zeros(len(given), int))
    assert task.lacks(evidence).startswith(says)
    assert bool(task.lacks(evidence)) == bool(says)


def test_a_metric_is_found_by_its_name() -> None:
    task = Regression()
    assert task.metric().name == "d2_pinball_score"
    assert task.metric("mean_absolute_error").title == "Absolute error"
    with pytest.raises(ValueError, match=r"regression has no metric 'roc_auc'; it has .*'d2_pinb"):
        task.metric("roc_auc")
