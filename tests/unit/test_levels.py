"""Answers that should add up: by the column that the check looks at, and its rule."""

import duckdb
import pyarrow as pa
import pytest
import sqlglot

from models.tasks.levels import Levels
from pipelines.data.validate.levels import OFF, level_rules, off_levels

SUMS = Levels(column="line", whole="all", by=("place", "target"))
MEANS = Levels(column="line", whole="all", by=("place", "target"), weight="planned")


def off(levels: Levels, said: list[float]) -> list[float | None]:
    """Of a, b and all at X, all alone at Y, a alone at Z; the SQL read by DuckDB."""
    answers = pa.table(
        {
            "place": ["X", "X", "X", "Y", "Z"],
            "line": ["a", "b", "all", "all", "a"],
            "target": [1] * 5,
            "decided_at": [0] * 5,
            "planned": [3.0, 1.0, 99.0, 1.0, 1.0],
            "prediction": pa.array(said, pa.float32()),
        }
    )
    (query,) = sqlglot.transpile(
        f"select *{off_levels(levels)} from answers order by place, target, line desc",
        read="spark",
        write="duckdb",
    )
    with duckdb.connect() as connection:
        connection.register("answers", answers)
        found = connection.sql(query).to_arrow_table()
    b, whole, a = found[OFF].to_pylist()[:3]
    assert (a, b) == (0, 0)
    return [whole, *found[OFF].to_pylist()[3:]]


@pytest.mark.parametrize(
    ("levels", "whole", "expected"),
    [(SUMS, 6, 0), (SUMS, 8, 0.25), (MEANS, 2.5, 0), (MEANS, 5, 0.5), (SUMS, 0.0, 6.0)],
)
def test_a_whole_is_off_by_its_share(levels: Levels, whole: float, expected: float) -> None:
    """Of 2 and 4, which weigh 3 and 1; without parts nobody can say."""
    assert off(levels, [2, 4, whole, 7, 9]) == [pytest.approx(expected), None, 0]


def test_what_does_not_say_how_it_adds_up_is_not_asked() -> None:
    assert off_levels(None) == ""
    assert level_rules(None) == []
    (rule,) = level_rules(MEANS)
    assert "'all' is the mean weighted by planned of the others'" in rule.reason
