"""A made-up case that knows the future in four columns, looked through by the stage `leaks`.

The clean twin of each leak stands beside it: what is not named below is right.
"""

import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
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
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import Column, EntityState, Feed, UseCase
from tests.servers.contexts import held_context
from tests.servers.lakes import Lake, Row

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

    from pipelines.core.outcomes import Audited

NAME, SEED = "t_leaks", 20260310
START, DAYS = datetime(2026, 3, 10, tzinfo=UTC), 6
INTERVAL = Interval.parse("2026-03-10/2026-03-15")
HOUR, DAY_MINUTES = timedelta(hours=1), 24 * 60

EVENTS = Feed(
    name="events",
    description="What happened at a place, and again when it was corrected",
    format="csv",
    columns=(
        Column("event_id", "string", "which"),
        Column("place", "string", "where"),
        Column("amount", "double", "how much"),
        Column("event_at", "timestamp", "when it happened"),
        Column("known_at", "timestamp", "when it was told"),
    ),
    key=("event_id",),
)
PLACES = Feed(
    name="places",
    description="Where things happen, told once a month",
    format="csv",
    kind="snapshot",
    columns=(
        Column("place", "string", "which"),
        Column("size", "int", "how large"),
        Column("known_at", "timestamp", "when it was told"),
    ),
    key=("place",),
)
CASE = UseCase(
    name=NAME,
    description="Made up",
    feeds=(EVENTS, PLACES),
    silver=("events", "places"),
    entity_states=(
        EntityState(name="hour_states", keys=("place",), step_minutes=60, ttl_minutes=120),
        EntityState(name="day_states", keys=("place",), step_minutes=1440, ttl_minutes=2880),
        EntityState(name="last_states", keys=("place",), step_minutes=None, ttl_minutes=5000),
    ),
    gold=("decisions", "labels"),
    models=(
        Model(
            name="high",
            task="binary",
            family="trees",
            row_key=("event_id",),
            label="is_high",
            look_back_days=6,
            validation_days=1,
            evaluation_days=1,
        ),
    ),
)
SQL = {
    "silver/t_leaks_events": (
        "",
        """
        select event_id, place, amount, event_at, known_at, ingested_at, known_date
        from ({{ deduplicated(source('bronze', 't_leaks_events'), key='event_id') }})
        """,
        "event_id string, place string, amount double, event_at timestamp",
    ),
    "silver/t_leaks_places": (
        "{{ config(meta={'snapshot': true}) }}",
        """
        select place, size, known_at, ingested_at, known_date
        from ({{ newest_snapshot(source('bronze', 't_leaks_places'), key='place') }})
        """,
        "place string, size int",
    ),
    # Right: what was known then. Wrong: all of the instant's day; corrections that came later.
    "gold/t_leaks_hour_states": (
        "{{ config(meta={'step_minutes': 60}) }}",
        """
        with known as ({{ versions('t_leaks_events', key='event_id', days=1) }}),
        stretches as (select *, known_at as from_at, valid_until as to_at from known),
        states as (
            select place, instant, count(*) as num_events_1d, avg(amount) as amount_mean_1d
            from ({{ at_instants('stretches') }}) group by place, instant
        ),
        newest as (
            select
                event_id, place, max_by(amount, known_at) as amount,
                min(event_at) as event_at, min(known_at) as known_at
            from {{ ref('t_leaks_events') }} group by event_id, place
        ),
        leaking as (
            select
                states.place, instant,
                count_if(to_date(newest.event_at) = to_date(instant)) as num_events_same_day,
                round(sum(newest.amount) filter (
                    where newest.known_at < instant
                    and newest.known_at >= instant - interval 6 hours
                ), 6) as amount_sum_6h
            from states inner join newest using (place)
            group by states.place, instant
        )
        select
            place, instant as known_at, num_events_1d, amount_mean_1d, num_events_same_day,
            amount_sum_6h, size, {{ date_of_instant('instant') }} as known_date
        from states inner join leaking using (place, instant)
        inner join {{ ref('t_leaks_places') }} as places using (place)
        """,
        "place string, num_events_1d bigint, amount_mean_1d double, num_events_same_day bigint, "
        "amount_sum_6h double, size int",
    ),
    # Wrong: no instant at all.
    "gold/t_leaks_day_states": (
        "{{ config(meta={'step_minutes': 1440}) }}",
        """
        with known as ({{ versions('t_leaks_events', key='event_id', days=1) }}),
        stretches as (select *, known_at as from_at, valid_until as to_at from known),
        ever as (
            select place, count(*) as num_events_ever
            from {{ ref('t_leaks_events') }} group by place
        ),
        days as (
            select place, instant, count(*) as num_events_1d
            from ({{ at_instants('stretches') }}) group by place, instant
        )
        select
            place, instant as known_at, num_events_1d, num_events_ever,
            {{ date_of_instant('instant') }} as known_date
        from days inner join ever using (place)
        """,
        "place string, num_events_1d bigint, num_events_ever bigint",
    ),
    "gold/t_leaks_last_states": (
        "",
        """
        select
            place, known_at, max_by(amount, event_id) as last_amount,
            max(known_date) as known_date
        from {{ ref('t_leaks_events') }} where {{ known_in_interval() }}
        group by place, known_at
        """,
        "place string, last_amount double",
    ),
    "gold/t_leaks_decisions": (
        "{{ config(meta={'instants': true}) }}",
        """
        with decided as (
            select
                event_id, place, min_by(amount, known_at) as amount,
                min(known_at) + interval 1 second as decided_at, count(*) > 1 as is_corrected
            from {{ ref('t_leaks_events') }} where {{ known_by_end(3) }}
            group by event_id, place
        )
        select
            event_id, decided_at as known_at, true as is_batch, place, amount, is_corrected,
            {{ date_of_instant('decided_at') }} as known_date
        from decided
        where decided_at > {{ instant(interval_start()) }}
            and decided_at <= {{ instant(interval_end()) }}
        """,
        "event_id string, is_batch boolean, place string, amount double, is_corrected boolean",
    ),
    "gold/t_leaks_labels": (
        "",
        """
        select event_id, amount > 50 as is_high, known_at, known_date
        from {{ ref('t_leaks_events') }} where {{ known_in_interval() }}
        """,
        "event_id string, is_high boolean",
    ),
}


