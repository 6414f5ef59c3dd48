"""A tiny case with two entity states over three days, its tables offline and online."""

import sqlite3
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select

from pipelines.core.journal import materialized, published
from pipelines.core.outcomes import Materialized, Outcome
from pipelines.core.registry import MATERIALIZE
from pipelines.core.settings import Settings
from pipelines.core.stage import Context
from pipelines.data import materialize
from pipelines.stores import dbt_project, delta, feast
from pipelines.stores.online import Reader, views_of
from pipelines.stores.online_redis import client
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import EntityState, UseCase
from tests.servers.contexts import held_context

PAIRS = EntityState(name="pair_states", keys=("first", "second"), step_minutes=60, ttl_minutes=120)
DAILY = EntityState(name="daily_states", keys=("first",), step_minutes=1440, ttl_minutes=2880)
CASE = UseCase(
    name="t_feast", description="a test", feeds=(), silver=(), entity_states=(PAIRS, DAILY)
)
SCHEMAS = {
    "pair_states": "first string, second string, delay_minutes_mean_3h double, num_overdue int",
    "daily_states": "first string, late_rate_28d double, is_hub boolean, num_flights_28d bigint,"
    " arrives_at timestamp, last_origin string",
}
DAY_1, DAY_2, DAY_3 = (Interval.parse(f"2026-11-{day}") for day in (16, 17, 18))
HISTORY = Interval.parse("2026-11-16/2026-11-18")
BIGGEST = 2**63 - 1


def definitions(*more: str) -> list[Any]:
    """The Feast objects of the tiny case, with more float columns of the pairs where asked."""
    feast.load()
    from feast import FeatureService

    from pipelines.stores import feast_views

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt_project, "described", lambda *named: _described(*named, more))
        views = feast_views.views(CASE)
    service = FeatureService(name="t_feast_v1", features=views)
    return [*feast_views.entities(views), *views, service]


def _described(case: str, layer: str, table: str, more: tuple[str, ...]) -> dict[str, Any]:
    """What the dbt YAML of a table would say; there is none of the tiny case."""
    columns = [column.split() for column in SCHEMAS[table].split(", ")]
    if table == PAIRS.name:
        columns += [[name, "double"] for name in more]
    return {
        "name": f"{case}_{table}",
        "description": "a test",
        "columns": [{"name": name, "data_type": kind, "description": ""} for name, kind in columns],
    }


def rows_of(day: Interval, scale: float) -> dict[str, list[tuple[Any, ...]]]:
    """One day's states: nulls, keys with commas, ages around the TTL, instants at both ends."""

    def at(hours: float) -> datetime:
        return (day.start + timedelta(hours=hours)).replace(tzinfo=None)

    pairs = [("1,12", "x", scale + hour, hour, at(hour)) for hour in range(1, 25)]
    pairs += [("1", "12,x", -scale, None, at(hour)) for hour in range(1, 24)]
    pairs += [("at ttl", "x", None, 7, at(22)), ("expired", "x", 1.5, 1, at(21.999))]
    daily = [
        ("1,12", scale / 3, None, BIGGEST, None, "EWR", at(24)),
        ("1", None, True, None, at(30), None, at(23.991)),
        (f"only {day}", 0.25, False, 3, at(9), "LGA", at(24)),
    ]
    return {"pair_states": pairs, "daily_states": daily}


def write(context: Context, name: str, rows: list[tuple[Any, ...]], interval: Interval) -> int:
    dated = [(*row, (row[-1] - timedelta(microseconds=1)).date()) for row in rows]
    frame = context.spark.createDataFrame(
        dated, f"{SCHEMAS[name]}, known_at timestamp, known_date date"
    )
    build = CASE.build_table("gold", name)
    delta.replace_interval(context.spark, frame, build, interval)
    return context.lake.newest(build) or 0


