"""Quality on labelled rows, and when a worse metric is more than chance."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import norm, t  # type: ignore[import-untyped]
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

from models.tasks import Binary, Ranking
from models.tasks.bootstrap import Bootstrap, ConfidenceInterval
from models.tasks.task import units_of
from pipelines.learning.monitor.quality import Quality, answer_facts, loss, measured
from pipelines.use_cases.spec.model import Watch

TASK = Binary()
ROC_AUC, BRIER = TASK.metric("roc_auc"), TASK.metric("brier_score")
WATCH = Watch(loss_max=0.1)


def of(labels: list[bool], probabilities: list[float], num_rows_min: int) -> Quality:
    rows = pa.table({"label": pa.array(labels, pa.bool_()), "probability": probabilities})
    return measured(rows, TASK, ROC_AUC, Watch(num_rows_min=num_rows_min))


def test_quality_is_measured_on_labelled_rows() -> None:
    found = of([True, False, True, False], [0.75, 0.5, 0.25, 0.0], 4)
    assert found.num_rows == 4
    assert found.scores["positive_rate"] == 0.5
    assert found.value == found.scores["roc_auc"] == 0.75  # of 4 pairs one is the wrong way round
    assert found.scores["brier_score"] == pytest.approx((0.0625 + 0.25 + 0.5625 + 0) / 4)


def test_quality_says_nothing_of_too_few_rows_or_of_one_outcome() -> None:
    assert of([True, False], [0.9, 0.1], 3) == Quality(ROC_AUC, {"num_rows": 2}, None)
    assert of([], [], 1) == Quality(ROC_AUC, {"num_rows": 0}, None)
    alone = of([False] * 4, [0.25] * 4, 4)
    assert (alone.value, alone.num_rows, alone.scores["brier_score"]) == (None, 4, 0.0625)


def rows(seed: int, num_days: int, num_rows_a_day: int, separation: float) -> pa.Table:
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(num_days), num_rows_a_day)
    label = random.random(len(day)) < 0.4
    score = random.normal(separation * label)
    return pa.table(
        {
            "decided_day": pa.array(day, pa.int32()),
            "label": label,
            "probability": 1 / (1 + np.exp(-score)),
        }
    )


def test_the_interval_draws_whole_days_at_the_level_that_is_allowed() -> None:
    table = rows(1, 14, 24, 1.0)
    found = measured(table, TASK, ROC_AUC, WATCH)
    answers = table.select(["probability"]).cast(TASK.answer)
    days = units_of(table, ["decided_day"])
    evidence = TASK.evidence("label", table, answers, days)
    plain = Bootstrap(level=1 - 2 * WATCH.metric_alarm_rate).interval(ROC_AUC, evidence)
    assert plain is not None
    assert found.interval is not None
    assert plain.level == pytest.approx(0.98)
    times = t.ppf(0.99, 13) / norm.ppf(0.99) * np.sqrt(14 / 13)  # 14 days are few
    ends = [
        (each.estimate - each.low, each.high - each.estimate) for each in (found.interval, plain)
    ]
    assert ends[0] == pytest.approx([times * end for end in ends[1]])
    single = measured(table.drop_columns("decided_day"), TASK, ROC_AUC, WATCH).interval
    assert single is not None
    assert single != found.interval  # of a table without days each row is drawn by itself


def measure(value: float, low: float, high: float, metric=ROC_AUC) -> Quality:
    return Quality(metric, {"num_rows": 50}, value, ConfidenceInterval(value, low, high, 0.98))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (measure(0.65, 0.6, 0.7), False),  # just the loss that is allowed
        (measure(0.625, 0.5, 0.749), False),  # 0.125 lost; the legs are 0.124 and 0.03: 0.1276
        (measure(0.625, 0.5, 0.74), True),  # the legs are 0.115 and 0.03: 0.1188
        (Quality(ROC_AUC, {"num_rows": 50}, 0.3), False),  # of one day: nothing is sure
    ],
)
def test_a_worse_metric_is_drift_where_its_intervals_prove_it(now: Quality, expected: bool) -> None:
    found, said = loss(now, measure(0.75, 0.72, 0.79), WATCH)
    assert found is expected
    assert ("which so few may be by chance" in said) is (not expected and now.value != 0.65)


def test_of_a_metric_that_is_to_be_low_the_other_ends_count() -> None:
    promised = measure(0.1, 0.09, 0.2, BRIER)
    assert loss(measure(0.3, 0.15, 0.9, BRIER), promised, WATCH)[0] is True  # legs 0.15 and 0.1
    assert loss(measure(0.3, 0.12, 0.31, BRIER), promised, WATCH)[0] is False  # 0.18 and 0.1


def test_calm_days_hardly_ever_lose_and_a_model_that_learned_nothing_does() -> None:
    """Two labelled rows a day; by the loss alone about 18 of 100 calm days would say drift."""
    promised = measured(rows(0, 14, 24, 1.0), TASK, ROC_AUC, WATCH)
    calm = [measured(rows(seed, 14, 2, 1.0), TASK, ROC_AUC, WATCH) for seed in range(1, 101)]
    assert sum(loss(now, promised, WATCH)[0] for now in calm) <= 3
    assert sum(promised.value - now.value > WATCH.loss_max for now in calm) > 10
    lost = [measured(rows(seed, 14, 24, 0.0), TASK, ROC_AUC, WATCH) for seed in range(101, 121)]
    assert sum(loss(now, promised, WATCH)[0] for now in lost) >= 18


def test_the_value_is_that_of_scikit_learn() -> None:
    table = rows(3, 4, 10, 1.0)
    expected = roc_auc_score(table["label"].to_numpy(), table["probability"].to_numpy())
    assert measured(table, TASK, ROC_AUC, WATCH).value == pytest.approx(expected)


LISTS = Ranking(k=2)


def lists(items: list[list[str]], num_fallback: int) -> pa.Table:
    """As Spark hands them over, with a column more."""
    count = len(items)
    return pa.table(
        {
            "user_id": [str(each) for each in range(count)],
            "items": pa.array(items, pa.list_(pa.field("element", pa.string()))),
            "scores": pa.array([[2.0, 1.0]] * count, pa.list_(pa.float32())),
            "popularity": pa.array([0.5] * count, pa.float32()),
            "unseen_share": pa.array([0.0] * count, pa.float32()),
            "is_fallback": [each < num_fallback for each in range(count)],
        }
    )


def test_facts_of_answers_are_of_as_many_of_both() -> None:
    reference = lists([[str(2 * n), str(2 * n + 1)] for n in range(40)], 0)
    current = lists([["a", "b"], ["a", "c"], ["a", "d"], ["a", "b"]], 1)
    before, now = answer_facts(reference, current, LISTS, Watch(num_rows_min=4))
    assert before["num_items"] == 8.0  # of 4 lists, not of 40
    assert now == {
        "num_items": 4.0,
        # a in half of the places, b in a quarter, c and d in an eighth each: 2^1.75.
        "num_items_effective": pytest.approx(2**1.75),
        "most_listed_share": 1.0,
        "fallback_share": 0.25,
    }
    assert answer_facts(reference, current, LISTS, Watch(num_rows_min=5)) == ({}, {})
    older = current.drop_columns("is_fallback")
    assert answer_facts(reference, older, LISTS, Watch(num_rows_min=4)) == ({}, {})
