"""Numbers of groups, and the naive forecast whose intervals are made of them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from models.columns import Columns
from models.errors import ModelRefused
from models.groups import OTHERS, Groups
from models.seasonal_naive.worker import interval

COLUMNS = Columns(categorical=("place", "line"))
TABLE = pa.table(
    {
        "place": ["X", "X", "Y", "X", "Y", None, ""],
        "line": ["a", "a", "a", "b", "a", "a", "a"],
    }
)
VALUE = np.array([1.0, 3.0, 10.0, 7.0, 20.0, 5.0, 6.0])


def learned(columns: tuple[str, ...], num_rows_min: int) -> Groups:
    return Groups.learned(TABLE, columns, lambda rows: [VALUE[rows].sum(), len(rows)], num_rows_min)


def test_each_group_has_its_own_and_small_ones_those_of_all() -> None:
    found = learned(("place", "line"), 2).of(TABLE)
    whole = [VALUE.sum(), 7]
    expected = [[4, 2], [4, 2], [30, 2], whole, [30, 2], [11, 2], [11, 2]]
    np.testing.assert_array_equal(found, expected)
    unknown = pa.table({"place": ["Z"], "line": ["a"]})
    np.testing.assert_array_equal(learned(("place", "line"), 1).of(unknown), [whole])
    np.testing.assert_array_equal(learned((), 1).of(TABLE), [whole] * 7)


def test_values_that_read_alike_together_are_two_groups() -> None:
    table = pa.table({"place": ["ab", "a"], "line": ["c", "bc"]})
    found = Groups.learned(table, ("place", "line"), lambda rows: [float(rows[0])], 1)
    np.testing.assert_array_equal(found.of(table)[:, 0], [0, 1])


def test_they_are_read_back_and_nothing_else_is(tmp_path: Path) -> None:
    path, groups = tmp_path / "groups.json", learned(("place",), 1)
    groups.write(path)
    np.testing.assert_array_equal(Groups.read(path, COLUMNS, 2).of(TABLE), groups.of(TABLE))
    with pytest.raises(ModelRefused, match="does not hold 3 numbers"):
        Groups.read(path, COLUMNS, 3)
    with pytest.raises(ModelRefused, match="does not hold 2 numbers"):
        Groups.read(path, Columns(categorical=("line",)), 2)
    for text in ("", "[]", '{"columns": [], "groups": {"": [1, NaN]}}', '{"columns": []}'):
        path.write_text(text)
        with pytest.raises(ModelRefused, match="does not hold 2 numbers"):
            Groups.read(path, COLUMNS, 2)
    assert OTHERS in groups.numbers


def test_intervals_of_the_naive_forecast_are_its_errors_quantiles_around_it() -> None:
    error = np.random.default_rng(0).normal(size=1001)
    low, middle, high = interval(error, (0.1, 0.5, 0.9))
    assert (low, high) == tuple(np.quantile(error, (0.1, 0.9)))
    assert middle == 0
    assert interval(error + 10, (0.1, 0.5, 0.9))[0] == 0
    assert interval(error - 10, (0.1, 0.5, 0.9))[2] == 0
