"""The rows of a database table as Arrow tables of texts, read by SQLAlchemy.

Values are bound and names are quoted by SQLAlchemy; nothing is put into SQL text by hand.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from pipelines.core.errors import BatchRefused, MillraceError, UsageError
from pipelines.data.extract.readers import BATCH_ROWS, in_batches, require
from pipelines.data.extract.texts import text_of
from pipelines.data.reading.paths import allowed

log = logging.getLogger(__name__)

# The database may keep local times or texts with a zone: it picks generously, Python exactly.
_MARGIN = timedelta(days=1)
_UNSORTABLE = (sa.JSON, sa.ARRAY, sa.LargeBinary, sa.types.NullType)


@dataclass(frozen=True)
class Between:
    """The rows wanted: those with an instant in `[start, end)` in one of the columns."""

    columns: Sequence[str]
    start: datetime
    end: datetime


@dataclass(frozen=True)
class DatabaseTable:
    """One table or view of a database.

    Args:
        url: SQLAlchemy's, with the password.
        table: its name, `schema.name` where it has one.
        roots: a SQLite file must lie in one of these, `settings.data_roots`.
    """

    url: str
    table: str
    roots: Sequence[Path]

    def column_names(self) -> list[str]:
        """The table's columns, in its own order."""
        with self._reflected() as (_, table):
            return [column.name for column in table.columns]

    def batches(self, columns: Sequence[str], between: Between | None = None) -> Iterator[pa.Table]:
        """The rows as texts, in the order of their instants; without `between` all of them.

        Raises:
            BatchRefused: the table lacks a column.
            MillraceError: the database can't be reached, or has no such table.
        """
        with self._reflected() as (connection, table):
            found = [column.name for column in table.columns]
            require(self.table, columns, found)
            # Not SQLAlchemy's own types: its SQLite dates raise an error at the first bad text.
            raw = [sa.type_coerce(table.c[name], sa.types.NullType()) for name in columns]
            query = sa.select(*raw)
            if between:
                self._warn_of_timeless(connection, table, between)
                query = query.where(_within(table, between)).order_by(*_order(table, between))
            rows = connection.execution_options(yield_per=BATCH_ROWS).execute(query)
            yield from in_batches(columns, ([text_of(value) for value in row] for row in rows))

    def _warn_of_timeless(
        self, connection: sa.Connection, table: sa.Table, between: Between
    ) -> None:
        """A row without its instant belongs to no interval: people should know that it is there."""
        first = between.columns[0]
        query = sa.select(sa.func.count()).select_from(table).where(table.c[first].is_(None))
        if timeless := connection.execute(query).scalar_one():
            log.warning("%s: %d rows have no %s, so no interval", self.table, timeless, first)

    @contextmanager
    def _reflected(self) -> Iterator[tuple[sa.Connection, sa.Table]]:
        schema, _, name = self.table.rpartition(".")
        try:
            # Without a pool no connection stays behind.
            engine = sa.create_engine(_checked(self.url, self.roots), poolclass=NullPool)
            with engine.connect() as connection:
                yield connection, _reflect(connection, name, schema or None)
        except (NoSuchModuleError, ModuleNotFoundError, ArgumentError) as error:
            raise UsageError(
                f"the address of {self.table} can't be used ({error}); it is "
                "dialect+driver://user@host/database, the driver being installed"
            ) from error
        except SQLAlchemyError as error:
            said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise MillraceError(f"{self.table} can't be read: {said}") from error


def _reflect(connection: sa.Connection, name: str, schema: str | None) -> sa.Table:
    try:
        return sa.Table(name, sa.MetaData(), schema=schema, autoload_with=connection)
    except NoSuchTableError as error:
        there = sa.inspect(connection)
        names = [*there.get_table_names(schema), *there.get_view_names(schema)]
        raise BatchRefused(f"there is no table {name}; there is {', '.join(names)}") from error


def _checked(url: str, roots: Sequence[Path]) -> sa.URL:
    """The address; a SQLite file is read under the rules of files, and never made anew."""
    made = sa.make_url(url)
    if made.get_backend_name() == "sqlite":
        path = allowed(made.database or "", roots)
        if not path.is_file():
            raise MillraceError(f"there is no {path}; run extract again once it is there")
    return made


def _within(table: sa.Table, between: Between) -> sa.ColumnElement[bool]:
    start, end = between.start - _MARGIN, between.end + _MARGIN
    columns = [table.c[name] for name in between.columns]
    return sa.or_(*(sa.and_(c >= _bound(c, start), c < _bound(c, end)) for c in columns))


def _order(table: sa.Table, between: Between) -> list[sa.Column[Any]]:
    """By instant, then by whatever can be sorted: the same rows make the same file."""
    others = [c for c in table.columns if not isinstance(c.type, _UNSORTABLE)]
    return [*(table.c[name] for name in between.columns), *others]


def _bound(column: "sa.Column[Any]", at: datetime) -> sa.ColumnElement[Any]:
    """The instant as a parameter of the column's kind; ISO texts sort as their instants do."""
    utc = at.astimezone(UTC)
    if isinstance(column.type, sa.DateTime):
        value: Any = utc if column.type.timezone else utc.replace(tzinfo=None)
    elif isinstance(column.type, sa.Date):
        value = utc.date()
    else:
        value = utc.date().isoformat()
    return sa.bindparam(None, value, type_=column.type)
