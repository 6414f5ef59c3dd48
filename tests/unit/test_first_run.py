"""`millrace run` does what is missing, and only that."""

from datetime import UTC, date, datetime, timedelta

import pytest

from pipelines.first_run import dags, plan
from pipelines.use_cases import find
from pipelines.use_cases.interval import Interval

CASE = find("flight_delays")
YESTERDAY = Interval.parse("2026-11-20")
INSTALLED = date(2026, 11, 21)


def steps(known_until, since=INSTALLED):
    return [(step.dag, step.key) for step in plan(CASE, known_until, YESTERDAY, since)]


def test_from_nothing_90_days_as_one_run_and_then_yesterday():
    assert steps(None) == [
        ("load_history", "2026-08-22/2026-11-19"),
        ("build_features", "2026-11-20"),
    ]
    assert Interval.parse("2026-08-22/2026-11-19").days == 90


def test_a_second_run_does_nothing():
    assert steps(datetime(2026, 11, 21, tzinfo=UTC)) == []


def test_after_a_break_between_the_two_only_yesterday_is_missing():
    assert steps(datetime(2026, 11, 20, tzinfo=UTC)) == [("build_features", "2026-11-20")]


@pytest.mark.parametrize("nights", [1, 5])
def test_nights_since_the_installation_are_the_schedules(nights):
    until = datetime(2026, 11, 21, tzinfo=UTC) - timedelta(days=nights)
    assert steps(until, since=until.date()) == []


def test_consumers_are_unpaused_before_what_they_wait_for():
    """An event that arrives while its consumer is paused is lost."""
    order = dags(CASE)
    assert order.index("watch_drift") < order.index("predict_batch") < order.index("build_features")
    assert order.index("train_model") < order.index("load_history")
