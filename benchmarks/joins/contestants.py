"""One join in a process of its own: `python -m benchmarks.joins.contestants NAME FOLDER`.

Each asks for the same, as its own docs say. What is timed is the question, from rows in memory to
an Arrow table; what comes before, imports and definitions, is not.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from benchmarks.joins.tables import FEATURES, TTL_DAYS, digest

Question = Callable[[], pa.Table]
REFERENCES = [f"states:{name}" for name in FEATURES]


def ours(folder: Path) -> Question:
    """The platform's offline store, over the Delta table."""
    from pipelines.stores import feast

    feast.load()
    from pipelines.stores.feast_source import PublishedTable

    offline = {
        "type": "pipelines.stores.feast_offline.PublishedOfflineStore",
        "warehouse": str(folder),
        "cells_in_process": 10**9,
    }
    store = _store(folder, offline, PublishedTable(name="gold.states", timestamp_field="at"))
    rows = pq.read_table(folder / "rows.parquet")
    return lambda: store.get_historical_features(rows, REFERENCES).to_arrow()


def feast_dask(folder: Path) -> Question:
    """Feast's default store for files."""
    return _feast_on_files(folder, {"type": "dask"})


def feast_duckdb(folder: Path) -> Question:
    """Feast's store on DuckDB, by ibis; it needs packages that the platform's lock can't hold."""
    return _feast_on_files(folder, {"type": "duckdb"})


def feast_spark(folder: Path) -> Question:
    """Feast's store on Spark, in this process, tuned to two cores; a first question warms it up."""
    from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource

    conf = {"spark.master": "local[2]", "spark.sql.shuffle.partitions": "4"}
    conf |= {"spark.ui.enabled": "false", "spark.driver.memory": "4g"}
    conf |= {"spark.sql.session.timeZone": "UTC"}
    states = str(folder / "states.parquet")
    source = SparkSource(name="s", path=states, file_format="parquet", timestamp_field="at")
    store = _store(folder, {"type": "spark", "spark_conf": conf}, source)
    rows = pq.read_table(folder / "rows.parquet").to_pandas()
    store.get_historical_features(rows.head(1000), REFERENCES).to_arrow()
    return lambda: store.get_historical_features(rows, REFERENCES).to_arrow()


def raw_duckdb(folder: Path) -> Question:
    """DuckDB's ASOF JOIN over the Parquet file, without a feature store."""
    import duckdb

    connection = duckdb.connect()
    connection.register("rows", pq.read_table(folder / "rows.parquet"))
    ttl = f"s.at >= rows.event_timestamp - interval {TTL_DAYS} days"
    features = ", ".join(f"case when {ttl} then s.{name} end as {name}" for name in FEATURES)
    query = f"""
        select rows.*, {features} from rows asof left join '{folder}/states.parquet' as s
        on rows.entity = s.entity and s.at <= rows.event_timestamp
    """
    return lambda: connection.sql(query).to_arrow_table()


CONTESTANTS: Mapping[str, Callable[[Path], Question]] = {
    "ours": ours,
    "feast_dask": feast_dask,
    "feast_duckdb": feast_duckdb,
    "feast_spark": feast_spark,
    "raw_duckdb": raw_duckdb,
}


def _feast_on_files(folder: Path, offline: Mapping[str, Any]) -> Question:
    from feast import FileSource

    source = FileSource(path=str(folder / "states.parquet"), timestamp_field="at")
    store = _store(folder, offline, source)
    rows = pq.read_table(folder / "rows.parquet").to_pandas()
    return lambda: store.get_historical_features(rows, REFERENCES).to_arrow()


def _store(folder: Path, offline: Mapping[str, Any], source: Any) -> Any:
    """A feature store of one view, its registry a file of its own."""
    from feast import Entity, FeatureStore, FeatureView, Field, RepoConfig, ValueType
    from feast.types import Float64, Int64

    registry = folder / f"{offline['type'].rpartition('.')[2]}.db"
    registry.unlink(missing_ok=True)
    config = RepoConfig(
        project="joins",
        provider="local",
        registry=str(registry),
        offline_store=dict(offline),
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
    )
    entity = Entity(name="entity", join_keys=["entity"], value_type=ValueType.INT64)
    fields = [Field(name=name, dtype=Float64) for name in FEATURES]
    view = FeatureView(
        name="states",
        entities=[entity],
        ttl=timedelta(days=TTL_DAYS),
        source=source,
        schema=[Field(name="entity", dtype=Int64), *fields],
    )
    store = FeatureStore(config=config)
    store.apply([entity, view])
    return store


def main() -> None:
    """Print the seconds, the rows and the digest of the answer as one line of JSON."""
    warnings.simplefilter("ignore")
    name, folder = sys.argv[1], Path(sys.argv[2])
    ask = CONTESTANTS[name](folder)
    began = time.perf_counter()
    answer = ask()
    seconds = time.perf_counter() - began
    said = {"seconds": seconds, "rows": answer.num_rows, "digest": digest(answer)}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
