"""Feast's materialization, from batches of the lake to packed rows online.

A range as long as the view's TTL is all that a reader may know at its end. Then what is online and
not newer than that end, but is not in the table, goes away: a rebuilt day leaves nothing behind.
A shorter range only adds to what is there.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, cast

import pyarrow as pa  # type: ignore[import-untyped]
from duckdb import DuckDBPyConnection
from feast import FeatureView
from feast.data_source import DataSource
from feast.infra.common.materialization_job import MaterializationJobStatus, MaterializationTask
from feast.infra.compute_engines.local.compute import LocalComputeEngine
from feast.infra.compute_engines.local.job import LocalMaterializationJob
from feast.infra.registry.base_registry import BaseRegistry
from feast.repo_config import FeastConfigBaseModel
from feast.utils import _get_column_names

from pipelines.core.errors import UsageError
from pipelines.stores import asof
from pipelines.stores import online_rows as packed
from pipelines.stores.feast_online import PackedOnlineStore, keys_of, layout_of
from pipelines.stores.online_rows import Layout, Row, Rows

if TYPE_CHECKING:
    from pipelines.stores.feast_jobs import QueryJob

# Arrow's values as Python's are 10 MB for ten features.
_ROWS_AT_ONCE = 20_000


class PackedComputeEngineConfig(FeastConfigBaseModel):
    """The part `batch_engine` of a feature store's settings."""

    type: Literal["pipelines.stores.feast_engine.PackedComputeEngine"] = (
        "pipelines.stores.feast_engine.PackedComputeEngine"
    )


class PackedComputeEngine(LocalComputeEngine):
    """Feast's local engine, but that it materializes from the lake to packed rows."""

    def _materialize_one(
        self, registry: BaseRegistry, task: MaterializationTask, **_: Any
    ) -> LocalMaterializationJob:
        view, store = task.feature_view, self.online_store
        if getattr(view, "feature_transformation", None) or getattr(view, "aggregations", None):
            raise UsageError(f"{view.name} computes features: make them in dbt, and read its table")
        if not isinstance(store, PackedOnlineStore):
            raise UsageError(f"the online store of {task.project} must be one of packed rows")
        rows = store.rows(self.repo_config)
        _fill(rows, _Packing.of(view), self._newest(registry, task), task)
        rows.note_mark(view.name, packed.micros(task.end_time))
        return LocalMaterializationJob(
            job_id=f"{view.name}-{task.start_time}-{task.end_time}",
            status=MaterializationJobStatus.SUCCEEDED,
        )

    def _newest(
        self, registry: BaseRegistry, task: MaterializationTask
    ) -> Iterator[pa.RecordBatch]:
        """The newest state of each entity in the task's range, by the names of the view."""
        view, source, (start, end) = task.feature_view, _source(task.feature_view), _range(task)
        entities = [registry.get_entity(name, task.project) for name in view.entities]
        keys, features, at, created = _get_column_names(view, entities)
        job = self.offline_store.pull_latest_from_table_or_query(
            self.repo_config, source, keys, features, at, created, start, end
        )
        renamed = source.field_mapping
        for batch in cast("QueryJob", job).batches(_ROWS_AT_ONCE):
            names = [renamed.get(name, name) for name in batch.schema.names]
            # DuckDB gives at least 2,048 rows.
            for first in range(0, batch.num_rows, _ROWS_AT_ONCE):
                yield batch.rename_columns(names).slice(first, _ROWS_AT_ONCE)


@dataclass(frozen=True)
class _Packing:
    """How the states of a view become packed rows."""

    view: str
    keys: Sequence[tuple[str, str]]
    layout: Layout
    at: str

    @staticmethod
    def of(view: FeatureView) -> "_Packing":
        return _Packing(view.name, keys_of(view), layout_of(view), _source(view).timestamp_field)

    def rows(self, batch: pa.RecordBatch) -> list[Row]:
        """Of each state."""
        instants = packed.column(batch, self.at, "UNIX_TIMESTAMP")
        entities = packed.entities(batch, self.keys)
        return list(zip(entities, instants, self.layout.packed(batch), strict=True))


def _source(view: FeatureView) -> DataSource:
    if view.batch_source is None:
        raise UsageError(f"{view.name} has no table to be filled from: push its states")
    return view.batch_source


def _range(task: MaterializationTask) -> tuple[datetime, datetime]:
    if task.disable_event_timestamp:
        return datetime(1970, 1, 1, tzinfo=UTC), datetime.now(UTC)
    return task.start_time, task.end_time


def _fill(
    rows: Rows, packing: _Packing, batches: Iterator[pa.RecordBatch], task: MaterializationTask
) -> None:
    view, (start, end), ttl = packing.view, _range(task), task.feature_view.ttl
    rows.note_layout(packing.layout.digest, packing.layout.text)
    if not ttl or end - start < ttl:
        for batch in batches:
            rows.put(view, packing.rows(batch))
        return
    outdated = packed.micros(end)
    with _compared(rows.entities(view)) as compared:
        for batch in batches:
            found = packing.rows(batch)
            rows.put(view, found, outdated)
            compared.note([entity for entity, _, _ in found])
        for gone in compared.gone():
            rows.remove(view, gone, outdated)


@dataclass(frozen=True)
class _Compared:
    """Which entities were online before, and which the table has; on disk above some memory."""

    connection: DuckDBPyConnection
    any_online: bool

    def note(self, entities: Sequence[bytes]) -> None:
        """The table has these."""
        if self.any_online:
            _insert(self.connection, "known", entities)

    def gone(self) -> Iterator[list[bytes]]:
        """Those that were online and are not in the table, some at a time."""
        query = "select entity from online anti join known using (entity)"
        for batch in self.connection.sql(query).to_arrow_reader(_ROWS_AT_ONCE):
            yield batch["entity"].to_pylist()


@contextmanager
def _compared(online: Iterator[Sequence[bytes]]) -> Iterator[_Compared]:
    with asof.engine_on_disk() as connection:
        for table in ("online", "known"):
            connection.execute(f"create temp table {table} (entity blob)")
        any_online = False
        for entities in filter(None, online):
            any_online = True
            _insert(connection, "online", entities)
        yield _Compared(connection, any_online)


def _insert(connection: DuckDBPyConnection, table: str, entities: Sequence[bytes]) -> None:
    connection.register("more", pa.table({"entity": pa.array(entities, pa.binary())}))
    connection.execute(f"insert into {table} from more")
