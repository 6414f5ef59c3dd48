"""Feast's own SDK and command over tables of a lake: no servers, no journal, the newest version."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import yaml
from deltalake import write_deltalake

from pipelines.core.errors import UsageError
from pipelines.stores import feast

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
# By how many hours after noon: the tail's delay as of then.
DELAYS = [("a", -30, 1), ("a", -1, 2), ("a", 0, 3), ("b", -2, 4), ("b", 1, 5), (None, 0, 6)]
PAIRS = [("a", "EWR", -3, 7), ("a", "LGA", -2, 8), ("c", "JFK", 0, 9)]
NAMES = ["delays:delay", "pairs:num_flights"]


def lake(root: Path) -> None:
    """Two tables, one of which calls its instants otherwise than its view, and has no zone."""
    delays = [
        {"tail": tail, "delay": delay, "known": (NOON + hours * HOUR).replace(tzinfo=None)}
        for tail, hours, delay in DELAYS
    ]
    pairs = [
        {"tail": tail, "airport": airport, "num_flights": number, "known_at": NOON + hours * HOUR}
        for tail, airport, hours, number in PAIRS
    ]
    for name, rows in (("delays", delays), ("pairs", pairs)):
        write_deltalake(str(root / "gold.db" / name), pa.Table.from_pylist(rows))


def definitions() -> list[Any]:
    from feast import Entity, FeatureView, Field, ValueType
    from feast.types import Int64, String

    from pipelines.stores.feast_source import PublishedTable

    tail, airport = (Entity(name=key, value_type=ValueType.STRING) for key in ("tail", "airport"))
    delays = FeatureView(
        name="delays",
        entities=[tail],
        ttl=24 * HOUR,
        schema=[Field(name="tail", dtype=String), Field(name="delay", dtype=Int64)],
        source=PublishedTable(
            name="gold.delays", timestamp_field="at", field_mapping={"known": "at"}
        ),
    )
    fields = [Field(name=key.name, dtype=String) for key in (tail, airport)]
    pairs = FeatureView(
        name="pairs",
        entities=[tail, airport],
        ttl=24 * HOUR,
        schema=[*fields, Field(name="num_flights", dtype=Int64)],
        source=PublishedTable(name="gold.pairs", timestamp_field="known_at"),
    )
    return [tail, airport, delays, pairs]


@pytest.fixture
def store(tmp_path: Path) -> Any:
    feast.load()
    from feast import FeatureStore

    lake(tmp_path / "lake")
    settings = {
        "project": "t_offline",
        "provider": "local",
        "registry": str(tmp_path / "registry.db"),
        "offline_store": {
            "type": "pipelines.stores.feast_offline.PublishedOfflineStore",
            "warehouse": f"{tmp_path}/lake",
        },
        "online_store": {"type": "sqlite", "path": str(tmp_path / "online.db")},
        "entity_key_serialization_version": 3,
    }
    (tmp_path / "feature_store.yaml").write_text(yaml.safe_dump(settings))
    made = FeatureStore(str(tmp_path))
    made.apply(definitions())
    return made


def answers(store: Any, *names: str, **asked: Any) -> list[tuple[Any, ...]]:
    """The entities, those features and the instant of each row, sorted."""
    table = store.get_historical_features(features=list(names), **asked).to_arrow()
    columns = sorted(set(table.column_names) - {"event_timestamp"})
    rows = [(*(row[name] for name in columns), row["event_timestamp"]) for row in table.to_pylist()]
    return sorted(rows, key=str)


def test_a_mapping_may_name_the_instants_of_the_states(store: Any) -> None:
    rows = pd.DataFrame({"tail": ["a", "b"], "event_timestamp": [NOON - HOUR, NOON]})
    assert answers(store, NAMES[0], entity_df=rows) == [(2, "a", NOON - HOUR), (4, "b", NOON)]


def test_without_rows_each_entity_of_the_time_is_asked_for_as_of_its_end(store: Any) -> None:
    """Both ends of the time belong to it, and a state without a key is of no entity."""
    time = {"start_date": NOON - 2 * HOUR, "end_date": NOON}
    assert answers(store, NAMES[0], **time) == [(3, "a", NOON), (4, "b", NOON)]
    time["start_date"] += timedelta(microseconds=1)
    assert answers(store, NAMES[0], **time) == [(3, "a", NOON)]


def test_without_rows_the_entities_of_several_views_are_asked_for_together(store: Any) -> None:
    """A view's entity without the other's key is a row of its own."""
    found = answers(store, *NAMES, start_date=NOON - 2 * HOUR, end_date=NOON)
    assert [row[:-1] for row in found] == [
        ("JFK", None, 9, "c"),
        ("LGA", 3, 8, "a"),
        (None, 3, None, "a"),
        (None, 4, None, "b"),
    ]


def test_without_a_start_the_time_is_the_longest_ttl(store: Any) -> None:
    end = NOON - 6 * HOUR  # the state of 30 hours before noon is at the other end
    assert answers(store, NAMES[0], end_date=end) == [(1, "a", end)]
    noted = store.get_historical_features(features=[NAMES[0]], end_date=end).metadata
    assert (noted.min_event_timestamp, noted.max_event_timestamp) == (end - 24 * HOUR, end)


def test_instants_without_a_zone_are_utc(store: Any) -> None:
    naive = NOON.replace(tzinfo=None)
    assert answers(store, NAMES[0], start_date=naive, end_date=naive) == [(3, "a", NOON)]


@pytest.mark.parametrize(
    "asked",
    [
        ["-d", json.dumps([{"tail": "a", "event_timestamp": "2026-11-16T12:00:00"}])],
        ["-d", json.dumps([{"tail": "a", "event_timestamp": "2026-11-16T07:00:00-05:00"}])],
        ["-s", "2026-11-16 11:30:00", "-e", "2026-11-16 12:00:00"],
    ],
    ids=["rows", "rows in a zone", "time"],
)
def test_the_command_of_feast_answers(store: Any, asked: list[str]) -> None:
    from click.testing import CliRunner
    from feast.cli.cli import cli

    folder = str(store.repo_path)
    command = ["-c", folder, "get-historical-features", "-f", NAMES[0], *asked]
    answer = CliRunner().invoke(cli, command, catch_exceptions=False)
    (row,) = json.loads(answer.stdout)
    assert (row["tail"], row["delay"]) == ("a", 3)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            {"tail": ["a"], "event_timestamp": ["2026-11-16T12:00:00"]},
            r"make it of timestamps; .* event_timestamp \(string\)",
        ),
        ({"name": ["a"], "event_timestamp": [NOON]}, "add the keys of delays to the rows: tail"),
        (
            {"tail": ["a"], "delay": [0], "event_timestamp": [NOON]},
            "drop or rename what the rows have of delays already: delay",
        ),
    ],
    ids=["instants as text", "no key", "a feature's name"],
)
def test_rows_that_can_not_be_joined_to_are_refused(
    store: Any, rows: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        store.get_historical_features(pd.DataFrame(rows), [NAMES[0]])
