"""What a stage gets and what it gives back, and the write-audit-publish steps they share."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, func, insert, select

from pipelines.core import journal, lease
from pipelines.core.errors import CheckFailed, UsageError
from pipelines.core.settings import Settings
from pipelines.stores import delta, spark
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.training import Training
from pipelines.use_cases.spec.use_case import Layer, UseCase

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

# A swap is 0.4 s of waiting for the catalog, and a case has dozens of tables.
_SWAPS_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a stage did: counted rows, table versions read and written, anything to show."""

    rows: Mapping[str, int] = field(default_factory=dict)
    reads: Mapping[str, int] = field(default_factory=dict)
    writes: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a stage gets: its case, its interval, and the stores; nothing else is global."""

    settings: Settings
    case: UseCase
    interval: Interval
    lease: lease.Lease
    options: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def spark(self) -> "SparkSession":
        session = spark.connect(self.settings)
        spark.suit(session, self.interval.days)
        return session

    @property
    def training(self) -> Training:
        """How the case's model is trained.

        Raises:
            UsageError: it has none.
        """
        if self.case.training is None:
            raise UsageError(f"{self.case.name} has no model: give its UseCase a `training`")
        return self.case.training

    @property
    def engine(self) -> Engine:
        return self.lease.engine

    def published_version(self, layer: Layer, name: str) -> int | None:
        """The version of a table that readers see; None: never published."""
        table = journal.published
        newest = (
            select(table.c.version)
            .where(table.c.table_name == self.case.table(layer, name))
            .order_by(table.c.id.desc())
            .limit(1)
        )
        with self.engine.connect() as connection:
            return connection.execute(newest).scalar_one_or_none()

    def published_until(self, layer: Layer, name: str) -> datetime | None:
        """How far a table is published, whichever interval came last; None: not at all."""
        table = journal.published
        reached = select(func.max(table.c.until)).where(
            table.c.table_name == self.case.table(layer, name)
        )
        with self.engine.connect() as connection:
            until: datetime | None = connection.execute(reached).scalar_one()
        return until

    def require_published(self, layer: Layer, name: str) -> int:
        """The published version of a table that must reach the interval's end.

        Raises:
            CheckFailed: it doesn't, or nothing is published.
        """
        until, version = self.published_until(layer, name), self.published_version(layer, name)
        if version is None or until is None or until < self.interval.end:
            raise CheckFailed(
                f"{self.case.table(layer, name)} is published up to {until or 'nothing'}, "
                f"not to {self.interval.end}; "
                f"run the stages before this one for {self.interval} first"
            )
        return version

    def reset_build(self, layer: Layer, names: tuple[str, ...]) -> None:
        """Start from what is published: drop what an earlier run built and nobody proved."""
        for name in names:
            published = self.published_version(layer, name)
            delta.reset(self.spark, self.case.build_table(layer, name), published)

    def built(self, layer: Layer, name: str, version: int) -> None:
        """Note that a build table now holds this interval's work."""
        row = journal.insert_or_update(
            journal.builds,
            table_name=self.case.table(layer, name),
            case_name=self.case.name,
            interval=self.interval.key,
            version=version,
            attempt=self.lease.attempt,
        )
        with self.lease.commit() as connection:
            connection.execute(row)

    def built_version(self, layer: Layer, name: str) -> int:
        """The version that this interval's run built, which a check may prove and publish.

        Raises:
            CheckFailed: the table holds another interval's work, or nothing.
        """
        table = self.case.table(layer, name)
        builds = journal.builds
        with self.engine.connect() as connection:
            found = connection.execute(select(builds).where(builds.c.table_name == table)).first()
        if found is None or found.interval != self.interval.key:
            held = found.interval if found else "nothing yet"
            raise CheckFailed(
                f"{table} holds the work of {held}, not of {self.interval}; "
                f"run the stage that writes it again for {self.interval}"
            )
        return int(found.version)

    def publish(self, proven: Mapping[Layer, Mapping[str, int]]) -> None:
        """Swap the published views to proven versions, under the fence: all are noted, or none.

        After a crash in between some views show rows that are proven but not noted. The retry
        notes them; the next interval starts from what is noted, and swaps every view again.
        """
        tables = [
            (layer, name, version)
            for layer, versions in proven.items()
            for name, version in versions.items()
        ]
        with self.lease.commit() as connection, ThreadPoolExecutor(_SWAPS_AT_ONCE) as pool:
            rows = list(pool.map(lambda table: self._swap(*table), tables))
            connection.execute(insert(journal.published), rows)

    def _swap(self, layer: Layer, name: str, version: int) -> dict[str, Any]:
        """Point one published view at its proven version; the row that notes it."""
        view, build = self.case.table(layer, name), self.case.build_table(layer, name)
        delta.publish(self.spark, build, view, version)
        return {
            "case_name": self.case.name,
            "table_name": view,
            "interval": self.interval.key,
            "until": self.interval.end,
            "version": version,
            "rows": delta.count(self.spark, build, version),
            "attempt": self.lease.attempt,
        }
