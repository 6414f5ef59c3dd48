"""The contestants' feature stores, as each tool's docs set them up, and tuned."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.online.tables import FEATURES, TTL

# What Feast's docs name for large views, beside their defaults: rows written in batches, the newest
# state picked by the query, and on Redis no look at what is there.
_TUNED = {"online_write_batch_size": 10_000, "pull_latest_features": True}


def settings(name: str, folder: Path, redis: str) -> dict[str, Any]:
    """Of `ours_sqlite`, `ours_redis`, `feast_sqlite`, `feast_redis`, or one of Feast's `_tuned`."""
    whose, kind, *tuned = name.split("_")
    made = {
        "project": name,
        "provider": "local",
        "registry": str(folder / f"{name}_registry.db"),
        "entity_key_serialization_version": 3,
        "online_store": _online(whose, kind, folder / f"{name}.db", redis, bool(tuned)),
    }
    if whose == "ours":
        made["offline_store"] = {
            "type": "pipelines.stores.feast_offline.PublishedOfflineStore",
            "warehouse": str(folder),
        }
        made["batch_engine"] = {"type": "pipelines.stores.feast_engine.PackedComputeEngine"}
    elif tuned:
        made["materialization"] = _TUNED
    return made


def _online(whose: str, kind: str, path: Path, redis: str, tuned: bool) -> dict[str, Any]:
    type_ = f"pipelines.stores.feast_online.Packed{kind.capitalize()}OnlineStore"
    chosen = {"type": type_ if whose == "ours" else kind}
    if kind == "sqlite":
        return chosen | {"path": str(path)}
    return chosen | {"connection_string": redis} | ({"skip_dedup": True} if tuned else {})


def store(name: str, folder: Path, redis: str, views: Sequence[str]) -> Any:
    """A feature store with these views of one entity, applied, and a service `all` of them."""
    from pipelines.stores import feast

    feast.load()
    from feast import Entity, FeatureService, FeatureStore, RepoConfig, ValueType

    entity = Entity(name="entity", value_type=ValueType.INT64)
    made = [_view(name, folder, view, entity) for view in views]
    opened = FeatureStore(config=RepoConfig(**settings(name, folder, redis)))
    opened.apply([entity, *made, FeatureService(name="all", features=made)])
    return opened


def _view(name: str, folder: Path, view: str, entity: Any) -> Any:
    from feast import FeatureView, Field, FileSource
    from feast.types import Float64, Int64

    from pipelines.stores.feast_source import PublishedTable

    source = (
        PublishedTable(name=f"gold.{view}", timestamp_field="at")
        if name.startswith("ours")
        else FileSource(path=str(folder / f"{view}.parquet"), timestamp_field="at")
    )
    fields = [Field(name=each, dtype=Float64) for each in FEATURES]
    return FeatureView(
        name=view,
        entities=[entity],
        ttl=TTL,
        source=source,
        schema=[Field(name="entity", dtype=Int64), *fields],
    )
