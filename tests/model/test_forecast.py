"""Forecasts are judged against the naive one that each row has."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from models.errors import DataRefused
from models.tasks import Forecast, Regression, from_json, to_json
from models.tasks.bootstrap import Bootstrap
from models.tasks.task import Evidence
from tests.model import forecasts

TASK = Forecast(naive="week_before", published="is_published")


def evidence(num_rows: int = 210, seed: int = 3) -> Evidence:
    """Of 210 rows 140 are unpublished: tenths of both are whole numbers of rows."""
    random = np.random.default_rng(seed)
    naive, middle = random.normal(10, 4, num_rows), random.normal(10, 4, num_rows)
    width = random.gamma(2, 2, num_rows)
    label = middle + random.normal(size=num_rows) * 3
    beside = {"week_before": naive, "is_published": (np.arange(num_rows) % 3 == 0).astype(float)}
    said = np.column_stack([middle - width, middle, middle + width])
    return Evidence(label, said, np.arange(num_rows) % 7, beside)


def skill(found: Evidence) -> float:
    """By scikit-learn: D² of what is left of labels and answers without the naive forecast."""
    naive = found.beside["week_before"]
    label, said = found.label_B - naive, found.answer_BO - naive[:, None]
    lost = [
        (loss := sklearn_metrics.mean_pinball_loss(label, answer, alpha=share))
        and (loss, loss / (1 - sklearn_metrics.d2_pinball_score(label, answer, alpha=share)))
        for share, answer in zip(TASK.quantiles, said.T, strict=True)
    ]
    return 1 - sum(ours for ours, _ in lost) / sum(own for _, own in lost)


def test_metrics_are_those_of_a_regression_and_the_shares_of_the_naive_forecasts() -> None:
    found: dict[str, Any] = TASK.scores(given := evidence())
    same = Regression().scores(given)
    del same["d2_pinball_score"]
    assert {name: found[name] for name in same} == same
    naive = given.beside["week_before"]
    errors = [
        sklearn_metrics.mean_absolute_error(given.label_B, said)
        for said in (given.answer_BO[:, 1], naive)
    ]
    assert found["mase"] == pytest.approx(errors[0] / errors[1])
    assert found["pinball_skill_score"] == pytest.approx(skill(given), rel=1e-7)
    hidden = given.beside["is_published"] == 0
    beside = {name: value[hidden] for name, value in given.beside.items()}
    unpublished = replace(
        given,
        label_B=given.label_B[hidden],
        answer_BO=given.answer_BO[hidden],
        unit_B=given.unit_B[hidden],
        beside=beside,
    )
    expected = pytest.approx(skill(unpublished), rel=1e-7)
    assert found["pinball_skill_score_unpublished"] == expected
    assert found["pinball_skill_score_unpublished"] != found["pinball_skill_score"]


def test_whoever_says_the_naive_forecast_saves_nothing() -> None:
    given = evidence()
    naive = given.beside["week_before"]
    flat = replace(given, answer_BO=np.repeat(naive[:, None], 3, 1))
    assert TASK.scores(flat)["mase"] == 1
    # With the errors' own quantiles exactly nothing is saved or lost.
    own = np.quantile(given.label_B - naive, TASK.quantiles)
    best = replace(given, answer_BO=naive[:, None] + own)
    assert TASK.scores(best)["pinball_skill_score"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["pinball_skill_score", "mase", "pinball_skill_score_unpublished"])
def test_a_draw_is_the_metric_of_its_rows_repeated(name: str) -> None:
    given, metric = evidence(), TASK.metric(name)
    times = np.array([[1, 0, 2, 1, 0, 3, 0], [1, 1, 1, 1, 1, 1, 1]])
    for draw, found in zip(times, metric.draws(given, times.astype(float)), strict=True):
        rows = np.repeat(np.arange(len(given)), draw[given.unit_B])
        repeated = Evidence(
            given.label_B[rows],
            given.answer_BO[rows],
            given.unit_B[rows],
            {key: value[rows] for key, value in given.beside.items()},
        )
        assert found == pytest.approx(metric.value(repeated), rel=1e-6)


def test_no_rows_beyond_the_schedule_have_no_metric_of_it() -> None:
    given = evidence()
    known = replace(given, beside={**given.beside, "is_published": np.ones(len(given))})
    assert TASK.scores(known)["pinball_skill_score_unpublished"] is None
    metric = TASK.metric("pinball_skill_score_unpublished")
    assert Bootstrap(num_draws=20).interval(metric, known) is None


def test_no_answer_is_below_the_minimum() -> None:
    task = replace(TASK, minimum=0.0)
    answer = task.answered(np.array([[-2.0, -1.0, 3.0], [1.0, 2.0, 3.0]]))
    assert answer.to_pydict() == {"low": [0, 1], "prediction": [0, 2], "high": [3, 3]}
    with pytest.raises(DataRefused, match=r"low: the answer to row 0 is -2\.0.* from 0\.0"):
        task.checked(TASK.answered(np.array([[-2.0, -1.0, 3.0]])))


def test_a_task_with_levels_is_read_back() -> None:
    assert from_json(to_json(forecasts.TASK)) == forecasts.TASK
    assert forecasts.TASK.together == ("place",)
    assert from_json(to_json(TASK)).levels is None
    assert TASK.together == ()
