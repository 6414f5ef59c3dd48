"""What the pages read of the journal: each query only what its page shows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Column, ColumnElement, Engine, Row, Select, func, select

from millrace_pages.site import ROWS_A_PAGE, Paging
from pipelines.core.journal import (
    builds,
    materialized,
    promotions,
    published,
    runs,
    validations,
    verdicts,
)
from pipelines.core.registry import LEAKS, TRAIN

Rows: TypeAlias = Sequence[Row[Any]]

# As many as fit side by side, a night each.
RECENT = 30
# Points of a chart: two months of nights.
POINTS = 60


def _all(engine: Engine, query: Select[Any]) -> Rows:
    with engine.connect() as connection:
        return connection.execute(query).all()


def _one(engine: Engine, query: Select[Any]) -> Row[Any] | None:
    with engine.connect() as connection:
        return connection.execute(query.limit(1)).first()


def _paged(engine: Engine, query: Select[Any], number: int) -> tuple[Rows, Paging]:
    """One page of a query that has its order, and how many rows there are in all."""
    counted = select(func.count()).select_from(query.order_by(None).subquery())
    part = query.limit(ROWS_A_PAGE).offset((number - 1) * ROWS_A_PAGE)
    with engine.connect() as connection:
        total = connection.execute(counted).scalar_one()
        return connection.execute(part).all(), Paging(number, total)


def _given(asked: Mapping[Column[Any], str]) -> Iterable[ColumnElement[bool]]:
    """Equality with each value that was asked for; empty: all."""
    return (column == value for column, value in asked.items() if value)


_ATTEMPT = (
    runs.c.attempt,
    runs.c.case_name,
    runs.c.model,
    runs.c.stage,
    runs.c.interval,
    runs.c.state,
    runs.c.error,
    runs.c.started_at,
    runs.c.wall_seconds,
    runs.c.peak_memory_mib,
    runs.c.airflow_run,
)


def newest_attempts(engine: Engine, case: str, limit: int) -> Rows:
    """The newest attempts of a case's stages."""
    newest = select(*_ATTEMPT).where(runs.c.case_name == case)
    return _all(engine, newest.order_by(runs.c.attempt.desc()).limit(limit))


def attempts(
    engine: Engine, case: str, stage: str, state: str, interval: str, number: int
) -> tuple[Rows, Paging]:
    """Attempts of stages, newest first."""
    asked = {
        runs.c.case_name: case,
        runs.c.stage: stage,
        runs.c.state: state,
        runs.c.interval: interval,
    }
    found = select(*_ATTEMPT).where(*_given(asked)).order_by(runs.c.attempt.desc())
    return _paged(engine, found, number)


def attempts_of_dag_run(engine: Engine, dag: str, run: str, number: int) -> tuple[Rows, Paging]:
    """The attempts that one run of a Dag started."""
    started = runs.c.airflow_run.startswith(f"{dag}/{run}/", autoescape=True)
    return _paged(engine, select(*_ATTEMPT).where(started).order_by(runs.c.attempt.desc()), number)


def recent_validations(engine: Engine, case: str) -> Rows:
    """The newest verdict of each table in each of the newest intervals, without its findings."""
    of_case = validations.c.case_name == case
    newest = func.max(validations.c.id)
    intervals = (
        select(validations.c.interval, newest.label("id"))
        .where(of_case)
        .group_by(validations.c.interval)
        .order_by(newest.desc())
        .limit(RECENT)
        .subquery()
    )
    columns = (validations.c.id, validations.c.table_name, validations.c.passed)
    cells = (
        select(*columns, validations.c.interval, intervals.c.id.label("of_interval"))
        .distinct(validations.c.table_name, validations.c.interval)
        .join(intervals, intervals.c.interval == validations.c.interval)
        .where(of_case)
        .order_by(validations.c.table_name, validations.c.interval, validations.c.id.desc())
    )
    return _all(engine, cells)


def validated(
    engine: Engine, case: str, table: str, state: str, interval: str, number: int
) -> tuple[Rows, Paging]:
    """Verdicts on tables, newest first, without their findings."""
    asked = {
        validations.c.table_name: table,
        validations.c.passed: state,
        validations.c.interval: interval,
    }
    columns = (column for column in validations.c if column.name != "results")
    found = select(*columns).where(validations.c.case_name == case, *_given(asked))
    return _paged(engine, found.order_by(validations.c.id.desc()), number)


def validation(engine: Engine, number: int) -> Row[Any] | None:
    """One verdict with its findings."""
    return _one(engine, select(validations).where(validations.c.id == number))


