"""The point-in-time join on Spark says what a look at every pair does, and so does this process."""

import random
from typing import Any

import pytest

from pipelines.stores import asof, asof_spark
from tests.point_in_time import KINDS, distinct, expected, world

AT = "event_timestamp"


@pytest.mark.parametrize("kind", KINDS)
def test_spark_and_this_process_give_equal_answers(spark: Any, kind: str) -> None:
    seed = 20261126
    print(f"seed {seed}")
    states = KINDS[kind]
    rows, found = world(random.Random(seed), 600, 900)  # noqa: S311
    found = distinct(found, states)
    here = asof.joined(rows, found, states, AT)
    asked, known = spark.createDataFrame(rows), spark.createDataFrame(found)
    there = asof_spark.joined(asked, known, states, AT).toArrow()
    assert there.column_names == here.column_names
    names = list(states.features.values())
    answer = {row["n"]: tuple(row[name] for name in names) for row in there.to_pylist()}
    assert there.num_rows == rows.num_rows
    assert answer == expected(rows, found, states)
    assert answer == {row["n"]: tuple(row[name] for name in names) for row in here.to_pylist()}
