"""Metrics against their definitions in words, and what one class alone gives (B21)."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.errors import DataRefused
from models.tasks import Binary
from models.tasks.bootstrap import Bootstrap, ConfidenceInterval
from models.tasks.task import Array, Evidence, units_of

BINARY = Binary()


def evidence(label: Array, probability: Array, unit: Array | None = None) -> Evidence:
    unit = np.zeros(len(label), int) if unit is None else unit
    return Evidence(np.asarray(label, float), np.asarray(probability, float)[:, None], unit)


def evaluate(label: Array, probability: Array) -> dict[str, Any]:
    return BINARY.scores(evidence(label, probability))


def interval(
    bootstrap: Bootstrap, metric: str, label: Array, probability: Array, unit: Array
) -> ConfidenceInterval | None:
    return bootstrap.interval(BINARY.metric(metric), evidence(label, probability, unit))


def rows(seed: int, num_rows: int = 60) -> tuple[Array, Array, Array]:
    random = np.random.default_rng(seed)
    day = np.sort(random.integers(0, 8, num_rows))
    # Few distinct probabilities, so that ties occur; 0 and 1 among them.
    probability = random.integers(0, 11, num_rows) / 10
    return (random.random(num_rows) < probability).astype(float), probability, day


def auc_by_pairs(label: Array, probability: Array) -> float:
    pairs = itertools.product(probability[label == 1], probability[label == 0])
    return float(np.mean([(high > low) + (high == low) / 2 for high, low in pairs]))


def average_precision_by_steps(label: Array, probability: Array) -> float:
    total, recall_before = 0.0, 0.0
    for threshold in sorted(set(probability), reverse=True):
        chosen = probability >= threshold
        recall = label[chosen].sum() / label.sum()
        total += (recall - recall_before) * label[chosen].mean()
        recall_before = recall
    return total


@pytest.mark.parametrize("seed", range(5))
def test_metrics_are_their_definitions(seed: int) -> None:
    label, probability, _ = rows(seed)
    found = evaluate(label, probability)
    assert found["num_rows"] == 60
    assert found["positive_rate"] == pytest.approx(label.mean())
    assert found["roc_auc"] == pytest.approx(auc_by_pairs(label, probability))
    assert found["average_precision"] == pytest.approx(
        average_precision_by_steps(label, probability)
    )
    assert found["brier_score"] == pytest.approx(np.mean((probability - label) ** 2))
    kept = np.clip(probability, 1e-7, 1 - 1e-7)
    expected = [-math.log(p if y else 1 - p) for y, p in zip(label, kept, strict=True)]
    assert found["log_loss"] == pytest.approx(np.mean(expected))


def test_calibration_error_by_hand() -> None:
    # Bins of 1/15: two rows at 0.1 of which one is positive, one at 0.9 that is not.
    found = evaluate(np.array([0, 1, 0]), np.array([0.1, 0.1, 0.9]))
    assert found["expected_calibration_error"] == pytest.approx(2 / 3 * 0.4 + 1 / 3 * 0.9)
    assert evaluate(np.array([1]), np.array([1.0]))["expected_calibration_error"] == 0
    # 1 lies in the last bin, with 0.95, not in one of its own.
    found = evaluate(np.array([0, 1]), np.array([1.0, 0.95]))
    assert found["expected_calibration_error"] == pytest.approx(0.95 / 2)


@pytest.mark.parametrize("only", [0.0, 1.0])
def test_b21_one_class_alone_has_no_ranking_metrics(only: float) -> None:
    label, probability, day = np.full(20, only), np.linspace(0, 1, 20), np.arange(20) // 4
    found = evaluate(label, probability)
    assert found["roc_auc"] is None
    assert found["average_precision"] is None
    assert found["brier_score"] == pytest.approx(np.mean((probability - only) ** 2))
    assert interval(Bootstrap(), "roc_auc", label, probability, day) is None
    assert interval(Bootstrap(), "average_precision", label, probability, day) is None
    assert interval(Bootstrap(), "brier_score", label, probability, day) is not None


def test_no_rows_have_no_metrics() -> None:
    found = evaluate(np.empty(0), np.empty(0))
    assert found == {"num_rows": 0, **dict.fromkeys(BINARY.metric_names)}


@pytest.mark.parametrize(
    ("label", "probability", "unit", "says"),
    [
        ([0, 1], [0.5], [0, 0], "2 labels, 1 answers and 2 units; give each row one of each"),
        ([0], [0.5], [0, 1], "1 labels, 1 answers and 2 units"),
        ([0, 2], [0.5, 0.5], [0, 0], "neither 0 nor 1"),
        ([0, 1], [0.5, math.nan], [0, 0], "the answer to row 1 is nan"),
        ([0, 1], [0.5, 1.5], [0, 0], "the answer to row 1 is 1.5"),
    ],
)
def test_rows_that_cannot_be_judged_are_refused(
    label: list[float], probability: list[float], unit: list[int], says: str
) -> None:
    answer = BINARY.answered(np.array(probability)[:, None])
    with pytest.raises(DataRefused, match=says):
        BINARY.evidence("late", pa.table({"late": label}), answer, np.array(unit))


def drawn_by_hand(
    metric: str, label: Array, probability: Array, day: Array, bootstrap: Bootstrap
) -> list[float | None]:
    """The same draws, each made into a table of its own."""
    days = np.unique(day)
    shares = np.full(len(days), 1 / len(days))
    random = np.random.default_rng(bootstrap.seed)
    found = []
    for weights in random.multinomial(len(days), shares, bootstrap.num_draws):
        picked = np.concatenate(
            [np.tile(np.flatnonzero(day == d), w) for d, w in zip(days, weights, strict=True)]
        )
        found.append(evaluate(label[picked], probability[picked])[metric])
    return found


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "brier_score", "log_loss"])
def test_the_bootstrap_is_that_of_tables_made_by_hand(metric: str) -> None:
    label, probability, day = rows(seed=11)
    bootstrap = Bootstrap(num_draws=50, level=0.8, seed=4)
    expected = drawn_by_hand(metric, label, probability, day, bootstrap)
    assert None not in expected
    found = interval(bootstrap, metric, label, probability, day)
    assert found is not None
    assert found.estimate == evaluate(label, probability)[metric]
    low, high = np.quantile(np.array(expected, float), (0.1, 0.9))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_a_paired_difference_is_that_of_the_same_draws() -> None:
    label, champion, day = rows(seed=12)
    challenger = np.clip(champion + 0.2 * (label - 0.5), 0, 1)
    bootstrap = Bootstrap(num_draws=50, seed=5)
    before = drawn_by_hand("roc_auc", label, champion, day, bootstrap)
    after = drawn_by_hand("roc_auc", label, challenger, day, bootstrap)
    low, high = np.quantile(np.array(after, float) - np.array(before, float), (0.025, 0.975))
    before_all = evidence(label, champion, day)
    auc, loss = BINARY.metric("roc_auc"), BINARY.metric("log_loss")
    found = bootstrap.gain(auc, before_all, evidence(label, challenger, day))
    estimate = auc_by_pairs(label, challenger) - auc_by_pairs(label, champion)
    assert found == ConfidenceInterval(
        pytest.approx(estimate), pytest.approx(low), pytest.approx(high), 0.95
    )
    same = bootstrap.gain(loss, before_all, before_all)
    assert same == ConfidenceInterval(0, 0, 0, 0.95)


def test_a_gain_is_above_0_where_less_is_better() -> None:
    label, champion, day = rows(seed=12)
    challenger = np.clip(champion + 0.2 * (label - 0.5), 0, 1)
    before, after = evidence(label, champion, day), evidence(label, challenger, day)
    found = Bootstrap(num_draws=50).gain(BINARY.metric("brier_score"), before, after)
    assert found is not None
    assert found.estimate == pytest.approx(
        np.mean((champion - label) ** 2) - np.mean((challenger - label) ** 2)
    )
    assert 0 < found.low < found.estimate < found.high


def test_a_gain_over_other_rows_or_other_days_is_refused() -> None:
    label, champion, day = rows(seed=12)
    before = evidence(label, champion, day)
    for after in (evidence(1 - label, champion, day), evidence(label, champion, day[::-1])):
        with pytest.raises(ValueError, match="compared by their answers to the same rows"):
            Bootstrap().gain(BINARY.metric(), before, after)


def test_one_day_says_nothing_about_other_days() -> None:
    label, probability, day = rows(seed=13)
    assert interval(Bootstrap(), "brier_score", label, probability, np.zeros_like(day)) is None


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("missing", [0, 1])
def test_b21_a_few_draws_of_one_class_alone_are_left_out(metric: str, missing: int) -> None:
    """One outcome occurs on three of six days only, so one draw in 64 has none of it."""
    label, probability, _ = rows(seed=15)
    day = np.arange(60) % 6
    label[day < 3] = 1 - missing
    bootstrap = Bootstrap(num_draws=120, level=0.8, seed=2)
    expected = drawn_by_hand(metric, label, probability, day, bootstrap)
    defined = np.array([value for value in expected if value is not None])
    assert 114 < len(defined) < 120
    found = interval(bootstrap, metric, label, probability, day)
    assert found is not None
    low, high = np.quantile(defined, (0.1, 0.9))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("only", [0.0, 1.0])
def test_b21_many_draws_of_one_class_alone_are_no_proof(only: float) -> None:
    """On one of eight days the other outcome occurs: a third of all draws have none of it."""
    label, probability, day = rows(seed=16, num_rows=80)
    label[:] = only
    label[day == 3] = np.arange((day == 3).sum()) % 2
    found = interval(Bootstrap(), "roc_auc", label, probability, day)
    assert evaluate(label, probability)["roc_auc"] is not None
    assert found is None


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Bootstrap(num_draws=0), "num_draws: 0 is below 1"),
        (lambda: Bootstrap(level=0.0), "level: 0.0 is not between 0 and 1"),
        (lambda: Bootstrap(level=1.0), "level: 1.0 is not between 0 and 1"),
        (
            lambda: interval(
                Bootstrap(), "log_loss", np.array([0, 1]), np.array([0.5, 0.5]), np.array([1, 2, 3])
            ),
            "3 units for 2 rows; give each row its unit",
        ),
    ],
)
def test_draws_that_cannot_be_made_are_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


def test_days_that_are_dates_and_out_of_order() -> None:
    label, probability, day = rows(seed=14)
    dates = np.datetime64("2026-11-01") + day
    order = np.random.default_rng(0).permutation(len(day))
    bootstrap = Bootstrap(num_draws=20)
    found = [
        interval(bootstrap, "average_precision", label[each], probability[each], unit)
        for each in (np.arange(len(day)), order)
        for unit in [units_of(pa.table({"day": dates[each]}), BINARY.unit)]
    ]
    assert None not in found
    assert found[0] == found[1]


def test_units_are_equal_values_of_all_their_columns() -> None:
    table = pa.table(
        {
            "day": pa.chunked_array([["d1", "d2"], ["d1", None, "d2", None]]),
            "origin": pa.array([1, 1, 2, None, 1, None]),
        }
    )
    assert units_of(table, ("day",)).tolist() == [0, 1, 0, 2, 1, 2]
    assert units_of(table, ("day", "origin")).tolist() == [0, 2, 1, 3, 2, 3]
    coded = pa.table({"day": table["day"].dictionary_encode()})
    assert units_of(coded, ("day",)).tolist() == [0, 1, 0, 2, 1, 2]
    assert units_of(table.slice(0, 0), ("day",)).tolist() == []
    with pytest.raises(DataRefused, match="the rows have no destination, hour, the unit of their"):
        units_of(table, ("hour", "day", "destination"))
