"""What chance makes of distances, held against SciPy and against counting."""

from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon  # type: ignore[import-untyped]
from scipy.stats import wasserstein_distance  # type: ignore[import-untyped]

from pipelines.learning.monitor.chance import (
    NUM_DRAWS,
    Draws,
    by_chance,
    dealt,
    jensen_shannon,
    wasserstein,
)

SEED = 11


def split(num_before: int, num_after: int, num_draws: int) -> Draws:
    draws = dealt(num_before, num_after)
    return Draws(draws.before[:, :num_draws], draws.after[:, :num_draws])


def test_each_draw_deals_all_rows_to_sides_of_the_same_size() -> None:
    draws = dealt(30, 5)
    assert draws.before.shape == (35, NUM_DRAWS)
    assert set(draws.before.sum(axis=0)) == {30}
    assert (draws.before + draws.after == 1).all()
    assert (draws.before == dealt(30, 5).before).all()
    places = draws.after.mean(axis=1)  # each row is in 5 of 35, give or take 3.5 deviations
    assert places == pytest.approx(np.full(35, 1 / 7), abs=0.055)


def test_the_wasserstein_distance_of_every_draw_is_that_of_scipy() -> None:
    value = np.random.default_rng(SEED).normal(size=40).round(1)  # with ties
    value[[3, 7, 30]] = np.nan
    draws = split(28, 12, 20)
    found = wasserstein(value)(draws)
    for draw in range(20):
        sides = (
            value[(side[:, draw] == 1) & ~np.isnan(value)] for side in (draws.before, draws.after)
        )
        assert found[draw] == pytest.approx(wasserstein_distance(*sides), rel=1e-5)


def test_the_jensen_shannon_distance_of_every_draw_is_that_of_scipy() -> None:
    code = np.random.default_rng(SEED).integers(0, 4, 40)
    draws = split(28, 12, 20)
    found = jensen_shannon(code)(draws)
    for draw in range(20):
        counts = [
            np.bincount(code[side[:, draw] == 1], minlength=4)
            for side in (draws.before, draws.after)
        ]
        assert found[draw] == pytest.approx(jensenshannon(*counts), rel=1e-5)


def test_a_side_without_a_value_is_at_no_distance() -> None:
    draws = Draws(np.array([[1], [0]], np.float32), np.array([[0], [1]], np.float32))
    assert wasserstein(np.array([1.0, np.nan]))(draws).tolist() == [0.0]
    assert wasserstein(np.array([np.nan, np.nan]))(draws).tolist() == [0.0]
    nobody = Draws(np.ones((2, 1), np.float32), np.zeros((2, 1), np.float32))
    assert jensen_shannon(np.array([0, 1]))(nobody).tolist() == [0.0]


def test_the_limit_of_one_column_is_the_quantile_of_all_dealings() -> None:
    """Of 5 and 5 values all 252 dealings can be counted; a draw of 499 hits their quantile."""
    value = np.random.default_rng(SEED).normal(size=10)
    every = []
    for before in combinations(range(10), 5):
        after = [place for place in range(10) if place not in before]
        every.append(wasserstein_distance(value[list(before)], value[after]))
    limit = by_chance({"x": wasserstein(value)}, dealt(5, 5), 0.2)["x"].limit
    assert np.mean(np.array(every) > limit) == pytest.approx(0.2, abs=0.06)


def test_of_many_columns_together_no_more_pass_than_of_one() -> None:
    """40 columns of 20 and 100 unchanged rows, 100 times: 1 in 20 may have one that passes."""
    passed = np.zeros(100, bool)
    single = np.zeros((100, 40), bool)
    draws, as_is = dealt(100, 20), split(100, 20, 1)
    as_is.before[:, 0], as_is.after[:, 0] = (
        np.repeat([1, 0], (100, 20)),
        np.repeat([0, 1], (100, 20)),
    )
    for time in range(100):
        values = np.random.default_rng(1000 + time).normal(size=(40, 120))
        measures = {name: wasserstein(value) for name, value in enumerate(values)}
        known = by_chance(measures, draws, 0.05)
        single[time] = [measure(as_is)[0] > known[name].limit for name, measure in measures.items()]
        passed[time] = single[time].any()
    assert passed.sum() <= 11  # 99.5 % of draws of 1 in 20
    assert passed.sum() >= 1
    assert single.mean() < 0.01


def test_nothing_to_measure_has_no_limits() -> None:
    assert by_chance({}, dealt(3, 3), 0.05) == {}
