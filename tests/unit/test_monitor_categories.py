"""New and vanished categories are named, and what chance brings is not."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import hypergeom  # type: ignore[import-untyped]

from models.columns import Columns
from pipelines.learning.monitor.categories import changes
from pipelines.learning.monitor.limits import sides


def named(before: Sequence[str | None], after: Sequence[str | None]) -> tuple[str, ...]:
    tables = (pa.table({"depot": pa.array(values, pa.string())}) for values in (before, after))
    return changes("depot", sides(*tables, Columns(categorical=("depot",)), 10_000))


def test_a_new_category_is_named_with_its_rows_and_share() -> None:
    usual = ["north", "south"] * 100
    assert named(usual, ["north", "south"] * 10 + ["moon"] * 5) == ("new 'moon' (5 rows, 20%)",)
    assert named(usual, ["north", "south", "moon"]) == ("new 'moon' (1 rows, 33%)",)


def test_a_vanished_category_is_named_where_chance_would_hardly_miss_it() -> None:
    usual = ["north"] * 150 + ["south"] * 50
    assert named(usual, ["north"] * 30) == ("gone 'south' (50 rows, 25%)",)
    assert named(usual, ["north"] * 8) == ()  # 0.75 to the 8th is 1 in 10


@pytest.mark.parametrize(("num_gone", "expected"), [(48, ()), (49, ("gone",))])
def test_the_chance_of_missing_it_is_the_hypergeometric(num_gone: int, expected) -> None:
    """Of 200 and 20 rows, of 2 categories: 1 in 200 each."""
    usual = ["north"] * (200 - num_gone) + ["south"] * num_gone
    chance = hypergeom(220, num_gone, 20).pmf(0)
    assert bool(chance <= 0.005) is bool(expected)
    assert tuple(note[:4] for note in named(usual, ["north"] * 20)) == expected


def test_new_names_are_usual_where_each_row_has_its_own() -> None:
    names = [f"n{place}" for place in range(200)]
    assert named(names[:150], names[150:]) == ()
    assert named(names[:150], [*names[:20], "moon"]) == ()


def test_of_many_three_are_named() -> None:
    told = named(["a", "b"] * 100, [*"ab", *"ccc", *"dd", *"e", *"f", *"g"])
    assert told == (
        "new 'c' (3 rows, 30%)",
        "new 'd' (2 rows, 20%)",
        "new 'e' (1 rows, 10%)",
        "2 more new",
    )


def test_a_column_that_came_or_went_as_a_whole_names_no_category() -> None:
    assert named([None] * 9, ["a"] * 9) == ()
    assert named(["a"] * 9, [None] * 9) == ()


def test_a_missing_value_is_no_category() -> None:
    assert named(["a"] * 90, ["a"] * 10 + [None] * 10) == ()


def test_what_only_other_weekdays_have_is_not_new() -> None:
    day = np.repeat(np.arange(14), 10)
    depot = np.where(day % 7 == 3, "sunday", "north")
    reference = pa.table({"depot": depot, "decided_day": pa.array(day, pa.int32())})
    monday = pa.table(
        {"depot": ["sunday"] * 5 + ["north"] * 5, "decided_day": pa.array([18] * 10, pa.int32())}
    )
    both = sides(reference, monday, Columns(categorical=("depot",)), 10_000)
    assert changes("depot", both) == ()
