"""A stage reads versions of one moment, whatever is published while it reads."""

import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from pipelines.core import runner
from pipelines.core.errors import CheckFailed
from pipelines.core.outcomes import DriftDue, Outcome
from pipelines.core.registry import MATERIALIZE, VALIDATE_RAW
from pipelines.core.stage import Context
from pipelines.stores import delta
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import UseCase
from tests.servers.contexts import held_context

DAY, NEXT, LATER = (Interval.parse(f"2026-11-{day}") for day in (20, 21, 25))
CASE = UseCase(name="t_pins", description="Pins", feeds=(), silver=("a", "b"), entity_states=())


@pytest.fixture
def publish(settings, journal, spark):
    """Make a new version of both tables, all rows of one value, and publish them."""

    def run(interval: Interval, value: int) -> dict[str, int]:
        versions = {}
        with held_context(settings, journal, CASE, interval, VALIDATE_RAW) as context:
            for name in CASE.silver:
                table = CASE.build_table("silver", name)
                frame = spark.createDataFrame([(value,)], "value int")
                delta.save(spark, frame, table, anew=True)
                versions[name] = context.lake.newest(table)
            context.publish({"silver": versions})
        return versions

    yield run
    for name in CASE.silver:
        spark.sql(f"drop view if exists {CASE.table('silver', name)}")
        spark.sql(f"drop table if exists {CASE.build_table('silver', name)}")


def test_a_table_published_between_two_reads_of_one_stage_is_not_seen(
    settings, spark, publish, monkeypatch
):
    before = publish(DAY, 1)
    seen: list[int] = []

    def work(context: Context) -> Outcome[Any]:
        for name in ("a", "b", "a"):
            rows = context.spark.sql(f"select value from {context.read('silver', name)}")
            seen.append(rows.collect()[0].value)
            publish(NEXT, 1 + len(seen))
        return Outcome(details=DriftDue(reason="read"))

    module = ModuleType("stage_that_reads")
    module.run = work  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    reader = replace(MATERIALIZE, module=module.__name__, details=DriftDue)
    result = runner.run(settings, CASE, reader, DAY)
    assert seen == [1, 1, 1]
    assert result["reads"] == {CASE.table("silver", name): before[name] for name in before}
    assert spark.table(CASE.table("silver", "a")).collect()[0].value == 4  # as readers see it now


def test_what_was_never_published_or_not_that_far_is_refused(settings, journal, publish):
    publish(DAY, 1)
    with held_context(settings, journal, CASE, LATER, MATERIALIZE) as context:
        with pytest.raises(CheckFailed, match=r"gold\.t_pins_labels is not published"):
            context.read("gold", "labels")
        with pytest.raises(CheckFailed, match=r"published up to 2026-11-2\d .*, not to 2026-11-26"):
            context.read_known("silver", "a")
        assert context.reads == {}