class World:
    """The tiny case with an online store of its own."""

    def __init__(self, settings: Settings, spark: Any, journal: Engine, gold: dict[str, int]):
        self.settings, self.spark, self.journal, self.gold = settings, spark, journal, gold
        with journal.begin() as connection:
            for table in (materialized, published):
                connection.execute(delete(table).where(table.c.case_name == CASE.name))

    def published(self, interval: Interval, names: tuple[str, ...] = tuple(SCHEMAS)) -> None:
        """A row of `ops.published` for each table; the views show all three days in any case."""
        rows = [
            {
                "case_name": CASE.name,
                "table_name": CASE.table("gold", name),
                "interval": interval.key,
                "until": interval.end,
                "version": self.gold[name],
                "rows": 0,
                "attempt": 0,
            }
            for name in names
        ]
        with self.journal.begin() as connection:
            connection.execute(insert(published), rows)

    def rebuild(self, name: str, rows: list[tuple[Any, ...]], interval: Interval) -> None:
        """Another version of one table, published; the views show what they showed."""
        with self.context(interval) as context:
            self.gold = {**self.gold, name: write(context, name, rows, interval)}
        self.published(interval, (name,))

    def context(self, interval: Interval) -> AbstractContextManager[Context]:
        return held_context(self.settings, self.journal, CASE, interval, MATERIALIZE)

    def bring_online(
        self, interval: Interval, objects: list[Any] | None = None
    ) -> Outcome[Materialized]:
        with self.context(interval) as context:
            return materialize.bring_online(context, objects or definitions())

    def online(
        self, state: EntityState, entities: list[dict[str, str]], at: datetime
    ) -> list[dict[str, Any]]:
        """The keys, and the values under the columns' own names."""
        view = f"t_feast_{state.name}"
        store = feast.store(self.settings, CASE.name)
        asked = [each for each in views_of(store, "t_feast_v1") if each.name == view]
        columns = {key: [entity[key] for entity in entities] for key in state.keys}
        with Reader(feast.online_rows(self.settings, CASE.name), asked) as reader:
            answer = {**columns, **reader.read(columns, at)}
        names = [name.removeprefix(f"{view}__") for name in answer]
        return [dict(zip(names, row, strict=True)) for row in zip(*answer.values(), strict=True)]

    def offline(self, state: EntityState, at: datetime) -> list[dict[str, Any]]:
        """What the published table says of each entity known by `at`, by plain SQL."""
        keys = ", ".join(state.keys)
        rows = self.spark.sql(f"""
            select * except (known_date, latest) from (
                select *, row_number() over (partition by {keys} order by known_at desc) as latest
                from {CASE.table("gold", state.name)}
                where known_at <= timestamp'{at:%Y-%m-%d %H:%M:%S}Z'
            ) where latest = 1""").collect()
        oldest = at - timedelta(minutes=state.ttl_minutes)
        return [_as_of(row.asDict(), state.keys, oldest) for row in rows]

    def assert_online_is_offline(self, at: datetime) -> None:
        for state in CASE.entity_states:
            expected = self.offline(state, at)
            entities = [{key: row[key] for key in state.keys} for row in expected]
            assert entities
            assert self.online(state, entities, at) == expected

    def dump(self) -> list[Any]:
        """All that is online, whatever the store; empty: there is none."""
        if self.settings.online_store == "sqlite":
            path = feast.sqlite_path(self.settings, CASE.name)
            if not path.exists():
                return []
            with closing(sqlite3.connect(path)) as connection:
                return list(connection.iterdump())
        with client(self.settings.redis_connection()) as redis:
            keys = sorted(redis.keys())
            return [(key, redis.hgetall(key)) for key in keys if redis.type(key) == b"hash"]

    def remove_online(self) -> None:
        """As a lost disk would."""
        if self.settings.online_store == "sqlite":
            for file in feast.sqlite_path(self.settings, CASE.name).parent.iterdir():
                file.unlink()
        else:
            with client(self.settings.redis_connection()) as redis:
                redis.flushdb()

    def age_online(self) -> None:
        """As an earlier version would have left it: of no known format."""
        if self.settings.online_store == "sqlite":
            with closing(sqlite3.connect(feast.sqlite_path(self.settings, CASE.name))) as file:
                file.execute("pragma user_version = 0")
        else:
            with client(self.settings.redis_connection()) as redis:
                redis.set(f"millrace:{CASE.name}:prepared", 1)

    def marks(self) -> set[datetime]:
        table = materialized
        rows = select(table.c.until).where(table.c.case_name == CASE.name)
        with self.journal.connect() as connection:
            return set(connection.execute(rows).scalars())


def _as_of(row: dict[str, Any], keys: tuple[str, ...], oldest: datetime) -> dict[str, Any]:
    """A row as it is online: instants with their zone, None once expired."""
    moved = {
        name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
        for name, value in row.items()
    }
    usable = moved["known_at"] >= oldest
    return {name: value if usable or name in keys else None for name, value in moved.items()}
