"""A made-up case for the stages that decide about models: real journal, real tables.

MLflow is a list of versions in memory; a test that looks at no table starts no Spark.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, Table, insert, select

from models.columns import Columns
from models.spec import ModelSpec
from models.tabular_net.settings import TabularNet
from models.tasks import Binary
from pipelines.core import cases, journal
from pipelines.core.lease import Lease
from pipelines.core.outcomes import Outcome
from pipelines.core.registry import Stage
from pipelines.core.settings import Settings
from pipelines.core.stage import Context
from pipelines.learning import champion
from pipelines.learning import registry as models
from pipelines.stores import delta, lake, mlflow
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.model import Model, Watch
from pipelines.use_cases.spec.use_case import EntityState, UseCase
from tests.servers.contexts import replace_holder

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

# What a finished stage said of itself, where a test has nothing to say about it.
SAID: Mapping[str, Mapping[str, Any]] = {
    "train": {
        "number": 1,
        "run_id": "run",
        "interval": "2026-11-01",
        "fingerprint": "fingerprint",
        "digest": "digest",
        "reused": False,
    },
    "assemble": {"split": {}},
    "due_training": {"reason": "made up"},
}


@dataclass
class Registry:
    """A registered model: its versions, and where its aliases point."""

    name: str = "made.late"
    held: list[mlflow.Version] = field(default_factory=list)
    aliases: dict[str, int] = field(default_factory=dict)

    def versions(self) -> list[mlflow.Version]:
        return self.held

    def version(self, number: int) -> mlflow.Version:
        return next(version for version in self.held if version.number == number)

    def point_alias(self, alias: str, number: int) -> None:
        self.aliases[alias] = number

    def add(self, number: int, interval: str, cutoff: datetime, training_set: int = 0) -> None:
        version = mlflow.Version(
            number, f"run {number}", interval, "fingerprint", "digest", training_set, cutoff
        )
        self.held.insert(0, version)


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

    def run(
        self,
        stage: Stage[Any],
        interval: str,
        ended: str = "done",
        /,
        reads: Mapping[str, int] | None = None,
        rows: Mapping[str, int] | None = None,
        **details: Any,
    ) -> int:
        """A run of a stage; `details` as its outcome has them."""
        said = stage.details(**{**SAID.get(stage.name, {}), **details})
        result = journal.plain(Outcome(details=said, reads=reads or {}, rows=rows or {}))
        return self.attempt(stage, interval, ended, result)

    def attempt(self, stage: Stage[Any], interval: str, state: str, result: Any = None) -> int:
        model = "late" if stage.of_model else None
        attempt: int = self.add(
            journal.runs,
            model=model,
            stage=stage.name,
            interval=interval,
            state=state,
            result=result,
        )
        return attempt

    def publish(self, name: str, interval: str, version: int = 0) -> None:
        """A publication of a gold table; the first version is 0."""
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
            model="late",
            interval="2026-11-01",
            version=version,
            decision=decision,
            reason="made up",
            cutoff=cutoff,
            metric="roc_auc",
            value=version / 100,
            evidence={},
            attempt=1,
        )

    def judge(self, interval: str, *, due: bool, **changes: Any) -> None:
        """A verdict on an interval."""
        values = {
            "model": "late",
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

    def context(self, stage: Stage[Any], interval: str, **options: str) -> Context:
        """What the runner hands to a stage: the newest holder of its lease, so it may commit."""
        attempt = self.attempt(stage, interval, "running")
        held = None
        if stage.lease:
            name = f"{stage.lease} of late" if stage.of_model else stage.lease
            replace_holder(self.engine, self.case.name, name, attempt)
            held = Lease(self.engine, self.case.name, name, attempt)
        return Context(
            settings=self.settings,
            case=self.case,
            interval=Interval.parse(interval),
            stage=stage,
            engine=self.engine,
            attempt=attempt,
            lease=held,
            options=options,
        )

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
        models=(
            Model(
                name="late",
                task="binary",
                family="tabular_net",
                row_key=("id",),
                label="is_late",
                look_back_days=10,
                validation_days=2,
                evaluation_days=3,
                watch=Watch(window_days=2, num_rows_min=3, num_drifted=2, num_verdicts=3),
            ),
        ),
    )
    spec = ModelSpec(columns=Columns(numeric=("number",)), task=Binary(), settings=TabularNet())
    monkeypatch.setattr(cases, "model", lambda *_: spec)
    return Journal(postgres_part, journal, case)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Stands in for MLflow."""
    held = Registry()
    monkeypatch.setattr(models, "of", lambda *_: held)
    return held


@dataclass
class Tables:
    """Gold tables of the made-up case, as a stage's check would have published them."""

    spark: "SparkSession"
    made: Journal

    def make(self, name: str, columns: str, rows: list[tuple[Any, ...]]) -> int:
        """Write a table anew; its new version, which nobody has published yet."""
        build = self.made.case.build_table("gold", name)
        delta.save(self.spark, self.spark.createDataFrame(rows, columns), build, anew=True)
        return lake.of(self.made.settings).newest(build) or 0

    def publish(self, name: str, columns: str, rows: list[tuple[Any, ...]], interval: str) -> None:
        self.made.publish(name, interval, self.make(name, columns, rows))

    def exists(self, name: str) -> bool:
        return self.spark.catalog.tableExists(self.made.case.build_table("gold", name))

    def rows(self, name: str) -> list[Any]:
        """What a build table holds now; nothing if it was never written."""
        build = self.made.case.build_table("gold", name)
        return self.spark.table(build).collect() if self.exists(name) else []


@pytest.fixture
def tables(made: Journal, spark: "SparkSession") -> Tables:
    return Tables(spark, made)
