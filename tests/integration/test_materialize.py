"""Online = offline, whatever came between (R11, R16, R17); on the real Spark and Postgres.

The gold tables of three days are written once; each test has an online store, marks and
publications of its own.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select

from pipelines import materialize
from pipelines.errors import CheckFailed, Superseded
from pipelines.settings import Settings
from pipelines.stage import Context, Outcome
from pipelines.stores import delta, feast, lease, postgres
from pipelines.use_cases.interval import Interval
from pipelines.use_cases.spec import EntityState, UseCase

pytestmark = pytest.mark.integration

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
BIGGEST_EXACT = 2**53 - 1


def definitions(*more: str) -> list[Any]:
    """The Feast objects of the tiny case, with more float columns of the pairs where asked."""
    feast.load()
    from feast import FeatureService

    from features.define import bigints, flags, floats, instants, ints, key, state_view, strings

    first, second = key("first", "the first"), key("second", "the second")
    pairs = state_view(
        "t_feast_pair_states",
        keys=[first, second],
        ttl=timedelta(minutes=PAIRS.ttl_minutes),
        description="a test",
        schema=[*floats("delay_minutes_mean_3h", *more), *ints("num_overdue")],
    )
    daily = state_view(
        "t_feast_daily_states",
        keys=[first],
        ttl=timedelta(minutes=DAILY.ttl_minutes),
        description="a test",
        schema=[
            *floats("late_rate_28d"),
            *flags("is_hub"),
            *bigints("num_flights_28d"),
            *instants("arrives_at"),
            *strings("last_origin"),
        ],
    )
    return [first, second, pairs, daily, FeatureService(name="t_feast_v1", features=[pairs, daily])]


def rows_of(day: Interval, scale: float) -> dict[str, list[tuple[Any, ...]]]:
    """One day's states: nulls, keys with commas, ages around the TTL, instants at both ends."""

    def at(hours: float) -> datetime:
        return (day.start + timedelta(hours=hours)).replace(tzinfo=None)

    pairs = [("1,12", "x", scale + hour, hour, at(hour)) for hour in range(1, 25)]
    pairs += [("1", "12,x", -scale, None, at(hour)) for hour in range(1, 24)]
    pairs += [("at ttl", "x", None, 7, at(22)), ("expired", "x", 1.5, 1, at(21.999))]
    daily = [
        ("1,12", scale / 3, None, BIGGEST_EXACT, None, "EWR", at(24)),
        ("1", None, True, None, at(30), None, at(23.991)),
        (f"only {day}", 0.25, False, 3, at(9), "LGA", at(24)),
    ]
    return {"pair_states": pairs, "daily_states": daily}


@pytest.fixture(scope="module")
def gold(spark, settings, journal) -> Iterator[dict[str, int]]:
    """The published tables of three days, and their versions."""
    days = [rows_of(day, scale) for day, scale in ((DAY_1, 1.0), (DAY_2, 2.0), (DAY_3, 3.0))]
    with lease.hold(journal, CASE.name, _attempt(journal), 60) as held:
        context = Context(settings, CASE, HISTORY, held)
        versions = {
            name: _write(context, name, [row for day in days for row in day[name]], HISTORY)
            for name in SCHEMAS
        }
        for name, version in versions.items():
            build, view = CASE.build_table("gold", name), CASE.table("gold", name)
            delta.publish(spark, build, view, version)
    yield versions
    for name in SCHEMAS:
        spark.sql(f"drop view if exists {CASE.table('gold', name)}")
        spark.sql(f"drop table if exists {CASE.build_table('gold', name)}")


def _write(context: Context, name: str, rows: list[tuple[Any, ...]], interval: Interval) -> int:
    dated = [(*row, (row[-1] - timedelta(microseconds=1)).date()) for row in rows]
    frame = context.spark.createDataFrame(
        dated, f"{SCHEMAS[name]}, known_at timestamp, known_date date"
    )
    return delta.replace_interval(context.spark, frame, CASE.build_table("gold", name), interval)


