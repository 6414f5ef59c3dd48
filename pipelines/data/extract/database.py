"""The rows of a database table as typed batches, read by SQLAlchemy in one snapshot.

Values are bound and names are quoted by SQLAlchemy; nothing is put into SQL text by hand.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from pipelines.core.errors import BatchRefused, MillraceError, UsageError
from pipelines.data.extract import database_connection, database_names, database_values
from pipelines.data.extract.database_query import Column, ordered, within
from pipelines.data.reading.arrow_columns import typed_batch
from pipelines.data.reading.batches import BATCH_ROWS, Between


@dataclass(frozen=True)
class Snapshot:
    """A table as it was at one moment: what is counted is what is read."""

    connection: sa.Connection
    table: sa.TableClause
    key: Sequence[str]
    name: str

    @property
    def column_names(self) -> list[str]:
        """The table's columns, in its own order."""
        return [column.name for column in self.table.columns]

    def num_rows(self, between: Between | None = None) -> int:
        """How many rows `batches` would read."""
        query = sa.select(sa.func.count()).select_from(self.table)
        if between:
            query = query.where(within(self.table, between, self._dialect))
        return int(self.connection.execute(query).scalar_one())

    def batches(self, columns: Sequence[str], between: Between | None = None) -> Iterator[pa.Table]:
        """The rows in the order of their instants and their key; without `between` all of them.

        Rows whose instant is missing or can't be read are among those of every `between`.

        Raises:
            BatchRefused: the table lacks a column.
        """
        self._require([*columns, *(between.columns if between else ())])
        chosen = [self.table.c[name] for name in columns]
        # Not SQLAlchemy's own types: its SQLite dates raise an error at the first bad text.
        query = sa.select(*(database_values.asked(column) for column in chosen))
        query = query.select_from(self.table)
        if between:
            query = query.where(within(self.table, between, self._dialect))
        query = query.order_by(*ordered(self.table, self.key, between))
        options = {"yield_per": BATCH_ROWS}
        found = self.connection.execute(query, execution_options=options)
        line = 1
        for rows in found.partitions():
            yield self._batch(chosen, rows, line)
            line += len(rows)

    def _batch(self, columns: Sequence[Column], rows: Sequence[sa.Row[Any]], line: int) -> pa.Table:
        """A batch whose lines are the rows' numbers in their order."""
        arrays: dict[str, pa.Array] = {}
        problems: dict[int, str] = {}
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            arrays[column.name] = database_values.array(values, column.type)
            problems |= database_values.problems(column.name, values, column.type)
        lines = range(line, line + len(rows))
        return typed_batch(arrays, lines, file=self.name, problems=problems)

    def _require(self, columns: Sequence[str]) -> None:
        lacking = [name for name in columns if name not in self.column_names]
        if lacking:
            raise BatchRefused(
                f"{self.name} has no column {', '.join(lacking)}; "
                f"it has {', '.join(self.column_names)}"
            )

    @property
    def _dialect(self) -> str:
        return self.connection.dialect.name


@dataclass(frozen=True)
class DatabaseTable:
    """One table or view of a database.

    Args:
        url: SQLAlchemy's, with the password.
        table: its name, `schema.name` where it has one; odd names may stand in quotes.
        roots: a SQLite file must lie in one of these, `settings.data_roots`.
    """

    url: str
    table: str
    roots: Sequence[Path]

    def column_names(self) -> list[str]:
        """The table's columns, in its own order."""
        with self.snapshot() as found:
            return found.column_names

    def batches(
        self,
        columns: Sequence[str],
        between: Between | None = None,
        /,
        *,
        optional: Collection[str] = (),
    ) -> Iterator[pa.Table]:
        """The rows of one snapshot; see `Snapshot.batches`.

        Raises:
            BatchRefused: the table lacks a column.
            MillraceError: the database can't be reached, or has no such table.
        """
        with self.snapshot() as found:
            there = found.column_names
            asked = [name for name in columns if name in there or name not in optional]
            yield from found.batches(asked, between)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The table at one moment, in a transaction that writes nothing.

        Raises:
            BatchRefused: there is no such table.
            MillraceError: the database can't be reached or read.
        """
        try:
            with database_connection.opened(self.url, self.roots) as connection:
                table, key = database_names.found(connection, self.table)
                yield Snapshot(connection, table, key, self.table)
        except (NoSuchModuleError, ModuleNotFoundError, ArgumentError) as error:
            raise UsageError(
                f"the address of {self.table} can't be used ({error}); it is "
                "dialect+driver://user@host/database, the driver being installed"
            ) from error
        except (SQLAlchemyError, UnicodeDecodeError) as error:
            said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise MillraceError(f"{self.table} can't be read: {said}") from error
