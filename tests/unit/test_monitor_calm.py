"""Small calm tables hardly ever drift, and what truly moved is found: `drift` in small."""

import pytest

from benchmarks.drift import rates
from benchmarks.watched.tables import Kind
from benchmarks.watched.verdicts import verdict
from pipelines.use_cases.spec.model import Watch

SUNDAY = 0  # a seed of which the last day is one
DAY, WEEK = Watch(), Watch(window_days=7)


@pytest.mark.parametrize("kind", [Kind(), Kind(rhythm=1.0)], ids=["plain", "weekly rhythm"])
def test_of_calm_days_of_24_rows_at_most_1_in_20_drifts(kind: Kind) -> None:
    """By the limit alone, whatever the number of rows, about half of them would."""
    found = rates([verdict(kind, DAY, seed) for seed in range(40)])
    assert found["drifted"] <= 1 / 20
    assert found["any_column"] <= 4 / 40  # 95 % of draws of 1 in 20
    assert found["before"] >= 0.3


def test_the_answer_of_a_calm_day_does_not_drift_by_the_weekday() -> None:
    """Against all days of the reference every Sunday would."""
    kind = Kind(rhythm=2.0, num_rows_a_day=100)
    sundays = [verdict(kind, DAY, 7 * seed + SUNDAY) for seed in range(10)]
    found = rates(sundays)
    assert (found["drifted"], found["before"]) == (0.0, 1.0)


def test_a_weekday_that_the_reference_lacks_does_not_drift_by_that() -> None:
    """Six days without a Sunday, which lies a deviation away: of such about 1 in 10 drifts."""
    kind = Kind(rhythm=1.0, num_rows_a_day=100, reference_days=6)
    found = rates([verdict(kind, DAY, 7 * seed + SUNDAY) for seed in range(10)])
    assert (found["drifted"] <= 0.2, found["before"]) == (True, 1.0)


def test_a_large_shift_of_a_small_table_is_found() -> None:
    moved = rates([verdict(Kind(shift=2.0), DAY, seed) for seed in range(10)])
    assert moved["moved"] >= 0.9
    weeks = rates([verdict(Kind(shift=1.0), WEEK, seed) for seed in range(10)])
    assert weeks["moved"] >= 0.9


def test_a_new_category_of_a_small_table_is_named() -> None:
    found = rates([verdict(Kind(new_share=0.3), DAY, seed) for seed in range(10)])
    assert found["named"] == 1.0
    calm = rates([verdict(Kind(), DAY, seed) for seed in range(10)])
    assert calm["named"] == 0.0
