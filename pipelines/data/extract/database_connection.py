"""A connection to somebody's database, in a transaction that sees one moment and writes nothing."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from pipelines.core.errors import MillraceError
from pipelines.data.reading.paths import allowed

# How people write addresses, and the drivers that are installed.
_DRIVERS = {
    "postgres": "postgresql+psycopg2",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
# A program that writes its file at the moment is waited for.
LOCKED_SECONDS = 30
_BEGINNINGS = {
    # The session's zone first: a MySQL TIMESTAMP is shown in it.
    "mysql": (
        "set session time_zone = '+00:00'",
        "start transaction with consistent snapshot, read only",
    ),
    # Its driver begins nothing before a SELECT.
    "sqlite": ("begin",),
}
_BEGINNINGS["mariadb"] = _BEGINNINGS["mysql"]


@contextmanager
def opened(url: str, roots: Sequence[Path]) -> Iterator[sa.Connection]:
    """A connection whose statements all see the same rows.

    Raises:
        BatchRefused: a SQLite file outside the roots.
        MillraceError: there is no such SQLite file.
    """
    with _engine(url, roots).connect() as connection:
        _begin(connection)
        yield connection


def _engine(url: str, roots: Sequence[Path]) -> sa.Engine:
    made = sa.make_url(url)
    made = made.set(drivername=_DRIVERS.get(made.drivername, made.drivername))
    # Without a pool no connection stays behind. JSON stays the text that the server keeps.
    if made.get_backend_name() == "sqlite":
        connect = _sqlite(made.database or "", roots)
        return sa.create_engine("sqlite://", creator=connect, poolclass=NullPool)
    # Of a database without an encoding (SQL_ASCII) the names and texts are almost always UTF-8.
    said = {"client_encoding": "utf8"} if made.get_backend_name() == "postgresql" else {}
    return sa.create_engine(made, poolclass=NullPool, json_deserializer=str, connect_args=said)


def _begin(connection: sa.Connection) -> None:
    name = connection.dialect.name
    if name == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        _keep_odd_dates(connection)
    for statement in _BEGINNINGS.get(name, ()):
        connection.exec_driver_sql(statement)


def _sqlite(database: str, roots: Sequence[Path]) -> Callable[[], sqlite3.Connection]:
    """How to open a SQLite file: under the rules of files, never made anew and never written."""
    path = allowed(database, roots)
    if not path.is_file():
        raise MillraceError(f"there is no {path}; run extract again once it is there")
    address = f"file:{quote(str(path))}?mode=ro"

    def connect() -> sqlite3.Connection:
        made = sqlite3.connect(address, uri=True, timeout=LOCKED_SECONDS)
        made.text_factory = _text
        return made

    return connect


def _text(raw: bytes) -> str | bytes:
    """A text; one that is no UTF-8, at which the driver would raise an error, as its bytes."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _keep_odd_dates(connection: sa.Connection) -> None:
    """A date beyond Python's years, such as one before Christ, stays its text."""
    from psycopg2 import extensions  # type: ignore[import-untyped]

    driver: Any = connection.connection.dbapi_connection
    kinds = (extensions.PYDATE, extensions.PYDATETIME, extensions.PYDATETIMETZ)
    for kind in kinds:
        extensions.register_type(extensions.new_type(kind.values, "ODD", _or_text(kind)), driver)


def _or_text(kind: Callable[[str | None, Any], object]) -> Callable[[str | None, Any], object]:
    def change(text: str | None, cursor: object) -> object:
        try:
            return kind(text, cursor)
        except (ValueError, OverflowError):
            return text

    return change
