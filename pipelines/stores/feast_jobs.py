"""What the offline store answers with: a query of one table, or a point-in-time join of several."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from feast import FeatureView, OnDemandFeatureView, RepoConfig
from feast.data_source import DataSource
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata

from pipelines.core import journal
from pipelines.core.errors import CheckFailed, ServiceUnavailable
from pipelines.stores import asof, asof_spark, feast_sql
from pipelines.stores.asof import States
from pipelines.stores.lake import Lake, build_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Question:
    """Rows, and the states of which views are to be joined to them.

    Args:
        asked: an Arrow table, or a frame of Spark Connect.
        at: its column of instants.
        states: of each view, in the same order.
        time: from when to when, where the rows are the entities of a time.
    """

    config: RepoConfig
    asked: Any
    at: str
    views: Sequence[FeatureView]
    states: Sequence[States]
    time: tuple[datetime, datetime] | None = None

    @property
    def is_in_spark(self) -> bool:
        """Whether the rows are a frame of Spark's."""
        return not isinstance(self.asked, pa.Table)

    @property
    def columns(self) -> list[str]:
        """Of the rows."""
        return list(self.asked.columns if self.is_in_spark else self.asked.column_names)

    @cached_property
    def num_rows(self) -> int:
        """Of the rows, and so of the answer."""
        return int(self.asked.count() if self.is_in_spark else self.asked.num_rows)

    @property
    def num_features(self) -> int:
        """The columns that the join adds."""
        return sum(len(each.features) for each in self.states)


class QueryJob(RetrievalJob):
    """A query of one table, which it calls `states`."""

    full_feature_names = False
    on_demand_feature_views: list[OnDemandFeatureView] = []  # noqa: RUF012  # nobody's to change
    metadata = None

    def __init__(self, config: RepoConfig, source: DataSource, query: str) -> None:
        """Nothing is read yet."""
        self._config, self._source, self._query = config, source, query

    def to_sql(self) -> str:
        """The query, in DuckDB's SQL."""
        return self._query

    def batches(self, num_rows: int) -> Iterator[pa.RecordBatch]:
        """The answer in batches, in memory that does not grow with it."""
        with asof.engine_on_disk() as connection:
            connection.register(feast_sql.TABLE, _states(self._config, self._source))
            yield from connection.sql(self._query).to_arrow_reader(num_rows)

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:  # noqa: ARG002
        with asof.engine() as connection:
            connection.register(feast_sql.TABLE, _states(self._config, self._source))
            return connection.sql(self._query).to_arrow_table()


class PointInTimeJob(RetrievalJob):
    """Rows with what was known of their entities, joined when they are asked for."""

    # Of each job its own: here they only stand in for Feast's abstract properties.
    full_feature_names = False
    on_demand_feature_views: list[OnDemandFeatureView] = []  # noqa: RUF012

    def __init__(
        self,
        question: Question,
        references: Sequence[str],
        full_feature_names: bool,
        on_demand: Sequence[OnDemandFeatureView],
    ) -> None:
        """Nothing is read yet."""
        self._question, self._references = question, references
        self.full_feature_names, self.on_demand_feature_views = full_feature_names, list(on_demand)

    @property
    def metadata(self) -> RetrievalMetadata:
        """What was asked, for whom wants to keep it."""
        keys = [name for name in self._question.columns if name != self._question.at]
        return RetrievalMetadata(list(self._references), keys, *(self._question.time or ()))

    @property
    def is_small(self) -> bool:
        """Whether this process may hold the answer, and so joins; else Spark does."""
        question = self._question
        cells = question.num_rows * (question.num_features + len(question.columns))
        return bool(cells <= question.config.offline_store.cells_in_process)

    def to_spark_df(self) -> "DataFrame":
        """The answer as a frame of the process's Spark Connect session, joined there."""
        self._say("on Spark")
        question, session = self._question, _session()
        frame: DataFrame = question.asked
        if not question.is_in_spark:
            frame = session.createDataFrame(frame)
        for view, states in zip(question.views, question.states, strict=True):
            found = session.sql(f"select * from {_in_sql(question.config, view.batch_source)}")
            frame = asof_spark.joined(frame, found, states, question.at)
        return frame

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:  # noqa: ARG002
        return self._in_process() if self.is_small else self.to_spark_df().toArrow()

    def _say(self, where: str) -> None:
        rows, features = self._question.num_rows, self._question.num_features
        log.info("point-in-time join of %d features to %s rows %s", features, f"{rows:,}", where)

    def _in_process(self) -> pa.Table:
        self._say("in this process")
        question = self._question
        asked = question.asked.toArrow() if question.is_in_spark else question.asked
        for view, states in zip(question.views, question.states, strict=True):
            every = _states(question.config, view.batch_source)
            found = _that_may_count(every, asked, question.at, states)
            asked = asof.joined(asked, found, states, question.at)
        return asked


