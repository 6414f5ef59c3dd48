"""Feast's offline store on the lake: point-in-time joins in process, above a size on Spark.

`get_historical_features` joins the published version of each table, or the one that a stage has
pinned. Rows to join to are a pandas or Arrow table, or a frame of Spark Connect.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
from feast import FeatureView, OnDemandFeatureView, RepoConfig
from feast.data_source import DataSource
from feast.feature_view import DUMMY_ENTITY_ID
from feast.infra.offline_stores.offline_store import OfflineStore
from feast.infra.offline_stores.offline_utils import DEFAULT_ENTITY_DF_EVENT_TIMESTAMP_COL
from feast.infra.registry.base_registry import BaseRegistry
from feast.repo_config import FeastConfigBaseModel
from feast.utils import (
    _get_requested_feature_views_to_features_dict,
    compute_non_entity_date_range,
)
from pydantic import Field

from pipelines.core.errors import UsageError
from pipelines.stores import feast_sql as sql
from pipelines.stores.asof import States
from pipelines.stores.feast_jobs import PointInTimeJob, QueryJob, Question, entities


class PublishedOfflineStoreConfig(FeastConfigBaseModel):
    """The part `offline_store` of a feature store's settings.

    Args:
        warehouse: the address of the lake's tables.
        journal: address of the database that says which version of a table is published; without
            one a table is read at its newest version.
        pinned: versions by the published name; these are read whatever is published.
        cells_in_process: above so many values (rows times columns of the answer) Spark joins.
    """

    type: Literal["pipelines.stores.feast_offline.PublishedOfflineStore"] = (
        "pipelines.stores.feast_offline.PublishedOfflineStore"
    )
    warehouse: str
    journal: str = ""
    pinned: dict[str, int] = Field(default_factory=dict)
    # 800 MB of doubles: what a stage may hold beside the engine on the smallest machine.
    cells_in_process: int = 100_000_000


class PublishedOfflineStore(OfflineStore):
    """Reads the published tables of the lake; it writes nothing, which is the stages' part."""

    supports_filter_by_created_timestamp = True

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: Any,
        registry: BaseRegistry,
        project: str,
        full_feature_names: bool = False,
        filter_by_created_timestamp: bool = False,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> "PointInTimeJob":
        """Each row of `entity_df` once, with the features that were known at its instant.

        Args:
            entity_df: a pandas or Arrow table, or a frame of Spark Connect; None: the entities
                that some view has a state of in [start, end], each once, at the end.
            start_date: None: as long before the end as the longest TTL, without one 30 days.
            end_date: None: now.

        Raises:
            UsageError: these are no rows, lack a key or the one column of instants, or have a
                column of a feature's name.
        """
        on_demand = OnDemandFeatureView.get_requested_odfvs(feature_refs, project, registry)
        named, _unused = _get_requested_feature_views_to_features_dict(
            feature_refs, feature_views, on_demand
        )
        views = list(named)
        states = [
            _states(view, features, full_feature_names, filter_by_created_timestamp)
            for view, features in named.items()
        ]
        time = (
            compute_non_entity_date_range(views, start_date, end_date)
            if entity_df is None
            else None
        )
        asked = _rows(entities(config, views, states, *time) if time else entity_df)
        question = Question(
            config=config, asked=asked, at=_instants(asked), views=views, states=states, time=time
        )
        _check(question)
        return PointInTimeJob(question, feature_refs, full_feature_names, on_demand)

    @staticmethod
    def pull_latest_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> "QueryJob":
        """The newest state of each entity in [start, end]."""
        age = [timestamp_field, *filter(None, [created_timestamp_column])]
        every = sql.every(join_key_columns, feature_name_columns, age, start_date, end_date)
        return QueryJob(config, data_source, sql.newest(every, join_key_columns, age))

    @staticmethod
    def pull_all_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> "QueryJob":
        """All states in [start, end]."""
        age = [timestamp_field, *filter(None, [created_timestamp_column])]
        every = sql.every(join_key_columns, feature_name_columns, age, start_date, end_date)
        return QueryJob(config, data_source, every)


def _rows(given: Any) -> Any:
    """As an Arrow table with instants in UTC, or as the frame of Spark's that they are.

    Raises:
        UsageError: they are neither, nor a pandas table.
    """
    if isinstance(given, pd.DataFrame):
        given = pa.Table.from_pandas(given, preserve_index=False)
    if isinstance(given, pa.Table):
        return pa.table({name: _utc(given[name]) for name in given.column_names})
    if hasattr(given, "toArrow"):
        return given
    raise UsageError("pass the rows to join features to: a pandas, Arrow or Spark table")


def _utc(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Instants in UTC and microseconds; those without a zone are UTC, as everywhere in Feast."""
    kind = column.type
    if not pa.types.is_timestamp(kind):
        return column
    return column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.timestamp("us", "UTC"))


def _instants(asked: Any) -> str:
    """The column of instants: Feast's name for it, or the only one there is.

    Raises:
        UsageError: there are several, or none.
    """
    kinds = (
        {field.name: str(field.type) for field in asked.schema}
        if isinstance(asked, pa.Table)
        else dict(asked.dtypes)
    )
    found = [name for name, kind in kinds.items() if kind.startswith("timestamp")]
    if DEFAULT_ENTITY_DF_EVENT_TIMESTAMP_COL in kinds or len(found) != 1:
        found = [name for name in found if name == DEFAULT_ENTITY_DF_EVENT_TIMESTAMP_COL]
    if not found:
        there = ", ".join(f"{name} ({kind})" for name, kind in kinds.items())
        wanted = f"{DEFAULT_ENTITY_DF_EVENT_TIMESTAMP_COL} and make it of timestamps"
        raise UsageError(f"name the column of instants {wanted}; there is {there}")
    return str(found[0])


def _check(question: Question) -> None:
    """Refuse rows that lack a key, or have a column which the join would add once more.

    Raises:
        UsageError: they do.
    """
    there = question.columns
    for view, states in zip(question.views, question.states, strict=True):
        if missing := set(states.keys.values()) - set(there):
            names, has = ", ".join(sorted(missing)), ", ".join(there)
            raise UsageError(f"add the keys of {view.name} to the rows: {names}; there is {has}")
        if twice := set(states.features.values()) & set(there):
            names = ", ".join(sorted(twice))
            raise UsageError(f"drop or rename what the rows have of {view.name} already: {names}")


def _states(
    view: FeatureView,
    features: Sequence[str],
    full_feature_names: bool,
    created_by_then: bool,
) -> States:
    source: Any = view.batch_source
    # By any name of the view's, also those of its instants, Feast lets a mapping stand.
    column_of = {new: old for old, new in source.field_mapping.items()}
    created = source.created_timestamp_column or None
    key_of = view.projection.join_key_map
    prefix = f"{view.projection.name_alias or view.name}__" if full_feature_names else ""
    return States(
        keys={
            column_of.get(key.name, key.name): key_of.get(key.name, key.name)
            for key in view.entity_columns
            if key.name != DUMMY_ENTITY_ID
        },
        features={column_of.get(name, name): f"{prefix}{name}" for name in features},
        at=column_of.get(source.timestamp_field, source.timestamp_field),
        created=column_of.get(created, created),
        ttl=view.ttl or None,
        created_by_then=created_by_then,
    )
