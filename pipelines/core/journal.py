"""The journal: what ran, what was built, what is published, who may commit (schema `ops`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Engine,
    Identity,
    MetaData,
    String,
    Table,
    create_engine,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.pool import NullPool

from pipelines.core import migrations
from pipelines.core.outcomes import Outcome
from pipelines.core.registry import Stage
from pipelines.core.settings import Settings

Details = TypeVar("Details")

# A change here comes with a revision (pipelines/core/migrations).
metadata = MetaData(schema="ops")


def _instant(name: str) -> Column:  # type: ignore[type-arg]
    return Column(name, DateTime(timezone=True), server_default=func.now(), nullable=False)


# One row an attempt of a stage: what it read and wrote, and what it cost.
runs = Table(
    "runs",
    metadata,
    Column("attempt", BigInteger, Identity(), primary_key=True),
    Column("case_name", String, nullable=False, index=True),
    Column("model", String),  # null: the stage is about the case's data
    Column("stage", String, nullable=False),
    Column("interval", String, nullable=False),
    _instant("started_at"),
    Column("ended_at", DateTime(timezone=True)),
    Column("state", String, nullable=False),  # running, done, nothing due, failed
    Column("error", String),
    Column("result", JSON),  # rows, reads, writes, details
    Column("wall_seconds", Double),
    Column("cpu_seconds", Double),
    Column("peak_memory_mib", Double),
    Column("code_version", String),
    Column("airflow_run", String),  # dag_id/run_id/task_id, when Airflow started it
)

# The newest attempt at each lease: only it may commit (see pipelines.core.lease).
fences = Table(
    "fences",
    metadata,
    Column("case_name", String, primary_key=True),
    Column("lease", String, primary_key=True),
    Column("attempt", BigInteger, nullable=False),
)

# The interval whose work a build table holds on top of what is published.
builds = Table(
    "builds",
    metadata,
    Column("table_name", String, primary_key=True),
    Column("case_name", String, nullable=False),
    Column("interval", String, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("attempt", BigInteger, nullable=False),
)

# Every publication; the newest row of a table is what readers see.
published = Table(
    "published",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("case_name", String, nullable=False, index=True),
    Column("table_name", String, nullable=False, index=True),
    Column("interval", String, nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),  # the interval's end
    Column("version", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),  # of the whole table at that version
    Column("attempt", BigInteger, nullable=False),
    _instant("published_at"),
)

# One row a validated table: the verdict, every expectation's result, and where its page of Data
# Docs is, once they are built.
validations = Table(
    "validations",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("case_name", String, nullable=False, index=True),
    Column("layer", String, nullable=False),
    Column("table_name", String, nullable=False),
    Column("interval", String, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("passed", String, nullable=False),  # passed, warned, failed
    Column("statistics", JSON, nullable=False),
    Column("results", JSON, nullable=False),
    Column("page", String),  # relative to the reports
    _instant("validated_at"),
)

# How far each feature view is online, and by which version of its gold table; never moves back.
materialized = Table(
    "materialized",
    metadata,
    Column("case_name", String, primary_key=True),
    Column("feature_view", String, primary_key=True),
    Column("until", DateTime(timezone=True), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("attempt", BigInteger, nullable=False),
)

# Every answer of the gate; the newest row that names a champion says which model predicts.
promotions = Table(
    "promotions",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("case_name", String, nullable=False, index=True),
    Column("model", String, nullable=False),
    Column("interval", String, nullable=False),
    Column("version", BigInteger, nullable=False),  # of the registered model that was judged
    # promoted, kept (the old one), refreshed, rolled back
    Column("decision", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("champion_before", BigInteger),
    Column("cutoff", DateTime(timezone=True), nullable=False),  # nothing later was learned from
    Column("metric", String),  # by which it was judged; null: a person decided
    Column("value", Double),
    Column("evidence", JSON, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    _instant("decided_at"),
)

# One row a watched interval: whether the world drifted, and whether retraining is due.
verdicts = Table(
    "verdicts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("case_name", String, nullable=False, index=True),
    Column("model", String, nullable=False),
    Column("interval", String, nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),  # the interval's end
    Column("model_version", BigInteger, nullable=False),
    Column("drifted", Boolean),  # null: too few rows for a verdict
    Column("due", Boolean, nullable=False),
    Column("reason", String, nullable=False),
    Column("statistics", JSON, nullable=False),
    Column("page", String),  # relative to the reports
    Column("attempt", BigInteger, nullable=False),
    _instant("judged_at"),
)


@cache
def engine(settings: Settings) -> Engine:
    """A pooled engine on the journal, which has the `ops` tables of this code from here on.

    Raises:
        NewerHome: a newer version of this code wrote the journal.
    """
    made = create_engine(settings.database("millrace"), pool_pre_ping=True)
    migrations.bring_to_head(made)
    return made


def published_version(address: str, table: str) -> int | None:
    """The version of a table that readers see, by a journal's address; None: there is none.

    For processes that have no settings, such as Feast's own command line.
    """
    newest = select(published.c.version).where(published.c.table_name == table)
    with create_engine(address, poolclass=NullPool).connect() as connection:
        return connection.scalar(newest.order_by(published.c.id.desc()).limit(1))


def insert_or_update(table: Table, **values: Any) -> Insert:
    """An insert that overwrites the row of the same primary key."""
    row = insert(table).values(**values)
    return row.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)


@dataclass(frozen=True)
class Done(Generic[Details]):
    """A finished run of a stage, and its outcome as the stage gave it."""

    attempt: int
    outcome: Outcome[Details]


def newest_done(
    engine: Engine, case: str, stage: Stage[Details], *conditions: Any
) -> Done[Details] | None:
    """The newest finished run of a stage; None: there is none."""
    done = (runs.c.case_name == case, runs.c.stage == stage.name, runs.c.state == "done")
    newest = select(runs.c.attempt, runs.c.result).where(*done, *conditions)
    with engine.connect() as connection:
        row = connection.execute(newest.order_by(runs.c.attempt.desc()).limit(1)).first()
    return Done(row.attempt, parsed(stage, row.result)) if row else None


def plain(outcome: Outcome[Any]) -> dict[str, Any]:
    """An outcome as plain JSON; `parsed` reads it back."""
    made: dict[str, Any] = TypeAdapter(Outcome[Any]).dump_python(outcome, mode="json")
    details = TypeAdapter(type(outcome.details)).dump_python(outcome.details, mode="json")
    return {**made, "details": details}


def parsed(stage: Stage[Details], result: Mapping[str, Any]) -> Outcome[Details]:
    """The outcome of a stage, as `ops.runs.result` has it.

    Raises:
        pydantic.ValidationError: it is not what the stage gives.

    Example:
        >>> from pipelines.core.registry import PREDICT
        >>> parsed(PREDICT, {"details": {"model_version": 3}}).details
        Predicted(model_version=3)
    """
    return Outcome(
        details=TypeAdapter(stage.details).validate_python(result["details"]),
        rows=result.get("rows") or {},
        reads=result.get("reads") or {},
        writes=result.get("writes") or {},
    )
