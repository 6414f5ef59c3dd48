"""The suites of decisions and predictions, run by Great Expectations on small frames."""

import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from expectations.suites import decisions_suite, predictions_suite
from models.tasks import Binary, Multiclass, Regression
from pipelines.data.validate.predictions import answer_rules
from pipelines.stores import gx

START, END = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

Broken = Callable[[pd.DataFrame, Any], set[tuple[str, str]]]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    """The expectations that a frame breaks: kind and column."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import warns of what it imports
        import_module("great_expectations")
        import_module("pipelines.stores.gx_engine")
    context = gx.open_context(Path(tmp_path_factory.mktemp("gx")))
    turns = iter(range(100))

    def run(frame: pd.DataFrame, suite: Any) -> set[tuple[str, str]]:
        table = f"t.rows_{next(turns)}"
        results = gx.validate(context, [gx.Batch(table, frame, suite)], "rows")[table].results
        return {
            (
                each.expectation_config.type.removeprefix("expect_"),
                str(each.expectation_config.kwargs.get("column", "")),
            )
            for each in results
            if not each.success
        }

    return run


def predictions(**changes: Any) -> pd.DataFrame:
    rows = {"id": [1, 2], "decided_at": [END] * 2, "predicted_at": [END] * 2}
    return pd.DataFrame({**rows, "probability": [0.0, 1.0], **changes})


BETWEEN, NOT_NULL = "column_values_to_be_between", "column_values_to_not_be_null"
PAIR = "column_pair_values_a_to_be_greater_than_b"
UNIQUE = ("compound_columns_to_be_unique", "")


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (predictions(), set()),
        (predictions(id=[1, 1]), {UNIQUE}),
        (predictions(id=[1, 1], decided_at=[NOON, END]), set()),
        (predictions().head(1), {("table_row_count_to_equal", "")}),
        (predictions(probability=[0.5, 1.01]), {(BETWEEN, "probability")}),
        (predictions(probability=[-0.01, 0.5]), {(BETWEEN, "probability")}),
        (predictions(probability=[0.5, None]), {(NOT_NULL, "probability")}),
        (predictions(id=[1, None]), {(NOT_NULL, "id")}),
        (predictions(decided_at=[END, None]), {(NOT_NULL, "decided_at")}),
        (predictions(predicted_at=[END, None]), {(NOT_NULL, "predicted_at")}),
    ],
)
def test_every_decision_is_answered_once_by_a_probability(
    broken: Broken, frame: pd.DataFrame, expected: set[tuple[str, str]]
) -> None:
    suite = predictions_suite(("id",), answer_rules(Binary().answer), num_expected=2)
    assert broken(frame, suite) == expected


def intervals(**changes: Any) -> pd.DataFrame:
    rows = predictions().drop(columns="probability")
    answers = {"low": [0.0, 1.0], "prediction": [0.0, 2.0], "high": [5.0, 2.0]}
    return rows.assign(**{**answers, **changes})


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (intervals(), set()),
        (intervals(low=[0.1, 1.0]), {(PAIR, "")}),
        (intervals(high=[5.0, 1.9]), {(PAIR, "")}),
        (intervals(prediction=[None, 2.0]), {(NOT_NULL, "prediction")}),
        (intervals(high=[5.0, None]), {(NOT_NULL, "high")}),
    ],
)
def test_the_ends_of_an_interval_are_on_either_side_of_its_middle(
    broken: Broken, frame: pd.DataFrame, expected: set[tuple[str, str]]
) -> None:
    suite = predictions_suite(("id",), answer_rules(Regression().answer), num_expected=2)
    assert broken(frame, suite) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, set()),
        ({"predicted_class": ["a", None]}, {(NOT_NULL, "predicted_class")}),
        ({"probability": [0.5, 1.01]}, {(BETWEEN, "probability")}),
        ({"probabilities": [{"a": 1.0}, None]}, {(NOT_NULL, "probabilities")}),
    ],
)
def test_a_class_has_its_probability(
    broken: Broken, changes: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    answers = {"predicted_class": ["a", "b"], "probabilities": [{"a": 1.0}, {"a": 0.0}]}
    frame = predictions(**{**answers, **changes})
    task = Multiclass(classes=("a", "b"))
    suite = predictions_suite(("id",), answer_rules(task.answer), num_expected=2)
    assert broken(frame, suite) == expected


def decisions(**changes: Any) -> pd.DataFrame:
    rows = {"id": [1, 2], "known_at": [NOON, END], "is_batch": [True, False]}
    return pd.DataFrame({**rows, **changes})


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (decisions(), set()),
        (decisions(id=[1, 1]), set()),
        (decisions(id=[1, 1], known_at=[END, END]), {UNIQUE}),
        (decisions(known_at=[START, END]), {(BETWEEN, "known_at")}),
        (decisions(known_at=[NOON, END + pd.Timedelta(seconds=1)]), {(BETWEEN, "known_at")}),
        (decisions(id=[1, None]), {(NOT_NULL, "id")}),
        (decisions(known_at=[END, None]), {(NOT_NULL, "known_at")}),
        (decisions(is_batch=[True, None]), {(NOT_NULL, "is_batch")}),
    ],
)
def test_a_decision_is_taken_once_and_within_its_interval(
    broken: Broken, frame: pd.DataFrame, expected: set[tuple[str, str]]
) -> None:
    assert broken(frame, decisions_suite(("id",), START, END, ())) == expected
