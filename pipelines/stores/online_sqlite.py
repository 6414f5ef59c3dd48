"""Packed rows in an SQLite file: a table a view, an entity a row."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.core.errors import ServiceUnavailable
from pipelines.stores.online_rows import FORMAT, Found, Row

# Rows a transaction, and entities a question: memory stays flat, and readers see progress.
_ROWS_AT_ONCE = 20_000
_ASKED_AT_ONCE = 500
# Entities come in no order: with SQLite's own 2 MB every insert above 100,000 rows reads a page.
_CACHE_KIB = 64 * 1024
_NEVER = -(2**63)

_NOTES = """
    create table if not exists layouts (digest blob primary key, text text not null);
    create table if not exists marks (view text primary key, until integer not null);
"""


class SqliteRows:
    """Rows in one file; threads may share it, and readers never wait for a writer.

    Args:
        timeout_seconds: how long it waits where another writer holds the file.
    """

    def __init__(self, path: Path, timeout_seconds: float = 30) -> None:
        """Nothing is opened yet."""
        self._path, self._timeout_seconds = path, timeout_seconds
        self._connection: sqlite3.Connection | None = None
        self._turn = threading.Lock()

    def prepare(self, views: Sequence[str]) -> None:
        """Make the file and a table for each view; tables of another format are dropped."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._transaction("rwc", begin="begin immediate") as connection:
            if not _is_of_format(connection):
                _drop_everything(connection)
            for statement in filter(str.strip, _NOTES.split(";")):
                connection.execute(statement)
            for view in views:
                connection.execute(
                    f"create table if not exists {_table(view)} (entity blob primary key, "
                    "known_at integer not null, row blob not null) without rowid"
                )
            connection.execute(f"pragma user_version = {FORMAT}")

    def is_ready(self) -> bool:
        """Whether the file is there, and of this format."""
        if not self._path.exists():
            return False
        with self._transaction() as connection:
            return _is_of_format(connection)

    def drop(self, view: str) -> None:
        """Forget a view."""
        with self._transaction(begin="begin immediate") as connection:
            connection.execute(f"drop table if exists {_table(view)}")
            connection.execute("delete from marks where view = ?", [view])

    def read(self, asked: Sequence[tuple[str, Sequence[bytes]]]) -> list[list[Found]]:
        """Of each view the rows of some entities, all of one moment: a reader's transaction."""
        with self._transaction() as connection:
            return [_read(connection, view, entities) for view, entities in asked]

    def put(self, view: str, rows: Sequence[Row], outdated: int | None = None) -> None:
        """Write those rows that differ, but over no newer one that is not outdated."""
        limit = _NEVER if outdated is None else outdated
        upsert = f"""
            insert into {_table(view)} as online values (?, ?, ?) on conflict (entity) do update
            set known_at = excluded.known_at, row = excluded.row
            where online.known_at <= max(excluded.known_at, {limit})
            and (online.known_at, online.row) <> (excluded.known_at, excluded.row)
        """
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            with self._transaction(begin="begin immediate") as connection:
                connection.executemany(upsert, rows[first : first + _ROWS_AT_ONCE])

    def entities(self, view: str) -> Iterator[Sequence[bytes]]:
        """All entities of a view, in their order, some at a time."""
        after = f"select entity from {_table(view)} where entity > ? order by entity limit ?"
        last: bytes | None = b""
        while last is not None:
            with self._transaction() as connection:
                found = [row[0] for row in connection.execute(after, [last, _ROWS_AT_ONCE])]
            yield found
            last = found[-1] if found else None

    def remove(self, view: str, entities: Sequence[bytes], outdated: int) -> None:
        """Forget entities whose states are not newer than an instant."""
        with self._transaction(begin="begin immediate") as connection:
            connection.executemany(
                f"delete from {_table(view)} where entity = ? and known_at <= {outdated}",
                [(each,) for each in entities],
            )

    def mark(self, view: str) -> int | None:
        """The instant as of which a view was filled."""
        until: int | None = self._one("select until from marks where view = ?", view)
        return until

    def note_mark(self, view: str, until: int) -> None:
        """Note it."""
        with self._transaction(begin="begin immediate") as connection:
            connection.execute("insert or replace into marks values (?, ?)", [view, until])

    def layout(self, digest: bytes) -> str | None:
        """The text of a layout by its digest."""
        text: str | None = self._one("select text from layouts where digest = ?", digest)
        return text

    def note_layout(self, digest: bytes, text: str) -> None:
        """Keep a layout."""
        with self._transaction(begin="begin immediate") as connection:
            connection.execute("insert or ignore into layouts values (?, ?)", [digest, text])

    def close(self) -> None:
        """End the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _one(self, query: str, by: str | bytes) -> Any:
        with self._transaction() as connection:
            row = connection.execute(query, [by]).fetchone()
        return row[0] if row else None

    @contextmanager
    def _transaction(self, mode: str = "rw", begin: str = "begin") -> Iterator[sqlite3.Connection]:
        """One thread at a time; all of it is done, or nothing.

        Raises:
            ServiceUnavailable: the file is away, broken, locked for too long, or not prepared.
        """
        with self._turn:
            try:
                connection = self._connection = self._connection or self._opened(mode)
                with _whole(connection, begin):
                    yield connection
            except sqlite3.DatabaseError as error:
                raise ServiceUnavailable(
                    f"the online store {self._path} can't be used ({error}): if it is locked, end "
                    "the process that holds it; else remove what is there of it and run materialize"
                ) from error

    def _opened(self, mode: str) -> sqlite3.Connection:
        opened = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=self._timeout_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        opened.execute("pragma journal_mode = wal")
        opened.execute(f"pragma cache_size = -{_CACHE_KIB}")
        return opened


@contextmanager
def _whole(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _read(connection: sqlite3.Connection, view: str, entities: Sequence[bytes]) -> list[Found]:
    found: dict[bytes, Found] = {}
    for first in range(0, len(entities), _ASKED_AT_ONCE):
        asked = entities[first : first + _ASKED_AT_ONCE]
        places = ",".join("?" * len(asked))
        rows = connection.execute(
            f"select entity, known_at, row from {_table(view)} where entity in ({places})", asked
        )
        found.update((entity, (known_at, row)) for entity, known_at, row in rows)
    return [found.get(entity) for entity in entities]


def _table(view: str) -> str:
    escaped = view.replace('"', '""')
    return f'"view_{escaped}"'


def _is_of_format(connection: sqlite3.Connection) -> bool:
    (found,) = connection.execute("pragma user_version").fetchone()
    return bool(found == FORMAT)


def _drop_everything(connection: sqlite3.Connection) -> None:
    """An earlier version had a row for each value, in Feast's own tables."""
    tables = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
    for (table,) in tables:
        connection.execute(f'drop table "{table}"')
