"""Limits from most of a sample: outliers move none, later days keep them, the gate bears them."""

import numpy as np
import pytest

from pipelines.scaffold.inputs import QUARANTINE_RATE_MAX, inputs
from pipelines.scaffold.limits import Limits, affordable, limits, widest
from tests.made_profiles import profile

SEED = 3
ROWS = 900


@pytest.fixture
def dice() -> np.random.Generator:
    print(f"seed {SEED}")
    return np.random.default_rng(SEED)


def drawn(dice: np.random.Generator, kind: str, rows: int) -> np.ndarray:
    made = {
        "normal": lambda: dice.normal(20, 5, rows),
        "below zero": lambda: dice.normal(-3, 1, rows),
        "uniform": lambda: dice.uniform(0, 100, rows),
        "a count": lambda: dice.poisson(3, rows).astype(float),
        "exponential": lambda: dice.exponential(10, rows),
        "long tail": lambda: dice.lognormal(3, 1.5, rows),
        "longest tail": lambda: dice.pareto(1.5, rows) + 1,
        "mostly zero": lambda: np.where(dice.random(rows) < 0.8, 0, dice.lognormal(3, 1, rows)),
        "a flag": lambda: (dice.random(rows) < 0.1).astype(float),
        "a rare count": lambda: (dice.random(rows) < 0.04) * dice.geometric(0.5, rows) * 1.0,
        "nearly full": lambda: np.where(dice.random(rows) < 0.8, 10, dice.uniform(0, 10, rows)),
    }
    return made[kind]()


KINDS = ("normal", "below zero", "uniform", "a count", "exponential", "long tail", "longest tail")
KINDS += ("mostly zero", "a flag", "a rare count", "nearly full")


@pytest.mark.parametrize("kind", KINDS)
def test_ten_times_as_many_later_rows_keep_the_limits(dice, kind):
    found = limits(drawn(dice, kind, ROWS))
    assert found.are_any
    later = drawn(dice, kind, 10 * ROWS)
    assert found.outside(later).mean() < 0.001, (found, later.min(), later.max())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outlier", [-1e9, 1e9, 1e300])
def test_one_outlier_is_outside_and_leaves_the_other_end_alone(dice, kind, outlier):
    plain = drawn(dice, kind, ROWS)
    spoilt = np.append(plain, outlier)
    before, after = limits(plain), limits(dice.permutation(spoilt))
    assert after.outside(np.array([outlier])).all(), after
    assert after.high == pytest.approx(before.high, rel=0.3)
    # Where something was below zero, zero is no limit any more.
    assert after.low == before.low or outlier < 0


@pytest.mark.parametrize("kind", ["uniform", "a count", "exponential", "long tail"])
def test_what_is_never_below_zero_stays_so_only_where_that_is_plain(dice, kind):
    values = drawn(dice, kind, ROWS)
    assert limits(values).low == 0
    assert limits(values - np.median(values)).low != 0
    # Degrees of a summer say nothing of the winter.
    assert limits(dice.normal(22, 2, ROWS)).low < 10


def test_what_goes_up_has_no_upper_limit_and_what_goes_down_no_lower_one(dice):
    steps = np.arange(ROWS, dtype=float)
    for rising in (steps, 1e9 + 60 * steps, np.cumsum(dice.poisson(2, ROWS)) * 1.0, steps**0.5):
        assert limits(rising).high is None
        assert limits(rising).low is not None
        assert limits(-rising).low is None
        assert limits(dice.permutation(rising)).high is not None
    noisy = limits(steps + dice.normal(0, 200, ROWS))
    assert noisy.high is None
    assert noisy.because.endswith(", rising with time")
    # Zeros that are alike have no order in time.
    assert limits(np.append(np.zeros(800), np.arange(100.0))[dice.permutation(ROWS)]).high


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([1.0, 2.0] * 14, "28 values say too little; from 30 on"),
        ([7.0] * 900, "always the same value"),
        ([0.0] * 897 + [1.0] * 3, "nearly always the same value"),
        ([0.0] * 1826 + [1.0] * 14 + [2, 2, 2, 3, 3, 4, 5], "nearly always the same value"),
        ([*np.linspace(0, 1, 800), *np.linspace(1e6, 2e6, 100)], "100 values are far from the"),
        ([np.nan] * 900, "0 values say too little"),
    ],
)
def test_where_the_values_say_too_little_there_are_no_limits(values, why):
    found = limits(np.array(values))
    assert not found.are_any
    assert found.because.startswith(why)


def test_gaps_say_nothing_of_the_limits(dice):
    values = drawn(dice, "normal", ROWS)
    gaps = np.insert(values, np.arange(0, ROWS, 3), np.nan)
    assert limits(gaps) == limits(values)
    assert not limits(values).outside(np.array([np.nan, 20.0])).any()


def test_limits_that_break_more_of_the_sample_than_the_gate_bears_are_not_proposed():
    values = np.arange(1000.0)
    strict, mild = Limits(high=990, because="x"), Limits(low=4, because="y")
    found = {"strict": (strict, values), "mild": (mild, values)}
    assert affordable(found, 1000, 0.02) == {"strict": strict, "mild": mild}
    kept = affordable(found, 1000, 0.01)
    assert kept["mild"] == mild
    assert kept["strict"] == Limits(because="9 of 1000 rows would break them")
    assert not any(each.are_any for each in affordable(found, 1000, 0.001).values())


def test_all_limits_of_a_sample_together_break_less_than_the_gate_bears(dice):
    """Forty columns, each with a few outliers of its own rows: too many rows in all."""
    profiles = []
    for number in range(40):
        values = dice.normal(20, 5, ROWS)
        values[number * 20 : number * 20 + 3] = 1e6
        profiles.append(profile(f"c{number}", [f"{value}" for value in values]))
    names = {each.source: each.source for each in profiles}
    found = inputs(profiles, names, (), range(ROWS))
    broken = [each.limits.outside(p.values) for each, p in zip(found, profiles, strict=True)]
    assert 0 < np.any(broken, axis=0).sum() <= ROWS * QUARANTINE_RATE_MAX / 2
    assert sum(not each.limits.are_any for each in found) > 30


def test_a_column_must_have_a_value_only_after_enough_rows_that_all_have_one():
    def always(rows: int, gaps: int) -> str:
        (found,) = inputs(
            [profile("x", [*["a"] * rows, *[""] * gaps])], {"x": "x"}, (), range(rows)
        )
        return found.always

    # By the rule of three 300 rows say "at most 1 in 100", half of what the gate bears.
    assert always(300, 0) == "none of 300 rows lacks one, so hardly 1.00% of all do"
    assert always(299, 0) == always(10_000, 1) == ""


def test_a_name_that_promises_a_share_or_a_count_has_its_limits():
    texts = [f"{number / 100}" for number in range(100)]
    found = inputs(
        [profile("r", texts), profile("n", texts)], {"r": "tax_rate", "n": "num_x"}, (), []
    )
    assert [(each.limits.low, each.limits.high) for each in found] == [(0, 1), (0, 1e9)]


def test_what_must_have_limits_has_them_from_numbers_that_measure_something():
    found = widest(np.array([*range(40), 1e308, -1e308, np.nan]))
    assert (found.low, found.high) == (-39.0, 78.0)
