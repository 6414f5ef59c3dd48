"""Feast's own SDK over the published tables: what it joins, which version, and where."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from pipelines.core.errors import CheckFailed, ServiceUnavailable, UsageError
from pipelines.stores import feast, feast_jobs
from tests.servers.materialize.world import CASE, DAY_1, DAY_3, HISTORY, definitions

NAMES = [
    *(f"t_feast_pair_states:{name}" for name in ("delay_minutes_mean_3h", "num_overdue")),
    *(f"t_feast_daily_states:{name}" for name in ("late_rate_28d", "is_hub", "num_flights_28d")),
]


def rows(hours: float) -> pd.DataFrame:
    """The tiny case's entities, and one that nobody knows, so many hours into the first day."""
    keys = [("1,12", "x"), ("1", "12,x"), ("at ttl", "x"), ("expired", "x"), ("1,1", "2,x")]
    at = DAY_1.start + timedelta(hours=hours)
    return pd.DataFrame(keys, columns=["first", "second"]).assign(event_timestamp=at)


@pytest.fixture
def store(world: Any) -> Any:
    world.published(HISTORY)
    world.bring_online(DAY_3)
    return feast.store(world.settings, CASE.name)


def ask(store: Any, asked: Any) -> list[tuple[Any, ...]]:
    answer = store.get_historical_features(asked, NAMES).to_arrow().to_pylist()
    names = ["first", *(name.partition(":")[2] for name in NAMES)]
    return sorted(tuple(row[name] for name in names) for row in answer)


def test_the_sdk_joins_what_was_known_and_keeps_every_row(store: Any) -> None:
    """Keys that read alike when written together are two entities; an end of the TTL counts."""
    assert ask(store, rows(24)) == [
        ("1", -1.0, None, None, True, None),
        ("1,1", None, None, None, None, None),
        ("1,12", 25.0, 24, 1 / 3, None, 2**63 - 1),
        ("at ttl", None, 7, None, None, None),
        ("expired", None, None, None, None, None),
    ]


@pytest.mark.parametrize("hours", [5.5, 24, 60])
def test_above_its_size_spark_joins_the_same(store: Any, spark: Any, hours: float) -> None:
    here = ask(store, rows(hours))
    store.config.offline_store.cells_in_process = 0
    assert ask(store, rows(hours)) == here
    assert ask(store, spark.createDataFrame(rows(hours))) == here


def test_where_no_session_is_open_what_to_do_is_said(store: Any, monkeypatch: Any) -> None:
    from pyspark.sql.connect.session import SparkSession

    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    store.config.offline_store.cells_in_process = 0
    with pytest.raises(ServiceUnavailable, match=r"open one first .* or raise the offline store's"):
        ask(store, rows(24))


def test_a_pinned_version_is_read_whatever_is_published(store: Any, world: Any) -> None:
    pinned = {CASE.table("gold", name): 0 for name in world.gold}  # as the tables were made: empty
    empty = feast.store(world.settings, CASE.name, pinned=pinned)
    assert all(
        values == (None,) * 5 for _, *values in ask(empty, rows(24)) for values in [tuple(values)]
    )


def test_what_is_not_published_is_said(world: Any) -> None:
    world.published(HISTORY)
    world.bring_online(DAY_3)
    source = definitions()[2].batch_source
    store = feast.store(world.settings, CASE.name)
    source.name = "gold.t_feast_nothing"
    with pytest.raises(CheckFailed, match=r"gold\.t_feast_nothing is not published"):
        feast_jobs.schema(store.config, source)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("select 1", "pass the rows to join features to"),
        (
            rows(24)
            .assign(other=pd.Timestamp("2026-11-16", tz="UTC"))
            .rename(columns={"event_timestamp": "at"}),
            "name the column of instants event_timestamp",
        ),
    ],
    ids=["SQL", "two instants"],
)
def test_rows_that_can_not_be_joined_to_are_refused(store: Any, asked: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        store.get_historical_features(asked, NAMES)


def test_the_only_column_of_instants_needs_no_name(store: Any) -> None:
    named = rows(24).rename(columns={"event_timestamp": "at"})
    assert ask(store, named) == ask(store, rows(24))
