"""The point-in-time join on Spark says what a look at every pair does, and so does this process."""

import random
from typing import Any

import pyarrow as pa
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


def test_instants_without_a_zone_are_utc_to_both(spark: Any) -> None:
    """As a table has them that pandas wrote."""
    states = KINDS["created by then"]
    rows, found = world(random.Random(1), 60, 90)  # noqa: S311
    found = distinct(found, states)
    naive = pa.schema(
        [f.with_type(pa.timestamp("us")) if f.name in states.ages else f for f in found.schema]
    )
    without = (f"cast({age} as timestamp_ntz) as {age}" for age in states.ages)
    others = (name for name in found.column_names if name not in states.ages)
    known = spark.createDataFrame(found).selectExpr(*without, *others)
    assert dict(known.dtypes)["at"] == "timestamp_ntz"
    asked = spark.createDataFrame(rows)
    there = asof_spark.joined(asked, known, states, AT).toArrow().sort_by("n")
    here = asof.joined(rows, found.cast(naive), states, AT)
    assert there.column("v__text").to_pylist() == here.column("v__text").to_pylist()
    assert here.column("v__text").null_count < rows.num_rows