def entities(
    config: RepoConfig,
    views: Sequence[FeatureView],
    states: Sequence[States],
    start: datetime,
    end: datetime,
) -> pa.Table:
    """Each entity that some view has a state of in [start, end], once, as of `end`."""
    with asof.engine() as connection:
        for number, view in enumerate(views):
            found = _states(config, view.batch_source)
            connection.register(feast_sql.table_of(number), found)
        return connection.sql(feast_sql.entities(states, start, end)).to_arrow_table()


def schema(config: RepoConfig, source: DataSource | None) -> pa.Schema:
    """Of a source, at the version to read."""
    return _states(config, source).schema


def _states(config: RepoConfig, source: DataSource | None) -> Any:
    """As an Arrow dataset, of which DuckDB reads the columns and the files that it needs."""
    name, version = _table(config, source)
    return Lake(config.offline_store.warehouse).table(name, version).to_pyarrow_dataset()


def _that_may_count(every: Any, asked: pa.Table, at: str, states: States) -> pa.Table:
    """The states of a dataset at instants from which some row could know them."""
    first, last = pc.min_max(asked[at]).as_py().values()
    columns = dict.fromkeys([*states.keys, *states.features, *states.ages])
    if first is None:
        return every.schema.empty_table().select(list(columns))
    kind, instant = every.schema.field(states.at).type, pc.field(states.at)
    counts = instant <= _scalar(last, kind)
    if states.ttl:
        counts &= instant >= _scalar(first - states.ttl, kind)
    return every.to_table(columns=list(columns), filter=counts)


def _scalar(at: datetime, kind: pa.DataType) -> pa.Scalar:
    """An instant as a column has it, which may be without a zone."""
    return pa.scalar(at.astimezone(UTC) if kind.tz else at.replace(tzinfo=None), kind)


def _in_sql(config: RepoConfig, source: DataSource | None) -> str:
    """The same for Spark."""
    name, version = _table(config, source)
    place = f"delta.`{Lake(config.offline_store.warehouse).address(name)}`"
    return place if version is None else f"{place} version as of {version}"


def _table(config: RepoConfig, source: Any) -> tuple[str, int | None]:
    """The table behind a published name, and the version that readers see.

    Raises:
        CheckFailed: nothing of it is published.
    """
    # A registry of an earlier version names a source of Spark's: that has its table as well.
    store, name = config.offline_store, str(source.table)
    if not store.pinned and not store.journal:
        return name, None
    version = store.pinned.get(name)
    if version is None:
        version = store.journal and journal.published_version(store.journal, name)
    if version is None:
        raise CheckFailed(f"{name} is not published; run the stages up to validate_features first")
    return build_of(name), version


def _session() -> Any:
    from pyspark.sql.connect.session import SparkSession

    session = SparkSession.getActiveSession()
    if session is None:
        raise ServiceUnavailable(
            "no session of Spark Connect is open in this process: open one first "
            "(pipelines.stores.spark.connect), or raise the offline store's cells_in_process"
        )
    return session
