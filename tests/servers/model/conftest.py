"""The journal in a real PostgreSQL with made-up rows, for the stages that decide about models.

Nothing else is started: MLflow is a list of versions in memory, and what a stage asks Spark is
answered by a test's own stand-in.
"""

import random
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, Table, insert, select, text

from models.columns import Columns
from models.spec import ModelSpec
from pipelines.core import cases, journal, lease
from pipelines.core.settings import Settings
from pipelines.core.stage import Context
from pipelines.learning import champion
from pipelines.stores import mlflow
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.training import Training, Watch
from pipelines.use_cases.spec.use_case import EntityState, UseCase


@dataclass
class Registry:
    """MLflow's versions, and where its aliases point."""

    versions: list[mlflow.Version] = field(default_factory=list)
    aliases: dict[str, int] = field(default_factory=dict)

    def add(self, number: int, interval: str, cutoff: datetime) -> None:
        version = mlflow.Version(number, f"run {number}", interval, "fingerprint", "digest", cutoff)
        self.versions.insert(0, version)


@dataclass
class Journal:
    """One made-up case, and rows of `ops` as its stages would have written them."""

    settings: Settings
    engine: Engine
    case: UseCase

    @staticmethod
    def day(number: int, hour: int = 0) -> datetime:
        """A day of the made-up November."""
        return datetime(2026, 11, number, hour, tzinfo=UTC)

    def add(self, table: Table, **values: Any) -> Any:
        """Insert a row of the case; its first column, the key."""
        row = insert(table).values(**{"case_name": self.case.name, **values})
        with self.engine.begin() as connection:
            return connection.execute(row).inserted_primary_key[0]

    def run(self, stage: str, interval: str, ended: str = "done", /, **details: Any) -> int:
        """A run of a stage."""
        result = {"details": details}
        attempt: int = self.add(
            journal.runs, stage=stage, interval=interval, state=ended, result=result
        )
        return attempt

    def publish(self, name: str, interval: str, version: int = 1) -> None:
        """A publication of a gold table."""
        self.add(
            journal.published,
            table_name=self.case.table("gold", name),
            interval=interval,
            until=Interval.parse(interval).end,
            version=version,
            rows=1,
            attempt=1,
        )

    def promote(self, version: int, cutoff: datetime, decision: str = champion.PROMOTED) -> None:
        """An answer of the gate, or of a person."""
        self.add(
            journal.promotions,
            interval="2026-11-01",
            version=version,
            decision=decision,
            reason="made up",
            cutoff=cutoff,
            roc_auc=version / 100,
            evidence={},
            attempt=1,
        )

    def judge(self, interval: str, *, due: bool, **changes: Any) -> None:
        """A verdict on an interval."""
        values = {
            "interval": interval,
            "until": Interval.parse(interval).end,
            "model_version": 1,
            "drifted": due,
            "due": due,
            "reason": f"made up, {'due' if due else 'not due'}",
            "statistics": {},
            "attempt": 1,
        }
        self.add(journal.verdicts, **{**values, **changes})

    def context(self, interval: str, **options: str) -> Context:
        """What the runner hands to a stage: the case's newest attempt, so it may commit."""
        attempt = self.run("test", interval, "running")
        fence = journal.insert_or_update(journal.fences, case_name=self.case.name, attempt=attempt)
        with self.engine.begin() as connection:
            connection.execute(fence)
        held = lease.Lease(self.engine, self.case.name, attempt)
        return Context(self.settings, self.case, Interval.parse(interval), held, options)

    def rows(self, table: Table) -> list[Any]:
        """The case's rows, oldest first."""
        mine = select(table).where(table.c.case_name == self.case.name)
        with self.engine.connect() as connection:
            return list(connection.execute(mine.order_by(next(iter(table.primary_key)))))


@pytest.fixture
def made(postgres_part: Settings, journal: Engine, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A case of its own, that no other test writes to."""
    case = UseCase(
        name=f"made_{random.SystemRandom().randrange(16**10):x}",
        description="Made up",
        feeds=(),
        silver=(),
        entity_states=(
            EntityState(name="states", keys=("place",), step_minutes=60, ttl_minutes=60),
        ),
        gold=("decisions", "labels"),
        training=Training(
            row_key=("id",),
            label="is_late",
            look_back_days=10,
            validation_days=2,
            evaluation_days=3,
            watch=Watch(window_days=2, num_rows_min=3, num_drifted=2, num_verdicts=3),
        ),
    )
    spec = ModelSpec(name="made", columns=Columns(numeric=("number",), label="is_late"))
    monkeypatch.setattr(cases, "model", lambda _: SimpleNamespace(MODEL=spec))
    return Journal(postgres_part, journal, case)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Stands in for MLflow."""
    held = Registry()
    by_number = lambda _, __, number: next(v for v in held.versions if v.number == number)  # noqa: E731
    follow = lambda _, __, alias, number: held.aliases.update({alias: number})  # noqa: E731
    monkeypatch.setattr(mlflow, "connect", lambda _: held)
    monkeypatch.setattr(mlflow, "versions", lambda client, _: client.versions)
    monkeypatch.setattr(mlflow, "version", by_number)
    monkeypatch.setattr(mlflow, "point_alias", follow)
    return held


class Answer:
    """The rows of a query, as a Spark frame gives them."""

    def __init__(self, names: list[str], rows: list[Any]) -> None:
        self.columns, self._rows = names, rows

    def count(self) -> int:
        return len(self._rows)

    def collect(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self._rows]

    def toArrow(self) -> pa.Table:  # noqa: N802  as Spark calls it
        by_column = zip(*self._rows, strict=True) if self._rows else [[] for _ in self.columns]
        return pa.table(dict(zip(self.columns, map(list, by_column), strict=True)))


@dataclass
class Tables:
    """Gold tables of the made-up case, and Spark's SQL on them, answered by PostgreSQL.

    Of the two dialects the stages' queries use little that differs; that little is put into the
    other's words here. That Spark reads them too is for the tests of the running whole.
    """

    engine: Engine
    case: UseCase

    def make(self, name: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
        table = self.case.table("gold", name)
        marks = ", ".join(f":v{place}" for place in range(columns.count(",") + 1))
        values = [{f"v{place}": value for place, value in enumerate(row)} for row in rows]
        with self.engine.begin() as connection:
            connection.execute(text("create schema if not exists gold"))
            connection.execute(text(f"drop table if exists {table}"))
            connection.execute(text(f"create table {table} ({columns})"))
            if values:
                connection.execute(text(f"insert into {table} values ({marks})"), values)

    def table(self, name: str) -> Answer:
        return self.sql(f"select * from {name} limit 0")

    def sql(self, query: str) -> Answer:
        said = re.sub(r"version as of \d+", "", query.replace("`", '"'))
        said = re.sub(r"max_by\(([^,]+), (\w+)\)", r"(array_agg(\1 order by \2 desc))[1]", said)
        said = re.sub(r"xxhash64\(([^)]+)\)", r"hashtext(\1::text)", said)
        said = re.sub(
            r"select \* from (\S+ where .*?) qualify row_number\(\) over \((.*?)\) = 1",
            r"select * from (select *, row_number() over (\2) as place from \1) where place = 1",
            said,
        )
        with self.engine.begin() as connection:
            connection.execute(text("set local time zone 'UTC'"))
            found = connection.execute(text(said.replace(":", r"\:")))
            return Answer(list(found.keys()), list(found))


@pytest.fixture
def tables(made: Journal) -> Tables:
    return Tables(made.engine, made.case)