def _attempt(journal: Engine) -> int:
    row = insert(postgres.runs).values(
        case_name=CASE.name, stage="materialize", interval="-", state="running"
    )
    with journal.begin() as connection:
        return connection.execute(row.returning(postgres.runs.c.attempt)).scalar_one()


class World:
    """The tiny case with an online store of its own."""

    def __init__(self, settings: Settings, spark: Any, journal: Engine, gold: dict[str, int]):
        self.settings, self.spark, self.journal, self.gold = settings, spark, journal, gold
        with journal.begin() as connection:
            for table in (postgres.materialized, postgres.published):
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
            connection.execute(insert(postgres.published), rows)

    def bring_online(self, interval: Interval, objects: list[Any] | None = None) -> Outcome:
        with lease.hold(self.journal, CASE.name, _attempt(self.journal), 60) as held:
            context = Context(self.settings, CASE, interval, held)
            return materialize.bring_online(context, objects or definitions())

    def online(
        self, state: EntityState, entities: list[dict[str, str]], at: datetime
    ) -> list[dict[str, Any]]:
        """The values under the columns' own names."""
        view = f"t_feast_{state.name}"
        store = feast.store(self.settings, CASE.name)
        return [
            {name.removeprefix(f"{view}__"): value for name, value in row.items()}
            for row in feast.read_online(store, [view], entities, at)
        ]

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

    def marks(self) -> set[datetime]:
        table = postgres.materialized
        rows = select(table.c.until).where(table.c.case_name == CASE.name)
        with self.journal.connect() as connection:
            return set(connection.execute(rows).scalars())


def _as_of(row: dict[str, Any], keys: tuple[str, ...], oldest: datetime) -> dict[str, Any]:
    """A row as it is online: instants with their zone in whole seconds, None once expired."""
    moved = {
        name: value.replace(tzinfo=UTC, microsecond=0) if isinstance(value, datetime) else value
        for name, value in row.items()
    }
    usable = moved["known_at"] >= oldest
    return {name: value if usable or name in keys else None for name, value in moved.items()}


@pytest.fixture
def world(settings, spark, journal, gold, tmp_path) -> World:
    return World(settings.model_copy(update={"home": tmp_path}), spark, journal, gold)


PAIR = {"first": "1,12", "second": "x"}


def test_online_is_offline_for_every_entity_at_the_end_of_each_interval(world):
    """Also over a paused day: day 2 is never asked for."""
    world.published(DAY_1)
    first = world.bring_online(DAY_1)
    world.assert_online_is_offline(DAY_1.end)
    assert first.details["definitions_applied"] is True
    assert first.details["online_as_of"] == dict.fromkeys(SCHEMAS, "2026-11-17T00:00:00+00:00")
    world.published(DAY_3)
    second = world.bring_online(DAY_3)
    world.assert_online_is_offline(DAY_3.end)
    assert second.details["definitions_applied"] is False
    assert world.marks() == {DAY_3.end}


def test_keys_that_only_differ_by_where_the_comma_is_are_different_entities(world):
    world.published(DAY_1)
    world.bring_online(DAY_1)
    entities = [PAIR, {"first": "1", "second": "12,x"}, {"first": "1,1", "second": "2,x"}]
    values = [row["delay_minutes_mean_3h"] for row in world.online(PAIRS, entities, DAY_1.end)]
    assert values == [25.0, -1.0, None]


def test_an_older_interval_leaves_the_online_store_alone(world):
    world.published(HISTORY)
    world.bring_online(DAY_3)
    before = _dump(world)
    outcome = world.bring_online(DAY_1)
    assert outcome.details["left_alone"] == ["daily_states", "pair_states"]
    assert outcome.details["online_as_of"] == {}
    assert _dump(world) == before
    assert world.marks() == {DAY_3.end}


