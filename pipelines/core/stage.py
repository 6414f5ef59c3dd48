"""What a stage gets, and the write-audit-publish steps that stages share."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, func, insert, select

from pipelines.core import journal
from pipelines.core.errors import CheckFailed, MillraceError
from pipelines.core.lease import Lease
from pipelines.core.registry import Stage
from pipelines.core.settings import Settings
from pipelines.stores import delta, lake, spark
from pipelines.stores.lake import Lake
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import Layer, UseCase

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

# A swap is 0.4 s of waiting for the catalog, and a case has dozens of tables.
_SWAPS_AT_ONCE = 4


@dataclass(frozen=True)
class Pin:
    """The version of a table that readers saw when a stage began, and how far it was published.

    Args:
        publication: its number in `ops.published`.
        interval: of that publication.
        until: the end of the latest interval, whichever was published last.
    """

    publication: int
    version: int
    interval: str
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a stage gets: its case, its interval, and the stores; nothing else is global.

    Args:
        chosen: the model that the stage is about; `model` is never None.
        lease: None for a stage that is the writer of nothing.
        reads: the versions that were read, by table; `read` notes them.
    """

    settings: Settings
    case: UseCase
    interval: Interval
    stage: Stage[Any]
    engine: Engine
    attempt: int
    lease: Lease | None
    chosen: Model | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    reads: dict[str, int] = field(default_factory=dict)

    @cached_property
    def spark(self) -> "SparkSession":
        session = spark.connect(self.settings)
        spark.compile_expressions(session, self.interval.days)
        return session

    @property
    def model(self) -> Model:
        """The model that the stage is about.

        Raises:
            UsageError: the case has none, or several.
        """
        return self.chosen or self.case.model()

    def commit(self) -> AbstractContextManager[Connection]:
        """A transaction that only the newest holder of the stage's lease gets through.

        Raises:
            Superseded: a newer attempt has taken over.
            MillraceError: the stage has no lease.
        """
        if self.lease is None:
            raise MillraceError(f"{self.stage.name} has no lease; give it one in core/registry.py")
        return self.lease.commit()

    @cached_property
    def pins(self) -> Mapping[str, Pin]:
        """What is published, by table, of one moment: the first at which the stage asks.

        Views are swapped one by one, also while a stage reads; versions stay. So a stage reads
        versions, and all of one moment.
        """
        table = journal.published
        until = func.max(table.c.until).over(partition_by=table.c.table_name).label("until")
        newest = (
            select(table.c.table_name, table.c.id, table.c.version, table.c.interval, until)
            .distinct(table.c.table_name)
            .where(table.c.case_name == self.case.name)
            .order_by(table.c.table_name, table.c.id.desc())
        )
        with self.engine.connect() as connection:
            found = connection.execute(newest).all()
        return {row.table_name: Pin(row.id, row.version, row.interval, row.until) for row in found}

    def published(self, layer: Layer, name: str) -> Pin | None:
        """What readers see of a table; None: it was never published."""
        return self.pins.get(self.case.table(layer, name))

    def read(self, layer: Layer, name: str) -> str:
        """A published table as SQL names it, at the pinned version; notes that it is read.

        Raises:
            CheckFailed: it was never published.
        """
        table, pin = self.case.table(layer, name), self.published(layer, name)
        if pin is None:
            raise CheckFailed(f"{table} is not published; run the stages before this one first")
        return self.read_version(layer, name, pin.version)

    def read_known(self, layer: Layer, name: str) -> str:
        """The same of a table that must reach the interval's end.

        Raises:
            CheckFailed: it doesn't.
        """
        pin = self.published(layer, name)
        if pin is None or pin.until < self.interval.end:
            raise CheckFailed(
                f"{self.case.table(layer, name)} is published up to "
                f"{pin.until if pin else 'nothing'}, not to {self.interval.end}; "
                f"run the stages before this one for {self.interval} first"
            )
        return self.read(layer, name)

    def read_version(self, layer: Layer, name: str, version: int) -> str:
        """A table at a version that an earlier stage noted, as SQL names it."""
        self.reads[self.case.table(layer, name)] = version
        return f"{self.case.build_table(layer, name)} version as of {version}"

    @property
    def lake(self) -> Lake:
        """The tables' files, for what needs no engine."""
        return lake.of(self.settings)

    def reset_build(self, layer: Layer, names: tuple[str, ...], *, replaces: bool) -> None:
        """Start from what is published: drop what an earlier run built and nobody proved.

        Args:
            replaces: all rows of the interval are going to be, so that what an earlier run of it
                has noted may stay. To restore a table is ten jobs of Spark's, and more.
        """
        for name in names:
            pin, build = self.published(layer, name), self.case.build_table(layer, name)
            version, newest = pin.version if pin else None, self.lake.newest(build)
            stays = newest in (None, version)
            if not stays and not (replaces and newest == self._built_before(layer, name)):
                delta.reset(self.spark, build, version)

    def make_plain(self, layer: Layer, name: str) -> None:
        """Have a table that an earlier version wrote say its types as every reader knows them."""
        build = self.case.build_table(layer, name)
        if not self.lake.is_plain(build):
            delta.make_plain(self.spark, build)

    def built(self, layer: Layer, name: str) -> int:
        """Note that a build table now holds this interval's work; its version.

        Raises:
            CheckFailed: there is no such table.
        """
        version = self.lake.newest(self.case.build_table(layer, name))
        if version is None:
            raise CheckFailed(f"{self.stage.name} left no {self.case.build_table(layer, name)}")
        row = journal.insert_or_update(
            journal.builds,
            table_name=self.case.table(layer, name),
            case_name=self.case.name,
            interval=self.interval.key,
            version=version,
            attempt=self.attempt,
        )
        with self.commit() as connection:
            connection.execute(row)
        return version

    def built_version(self, layer: Layer, name: str) -> int:
        """The version that this interval's run built, which a check may prove and publish.

        Raises:
            CheckFailed: the table holds another interval's work, or nothing.
        """
        table = self.case.table(layer, name)
        found = self._build(table)
        if found is None or found.interval != self.interval.key:
            held = found.interval if found else "nothing yet"
            raise CheckFailed(
                f"{table} holds the work of {held}, not of {self.interval}; "
                f"run the stage that writes it again for {self.interval}"
            )
        return int(found.version)

    def _built_before(self, layer: Layer, name: str) -> int | None:
        """The version that an earlier run of this interval noted, if none of another came since."""
        found = self._build(self.case.table(layer, name))
        return int(found.version) if found and found.interval == self.interval.key else None

    def _build(self, table: str) -> Any:
        builds = journal.builds
        with self.engine.connect() as connection:
            return connection.execute(select(builds).where(builds.c.table_name == table)).first()

    def publish(self, proven: Mapping[Layer, Mapping[str, int]]) -> None:
        """Swap the published views to proven versions, under the fence: all are noted, or none.

        After a crash in between some views show rows that are proven but not noted. The retry
        notes them; the next interval starts from what is noted, and swaps the views of all tables
        that have another version by then, which those have.
        """
        for layer in proven:
            delta.make_schema(self.spark, layer)
        tables = [
            (layer, name, version)
            for layer, versions in proven.items()
            for name, version in versions.items()
        ]
        with self.commit() as connection, ThreadPoolExecutor(_SWAPS_AT_ONCE) as pool:
            rows = list(pool.map(lambda table: self._swap(*table), tables))
            connection.execute(insert(journal.published), rows)

    def _swap(self, layer: Layer, name: str, version: int) -> dict[str, Any]:
        """Point one published view at its proven version; the row that notes it."""
        view, build = self.case.table(layer, name), self.case.build_table(layer, name)
        pin = self.published(layer, name)
        if pin is None or pin.version != version:
            delta.publish(self.spark, build, view, version)
        return {
            "case_name": self.case.name,
            "table_name": view,
            "interval": self.interval.key,
            "until": self.interval.end,
            "version": version,
            "rows": self.lake.num_rows(build, version),
            "attempt": self.attempt,
        }
