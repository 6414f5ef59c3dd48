"""What counts of bad rows prove, held against SciPy's exact test; and the row that is judged."""

import pytest
from scipy.stats import binomtest  # type: ignore[import-untyped]

from expectations.rates import CONFIDENCE, rate_at_least
from pipelines.data.validate.raw import _intake

LIMIT = 0.02


@pytest.mark.parametrize("num_rows", [2, 10, 24, 900, 100_000])
@pytest.mark.parametrize("share", [0.001, 0.02, 0.1, 0.7])
def test_the_bound_is_that_of_clopper_and_pearson(num_rows: int, share: float) -> None:
    num_bad = max(1, min(int(num_rows * share), num_rows - 1))
    exact = binomtest(num_bad, num_rows, alternative="greater")
    expected = exact.proportion_ci(confidence_level=CONFIDENCE, method="exact").low
    assert rate_at_least(num_bad, num_rows) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("num_bad", "num_rows", "is_refused"),
    [
        (0, 0, False),
        (0, 10, False),
        (1, 10, False),
        (2, 10, True),
        (1, 3, False),
        (3, 3, True),
        (1, 1, True),
        (5, 100, False),
        (6, 100, True),
        (2_000, 100_000, False),
        (2_073, 100_000, False),
        (2_074, 100_000, True),
    ],
)
def test_few_rows_prove_little_and_many_nearly_all(
    num_bad: int, num_rows: int, is_refused: bool
) -> None:
    assert (rate_at_least(num_bad, num_rows) > LIMIT) is is_refused


def test_a_source_at_its_limit_is_refused_one_night_in_twenty_at_most() -> None:
    for num_rows in (10, 24, 100, 1_000, 20_000):
        refused = next(k for k in range(num_rows) if rate_at_least(k, num_rows) > LIMIT)
        at_limit = binomtest(refused, num_rows, LIMIT, alternative="greater").pvalue
        assert at_limit <= 1 - CONFIDENCE
        one_less = binomtest(refused - 1, num_rows, LIMIT, alternative="greater").pvalue
        assert one_less > 1 - CONFIDENCE  # no looser than it must be


@pytest.mark.parametrize("counts", [(-1, 5), (6, 5)])
def test_counts_that_can_not_be_are_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="give a part of the rows"):
        rate_at_least(*counts)


def test_the_judged_row_has_counts_rate_and_bound() -> None:
    (row,) = _intake([5, 4], [1], num_due=3).to_dict("records")
    assert row == {
        "num_kept": 9,
        "num_quarantined": 1,
        "quarantine_rate": 0.1,
        "quarantine_rate_at_least": pytest.approx(1 - 0.95**0.1),
        "num_parts_without_rows": 1,
    }
    (empty,) = _intake([], [], num_due=1).to_dict("records")
    assert (empty["quarantine_rate"], empty["quarantine_rate_at_least"]) == (0, 0)
