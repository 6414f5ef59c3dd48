"""What an unproven build may keep, which views are swapped, how an old table becomes plain."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from pipelines.core.errors import CheckFailed
from pipelines.core.journal import builds, published
from pipelines.core.registry import TRANSFORM
from pipelines.core.stage import Context
from pipelines.stores import delta
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import UseCase
from tests.servers.contexts import held_context

DAY, NEXT = (Interval.parse(f"2026-11-{day}") for day in (20, 21))
CASE = UseCase(name="t_builds", description="Builds", feeds=(), silver=("a",), entity_states=())
TABLE, VIEW = CASE.build_table("silver", "a"), CASE.table("silver", "a")


@pytest.fixture
def stage(settings: Any, journal: Any, spark: Any) -> Iterator[Any]:
    """A stage's context of an interval; its table holds day and value, and starts empty."""
    with journal.begin() as connection:
        for table in (published, builds):
            connection.execute(delete(table).where(table.c.case_name == CASE.name))
    spark.sql("create schema if not exists build")
    spark.sql(f"create or replace table {TABLE} (known_date date, value int) using delta")

    def begin(interval: Interval) -> Any:
        return held_context(settings, journal, CASE, interval, TRANSFORM)

    yield begin
    spark.sql(f"drop view if exists {VIEW}")
    spark.sql(f"drop table {TABLE}")


def build(context: Context, value: int, *, noted: bool = True) -> int:
    """Replace the interval by one row of a value; the new version."""
    day = context.interval.start.date()
    context.spark.sql(
        f"insert into {TABLE} replace where known_date = date'{day}' select date'{day}', {value}"
    )
    return context.built("silver", "a") if noted else context.lake.newest(TABLE) or 0


def values(context: Context) -> list[tuple[str, int]]:
    rows = context.spark.table(TABLE).orderBy("known_date").collect()
    return [(str(row["known_date"]), row["value"]) for row in rows]


def begin_again(context: Context, *, replaces: bool) -> int:
    """Reset as a stage does; the commits that it made of it."""
    before = context.lake.newest(TABLE) or 0
    context.reset_build("silver", ("a",), replaces=replaces)
    return (context.lake.newest(TABLE) or 0) - before


def test_a_build_of_the_same_interval_stays_where_its_rows_are_replaced(stage: Any) -> None:
    with stage(DAY) as context:
        context.publish({"silver": {"a": build(context, 1)}})
        build(context, 2)
    with stage(DAY) as context:
        assert begin_again(context, replaces=True) == 0
        assert values(context) == [("2026-11-20", 2)]


def test_it_is_put_back_where_they_are_not(stage: Any) -> None:
    with stage(DAY) as context:
        context.publish({"silver": {"a": build(context, 1)}})
        build(context, 2)
    with stage(DAY) as context:
        assert begin_again(context, replaces=False) == 1
        assert values(context) == [("2026-11-20", 1)]


def test_a_build_of_another_interval_is_put_back(stage: Any) -> None:
    with stage(DAY) as context:
        context.publish({"silver": {"a": build(context, 1)}})
        build(context, 2)
    with stage(NEXT) as context:
        assert begin_again(context, replaces=True) == 1
        assert values(context) == [("2026-11-20", 1)]


def test_what_a_killed_attempt_did_not_note_is_put_back(stage: Any) -> None:
    with stage(DAY) as context:
        context.publish({"silver": {"a": build(context, 1)}})
        build(context, 2)
        build(context, 3, noted=False)
    with stage(DAY) as context:
        assert begin_again(context, replaces=True) == 1
        assert values(context) == [("2026-11-20", 1)]


def test_what_was_never_published_is_dropped_and_says_so(stage: Any) -> None:
    with stage(DAY) as context:
        build(context, 1)
    with stage(NEXT) as context:
        context.reset_build("silver", ("a",), replaces=True)
        assert context.lake.newest(TABLE) is None
        with pytest.raises(CheckFailed, match=f"transform left no {TABLE}"):
            context.built("silver", "a")
        context.spark.sql(f"create table {TABLE} (known_date date, value int) using delta")


def test_a_view_is_swapped_only_to_another_version(stage: Any, monkeypatch: Any) -> None:
    swapped, publish = [], delta.publish
    monkeypatch.setattr(delta, "publish", lambda *to: swapped.append(to[-1]) or publish(*to))
    with stage(DAY) as context:
        first = build(context, 1)
        context.publish({"silver": {"a": first}})
    with stage(DAY) as context:
        context.publish({"silver": {"a": first}})
        assert context.spark.table(VIEW).count() == 1
    with stage(NEXT) as context:
        second = build(context, 2)
        context.publish({"silver": {"a": second}})
        assert context.spark.table(VIEW).count() == 2
    assert swapped == [first, second]


def test_an_old_tables_schema_is_said_anew_and_no_row_moves(stage: Any) -> None:
    with stage(DAY) as context:
        spark, lake, name = context.spark, context.lake, CASE.build_table("silver", "old")
        frame = spark.createDataFrame([("x", ["y"])], "text string, list array<string>")
        # What comes back from Python, as all tables of an earlier version did.
        python_made = frame.mapInArrow(lambda parts: parts, frame.schema)
        python_made.write.format("delta").mode("overwrite").saveAsTable(name)
        assert not lake.is_plain(name)
        assert "collate" in (Path(lake.address(name).removeprefix("file://")) / _FIRST).read_text()
        delta.make_plain(spark, name)
        assert lake.is_plain(name)
        assert lake.newest(name) == 1
        assert lake.table(name).to_pyarrow_table().to_pylist() == [{"text": "x", "list": ["y"]}]
        spark.sql(f"drop table {name}")


@pytest.mark.parametrize("anew", [True, False])
def test_what_is_saved_from_python_is_plain(stage: Any, anew: bool) -> None:
    with stage(DAY) as context:
        spark, name = context.spark, CASE.build_table("silver", "new")
        frame = spark.createDataFrame([("x", ["y"])], "text string, list array<string>")
        delta.save(spark, frame.mapInArrow(lambda parts: parts, frame.schema), name, anew=anew)
        assert context.lake.is_plain(name)
        found = context.lake.table(name).to_pyarrow_table().to_pylist()
        assert found == [{"text": "x", "list": ["y"]}]
        spark.sql(f"drop table {name}")


_FIRST = f"_delta_log/{0:020d}.json"