def _dump(world: World) -> list[str]:
    with closing(sqlite3.connect(feast.sqlite_path(world.settings, CASE.name))) as connection:
        return list(connection.iterdump())


def test_a_gold_table_that_is_not_published_that_far_is_refused_before_anything_is_written(world):
    world.published(DAY_2)
    with pytest.raises(CheckFailed, match=r"pair_states is published until 2026-11-18T00:00Z, so"):
        world.bring_online(DAY_3)
    assert not feast.sqlite_path(world.settings, CASE.name).exists()
    assert world.marks() == set()


def test_an_expired_state_is_unknown_on_reading_which_feast_leaves_to_us(world):
    world.published(DAY_1)
    world.bring_online(DAY_1)
    last = DAY_1.end + timedelta(minutes=PAIRS.ttl_minutes)
    (usable,) = world.online(PAIRS, [PAIR], last)
    (expired,) = world.online(PAIRS, [PAIR], last + timedelta(seconds=1))
    assert (usable["num_overdue"], usable["known_at"]) == (24, DAY_1.end)
    assert expired == PAIR | {"known_at": None, "delay_minutes_mean_3h": None, "num_overdue": None}
    store = feast.store(world.settings, CASE.name)
    by_feast = store.get_online_features(["t_feast_pair_states:num_overdue"], [PAIR]).to_dict()
    assert by_feast["num_overdue"] == [24]  # years later, too: see `read_online`


def test_r17_feast_itself_can_not_put_an_older_state_over_a_newer_one(world):
    world.published(HISTORY)
    world.bring_online(DAY_3)
    before = world.online(PAIRS, [PAIR], DAY_3.end)
    store = feast.store(world.settings, CASE.name)
    feast.materialize(store, "t_feast_pair_states", DAY_1.start, DAY_1.end)
    assert world.online(PAIRS, [PAIR], DAY_3.end) == before


def test_a_removed_online_store_is_filled_as_of_the_mark(world):
    world.published(HISTORY)
    world.bring_online(DAY_3)
    for file in feast.sqlite_path(world.settings, CASE.name).parent.iterdir():
        file.unlink()
    world.bring_online(DAY_1)
    world.assert_online_is_offline(DAY_3.end)
    assert world.marks() == {DAY_3.end}


def test_r16_an_attempt_that_died_between_two_views_is_taken_up_again(world, monkeypatch):
    """It also left its view marked as being written, which must not shut readers out."""
    from feast.feature_view import FeatureViewState

    world.published(DAY_1)
    whole = feast.materialize

    def die_at_the_second(store: Any, view: str, start: datetime, end: datetime) -> None:
        if view == "t_feast_daily_states":
            left = store.get_feature_view(view)
            left.state = FeatureViewState.MATERIALIZING
            store.registry.apply_feature_view(left, CASE.name, commit=True)
            raise KeyboardInterrupt
        whole(store, view, start, end)

    monkeypatch.setattr(feast, "materialize", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        world.bring_online(DAY_1)
    assert world.online(DAILY, [{"first": "1"}], DAY_1.end)[0]["is_hub"] is None
    monkeypatch.undo()
    again = world.bring_online(DAY_1)
    assert set(again.details["online_as_of"]) == set(SCHEMAS)
    world.assert_online_is_offline(DAY_1.end)


def test_r11_an_attempt_that_was_replaced_writes_nothing_online(world):
    world.published(HISTORY)
    world.bring_online(DAY_1)
    before = _dump(world)
    with lease.hold(world.journal, CASE.name, _attempt(world.journal), 60) as stalled:
        newer = postgres.insert_or_update(
            postgres.fences, case_name=CASE.name, attempt=_attempt(world.journal)
        )
        with world.journal.begin() as connection:
            connection.execute(newer)
        context = Context(world.settings, CASE, DAY_2, stalled)
        with pytest.raises(Superseded):
            materialize.bring_online(context, definitions())
    assert _dump(world) == before
    assert world.marks() == {DAY_1.end}