def verdicts_of(
    engine: Engine, case: str, model: str, interval: str, number: int
) -> tuple[Rows, Paging]:
    """Verdicts on drift, newest first, without what was found of each input."""
    columns = (column for column in verdicts.c if column.name != "statistics")
    share = verdicts.c.statistics["drifted_share"].as_float().label("drifted_share")
    num_rows = verdicts.c.statistics["num_rows"].as_integer().label("num_rows")
    found = select(*columns, share, num_rows).where(
        verdicts.c.case_name == case,
        verdicts.c.model == model,
        *_given({verdicts.c.interval: interval}),
    )
    return _paged(engine, found.order_by(verdicts.c.id.desc()), number)


def drifted_shares(engine: Engine, case: str, model: str) -> Rows:
    """Of the latest intervals' verdicts, the latest first, for a chart."""
    share = verdicts.c.statistics["drifted_share"].as_float().label("drifted_share")
    newest = select(verdicts.c.until, verdicts.c.drifted, share)
    newest = newest.where(verdicts.c.case_name == case, verdicts.c.model == model)
    newest = newest.order_by(verdicts.c.until.desc(), verdicts.c.id.desc())
    return _all(engine, newest.limit(POINTS))


def verdict(engine: Engine, number: int) -> Row[Any] | None:
    """One verdict with what was found of each input."""
    return _one(engine, select(verdicts).where(verdicts.c.id == number))


def trainings(engine: Engine, case: str, model: str, number: int) -> tuple[Rows, Paging]:
    """Finished trainings that made a version, newest first."""
    columns = (runs.c.attempt, runs.c.interval, runs.c.ended_at, runs.c.wall_seconds, runs.c.result)
    made = (
        select(*columns)
        .where(runs.c.case_name == case, runs.c.model == model)
        .where(runs.c.stage == TRAIN.name, runs.c.state == "done")
        .where(runs.c.result["details"]["reused"].as_boolean().is_(False))
    )
    return _paged(engine, made.order_by(runs.c.attempt.desc()), number)


def newest_audit(engine: Engine, case: str, model: str) -> Row[Any] | None:
    """The last look for inputs that know the future."""
    columns = (runs.c.attempt, runs.c.interval, runs.c.ended_at, runs.c.result)
    done = (runs.c.stage == LEAKS.name, runs.c.state == "done")
    mine = (runs.c.case_name == case, runs.c.model == model)
    return _one(engine, select(*columns).where(*mine, *done).order_by(runs.c.attempt.desc()))


def promotions_of(
    engine: Engine, case: str, model: str, interval: str, number: int
) -> tuple[Rows, Paging]:
    """The gate's answers, newest first."""
    answers = select(promotions).where(
        promotions.c.case_name == case,
        promotions.c.model == model,
        *_given({promotions.c.interval: interval}),
    )
    return _paged(engine, answers.order_by(promotions.c.id.desc()), number)


def decisions_on(engine: Engine, case: str, model: str, versions: Iterable[int]) -> Rows:
    """What was said of these versions, oldest first."""
    said = select(promotions.c.version, promotions.c.decision)
    of_model = (promotions.c.case_name == case, promotions.c.model == model)
    of_versions = promotions.c.version.in_(list(versions))
    return _all(engine, said.where(*of_model, of_versions).order_by(promotions.c.id))


def row_counts(engine: Engine, case: str) -> Rows:
    """The rows of each table at its newest publications, the newest first."""
    rank = func.row_number().over(
        partition_by=published.c.table_name, order_by=published.c.id.desc()
    )
    ranked = select(published.c.table_name, published.c.rows, rank.label("rank")).where(
        published.c.case_name == case
    )
    newest = ranked.subquery()
    points = select(newest.c.table_name, newest.c.rows).where(newest.c.rank <= POINTS)
    return _all(engine, points.order_by(newest.c.table_name, newest.c.rank))


def publications(
    engine: Engine, case: str, table: str, interval: str, number: int
) -> tuple[Rows, Paging]:
    """Every publication of a table, or in an interval, newest first."""
    asked = {published.c.table_name: table, published.c.interval: interval}
    found = select(published).where(published.c.case_name == case, *_given(asked))
    return _paged(engine, found.order_by(published.c.id.desc()), number)


def online_until(engine: Engine, case: str) -> Mapping[str, datetime]:
    """As of which instant each feature view is online, by its name."""
    marks = select(materialized.c.feature_view, materialized.c.until)
    rows = _all(engine, marks.where(materialized.c.case_name == case))
    return {row.feature_view: row.until for row in rows}


def unproven(engine: Engine, tables: Sequence[str]) -> Rows:
    """The builds of these tables that hold more than what is published."""
    newest = (
        select(published.c.version)
        .where(published.c.table_name == builds.c.table_name)
        .order_by(published.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    more = builds.c.version > func.coalesce(newest, -1)
    return _all(engine, select(builds).where(builds.c.table_name.in_(tables), more))
