"""The gold tables of three days are written once; each test has an online store, marks and
publications of its own.
"""

from collections.abc import Iterator

import pytest

from pipelines.core.registry import MATERIALIZE
from pipelines.stores import delta
from tests.servers.contexts import held_context
from tests.servers.materialize.world import (
    CASE,
    DAY_1,
    DAY_2,
    DAY_3,
    HISTORY,
    SCHEMAS,
    World,
    rows_of,
    write,
)


@pytest.fixture(scope="module")
def gold(spark, settings, journal) -> Iterator[dict[str, int]]:
    """The published tables of three days, and their versions."""
    days = [rows_of(day, scale) for day, scale in ((DAY_1, 1.0), (DAY_2, 2.0), (DAY_3, 3.0))]
    with held_context(settings, journal, CASE, HISTORY, MATERIALIZE) as context:
        versions = {
            name: write(context, name, [row for day in days for row in day[name]], HISTORY)
            for name in SCHEMAS
        }
        delta.make_schema(spark, "gold")
        for name, version in versions.items():
            build, view = CASE.build_table("gold", name), CASE.table("gold", name)
            delta.publish(spark, build, view, version)
    yield versions
    for name in SCHEMAS:
        spark.sql(f"drop view if exists {CASE.table('gold', name)}")
        spark.sql(f"drop table if exists {CASE.build_table('gold', name)}")


@pytest.fixture
def world(settings, spark, journal, gold, tmp_path) -> World:
    # An online store of its own; the lake is everybody's.
    own = settings.model_copy(update={"home": tmp_path, "objects": settings.objects})
    made = World(own, spark, journal, gold)
    if settings.online_store != "sqlite":
        made.remove_online()
    return made