def write_project(folder: Path) -> Path:
    """The dbt project with this case alone."""
    parts = shutil.ignore_patterns("target", "logs", "models")
    shutil.copytree(dbt.PROJECT, folder, ignore=parts)
    for place, (config, sql, columns) in SQL.items():
        file = folder / "models" / NAME / f"{place}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{config}\n{sql}")
        facts = ", ingested_at timestamp" if place.startswith("silver") else ""
        typed = f"{columns}, known_at timestamp{facts}, known_date date".split(", ")
        named = (dict(zip(("name", "data_type"), each.split(), strict=True)) for each in typed)
        said = [{**each, "description": each["name"]} for each in named]
        file.with_suffix(".yml").write_text(
            yaml.safe_dump({"models": [{"name": file.stem, "description": "-", "columns": said}]})
        )
    tables = [{"name": f"{NAME}_{feed.name}"} for feed in CASE.feeds]
    source = {"name": "bronze", "schema": "bronze", "tables": tables}
    (folder / "models" / NAME / "sources.yml").write_text(yaml.safe_dump({"sources": [source]}))
    return folder


def events() -> Iterator[Row]:
    """Of two places, at any minute; a quarter is corrected, hours to a day later."""
    print(f"seed {SEED}")
    dice = random.Random(SEED)  # noqa: S311
    for number in range(DAYS * 100):
        at = START + dice.randrange(DAYS * DAY_MINUTES) * timedelta(minutes=1)
        row = {"event_id": f"e{number}", "place": dice.choice("ab"), "event_at": at}
        yield row | {"amount": dice.uniform(0, 100), "known_at": at + timedelta(seconds=30)}
        later = at + dice.choice((3, 20)) * HOUR + timedelta(seconds=30)
        if dice.random() < 0.25 and later < START + DAYS * 24 * HOUR:
            yield row | {"amount": dice.uniform(0, 100), "known_at": later}


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
