"""Feast's own SDK and command over tables of a lake: no servers, no journal, the newest version."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import yaml
from deltalake import write_deltalake

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
