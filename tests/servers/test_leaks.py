"""A made-up case that knows the future in four columns, looked through by the stage `leaks`.

The clean twin of each leak stands beside it: what is not named below is right.
"""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine

from models.columns import Columns
from models.spec import ModelSpec
from models.tasks import Binary
from models.trees.settings import Trees
from pipelines.core import cases, runner
from pipelines.core import journal as ops
from pipelines.core.errors import NothingDue
from pipelines.core.registry import LEAKS, VALIDATE_TRAINING_SET
from pipelines.core.settings import Settings
from pipelines.learning.leaks import moved, rebuild
from pipelines.stores import dbt, delta
from tests.servers.contexts import held_context
from tests.servers.lakes import Lake
from tests.servers.leaky_case import CASE, DAYS, HOUR, INTERVAL, NAME, START, events, write_project

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

    from pipelines.core.outcomes import Audited


@pytest.fixture(scope="module")
def lake(
    settings: Settings,
    spark: "SparkSession",
    journal: Engine,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Lake]:
    """The case's tables, built as one range."""
    project = write_project(tmp_path_factory.mktemp("leaks") / "dbt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt, "PROJECT", project)
        made = Lake(settings, spark, journal, CASE, INTERVAL)
        made.write_bronze("events", list(events()))
        # The first and only snapshot comes when all is over.
        last = START + DAYS * 24 * HOUR - HOUR
        made.write_bronze("places", [{"place": p, "size": 3, "known_at": last} for p in "ab"])
        made.transform(INTERVAL.key)
        yield made


DAILY = ("gold.t_leaks_day_states", "num_events_ever")
LEAKING = {
    DAILY,
    ("gold.t_leaks_hour_states", "num_events_same_day"),
    ("gold.t_leaks_hour_states", "amount_sum_6h"),
    ("gold.t_leaks_decisions", "is_corrected"),
}


def test_the_instants_are_of_the_interval_and_one_is_a_midnight(lake: Lake) -> None:
    with held_context(lake.settings, lake.engine, CASE, INTERVAL, LEAKS) as context:
        chosen = rebuild.cuts(context, 5)
        assert chosen == rebuild.cuts(context, 5)
    assert len(set(chosen)) == 5
    assert all(INTERVAL.start < at < INTERVAL.end for at in chosen)
    assert [at.hour + at.minute + at.second for at in chosen].count(0) == 1
    decided = {row["known_at"].replace(microsecond=0) for row in lake.rows("gold", "decisions")}
    assert set(chosen[1:]) <= decided


def test_columns_that_take_from_the_future_are_named_and_no_other(lake: Lake) -> None:
    cut = START + 3 * 24 * HOUR + 15 * HOUR + timedelta(minutes=20)
    before = {name: delta.digest(lake.spark, name) for name in published(lake)}
    with held_context(lake.settings, lake.engine, CASE, INTERVAL, LEAKS) as context:
        found, num_rows = moved.found(context, [cut])
    # A daily state has no row since the midnight.
    assert {(each.table, each.column) for each in found} == LEAKING - {DAILY}
    assert num_rows > 150
    one = next(each for each in found if each.column == "num_events_same_day")
    assert 0 < one.num_rows <= one.num_compared
    _check_example(lake, one)
    # Nothing published moved, and nothing is left behind.
    assert {name: delta.digest(lake.spark, name) for name in published(lake)} == before
    assert not lake.spark.catalog.databaseExists(f"leaks_{NAME}_high")


def published(lake: Lake) -> list[str]:
    return [CASE.table(layer, name) for layer in ("silver", "gold") for name in CASE.tables(layer)]


def _check_example(lake: Lake, found: Any) -> None:
    """Both values by brute force, from the raw rows."""
    place = found.entity.removeprefix("place ")
    rows = {row["event_id"]: row for row in reversed(list(events())) if row["place"] == place}
    same_day = [r for r in rows.values() if r["event_at"].date() == found.at.date()]
    known = [row for row in same_day if row["known_at"] < found.cut]
    assert (int(found.published), int(found.rebuilt)) == (len(same_day), len(known))


@pytest.fixture
def trained(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A published training set of the case's model, and what the model is asked with."""
    columns = Columns(
        numeric=("amount", "hour_states__num_events_1d", "last_states__last_amount"),
        categorical=("place",),
    )
    spec = ModelSpec(columns=columns, task=Binary(), settings=Trees())
    monkeypatch.setattr(cases, "model", lambda *_: spec)
    monkeypatch.setattr(cases, "models", lambda *_: SimpleNamespace(derive=lambda table: table))
    rows = lake.spark.sql(f"""
        select
            decided.*, is_high,
            max_by(last.last_amount, last.known_at) as last_states__last_amount,
            max_by(hours.num_events_1d, hours.known_at) as hour_states__num_events_1d
        from {CASE.table("gold", "decisions")} as decided
        inner join (
            select event_id, min_by(is_high, known_at) as is_high
            from {CASE.table("gold", "labels")} group by event_id
        ) using (event_id)
        inner join {CASE.table("gold", "last_states")} as last
            on last.place = decided.place and last.known_at <= decided.known_at
        left join {CASE.table("gold", "hour_states")} as hours
            on hours.place = decided.place and hours.known_at <= decided.known_at
            and hours.known_at > decided.known_at - interval 1 hour
        group by all
    """)
    build = CASE.build_table("gold", "training_set")
    delta.save(lake.spark, rows, build, anew=True)
    with held_context(lake.settings, lake.engine, CASE, INTERVAL, VALIDATE_TRAINING_SET) as context:
        context.publish({"gold": {"training_set": context.lake.newest(build) or 0}})
    return lake


def test_the_stage_finds_all_three_kinds_once(trained: Lake) -> None:
    looked = (trained.settings, CASE, LEAKS, INTERVAL)
    found: Audited = ops.parsed(LEAKS, runner.run(*looked, {"changed": "True"})).details
    named = [(each.table, each.column) for each in found.moved]
    assert len(named) == len(set(named))
    assert {DAILY} < set(named) <= LEAKING
    assert {each.input for each in found.deciding} == {"amount", "last_states__last_amount"}
    assert [each.input for each in found.fading] == ["last_states__last_amount"]
    assert (found.num_inputs, len(found.cuts), list(found.unsaid)) == (4, 2, [])
    with pytest.raises(NothingDue, match="looked at before"):
        runner.run(*looked, {"changed": "True"})
