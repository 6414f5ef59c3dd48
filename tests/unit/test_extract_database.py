"""SQLite tables as people have them: any kind of value in any column, dates in any form."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import types as sql
from sqlalchemy.dialects import mysql

from pipelines.core.errors import BatchRefused, MillraceError, UsageError
from pipelines.data.extract import database as module
from pipelines.data.extract import database_connection
from pipelines.data.extract.database import Between, DatabaseTable
from pipelines.data.extract.database_values import array
from pipelines.data.reading.batches import CELL_CHARACTERS_MAX, FILE, LINE, ORIGIN, PROBLEM

START = datetime(2026, 11, 20, tzinfo=UTC)
DAY = Between(["at"], START, START + timedelta(days=1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "their shop %#.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as made:
        yield made


def filled(
    connection: sqlite3.Connection, columns: str, rows: Sequence[Sequence[Any]], name: str = "t"
) -> DatabaseTable:
    connection.execute(f"create table {name} ({columns})")
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"insert into {name} values ({marks})", rows)
    connection.commit()
    (_, _, file), *_ = connection.execute("pragma database_list").fetchall()
    return DatabaseTable(f"sqlite:///{file}", name, [Path(file).parent])


def read(table: DatabaseTable, *columns: str, between: Between | None = None) -> pa.Table:
    batches = table.batches(columns or table.column_names(), between)
    return pa.concat_tables(batches, promote_options="permissive")


def typed(connection: sqlite3.Connection, declared: str, *values: Any) -> tuple[str, list[Any]]:
    """The type and the values of a column of that declaration."""
    found = read(filled(connection, f"a {declared}", [[value] for value in values]), "a")["a"]
    return str(found.type), found.to_pylist()


@pytest.mark.parametrize(
    ("declared", "values", "kind", "expected"),
    [
        ("integer", (1, None, 2**62), "int64", None),
        ("integer", (1, "abc", 2.5), "string", ["1", "abc", "2.5"]),
        ("real", (1, 2.5), "double", [1.0, 2.5]),
        ("numeric(10,2)", (1, 2.5, None), "double", [1.0, 2.5, None]),
        ("numeric", (1, 2), "double", [1.0, 2.0]),
        ("numeric", (2**60, 2.5), "string", [str(2**60), "2.5"]),
        ("boolean", (0, 1, None), "bool", [False, True, None]),
        ("boolean", (0, 1, 2), "int64", None),
        ("text", ("007", None, "ü"), "string", None),
        ("text", (7,), "string", ["7"]),
        ("blob", (b"K\xf6", None), "string", ["4bf6", None]),
        ("", (1, 2), "int64", None),
        ("", (1, "x"), "string", ["1", "x"]),
        ("datetime", ("2026-11-20 13:45",), "string", None),
        ("datetime", (1_795_132_800,), "int64", None),
        ("datetime", (2_461_364.5, 2_461_365.25), "timestamp[us]", None),
        ("date", (0.5,), "double", None),
        ("integer", (None, None), "int64", None),
        ("datetime", (None,), "timestamp[us]", None),
        ("nonsense(3)", ("x",), "string", None),
    ],
)
def test_values_are_typed_where_all_fit_and_else_shown(
    connection, declared, values, kind, expected
):
    found, given = typed(connection, declared, *values)
    assert found == kind
    if kind == "timestamp[us]" and values[0]:
        noon = START.replace(tzinfo=None)
        assert given == [noon, noon + timedelta(hours=18)]
    else:
        assert given == (expected or list(values))


def test_numbers_beyond_64_bits_are_exact_decimals():
    found = array([2**64 - 1, None, -1], sql.BigInteger())
    assert found.to_pylist() == [Decimal(2**64 - 1), None, Decimal(-1)]
    assert array([Decimal("NaN"), Decimal("1.10")], sql.Numeric()).to_pylist() == ["NaN", "1.10"]
    assert array([Decimal(10**40)], sql.Numeric()).to_pylist() == [str(10**40)]
    assert array([b"\x05"], mysql.BIT(4)).to_pylist() == [5]


TIMES = {
    "day": "2026-11-20",
    "clock": "2026-11-20 13:45:00.5",
    "zone": "2026-11-21T01:00:00+02:00",
    "zulu": "2026-11-20T13:45:00Z",
    "basic": "20261120",
    "week": "2026-W47-5",
    "german": "20.11.2026",
    "seconds": 1_795_132_800 + 3600,
    "milliseconds": (1_795_132_800 + 3600) * 1000,
    "microseconds": (1_795_132_800 + 3600) * 10**6,
    "number": 20_261_120,
    "julian": 2_461_365.25,
    "nothing": None,
    "empty": "",
    "garbage": "soon",
    "month 13": "2026-13-01",
    "no leap year": "2026-02-29",
    "blob": b"2026",
}
OTHERS = {
    "week before": "2026-11-13",
    "week after": "2026-11-27T00:00:00Z",
    "other seconds": 1_795_132_800 + 7 * 86_400,
    "other julian": 2_461_300.5,
}


@pytest.mark.parametrize("declared", ["", "datetime", "text", "timestamp", "date", "integer"])
def test_rows_of_the_day_in_any_form_are_read_with_those_that_nobody_can_place(
    connection, declared
):
    rows = list((TIMES | OTHERS).items())
    table = filled(connection, f"name text, at {declared}", rows)
    found = read(table, "name", between=DAY)
    # As text, a number is one of those that nobody can place.
    more = {"other seconds", "other julian"} if declared == "text" else set()
    assert set(found["name"].to_pylist()) == set(TIMES) | more


def test_a_row_counts_for_any_of_its_times_but_needs_the_first_alone(connection):
    rows = [("a", "2026-11-01", "2026-11-20"), ("b", "2026-11-01", None), ("c", None, None)]
    table = filled(connection, "name, at text, later text", rows)
    both = Between(["at", "later"], DAY.start, DAY.end)
    assert sorted(read(table, "name", between=both)["name"].to_pylist()) == ["a", "c"]


def test_the_order_is_by_instant_then_by_key_or_all_columns(connection):
    rows = [(3, "2026-11-20"), (1, "2026-11-20"), (2, "2026-11-19"), (4, None)]
    for declared in ("id integer primary key, at text", "id integer, at text"):
        table = filled(connection, declared, rows)
        found = read(table, "id", between=DAY)
        assert found["id"].to_pylist() == [4, 2, 1, 3]
        assert found[LINE].to_pylist() == [1, 2, 3, 4]
        assert set(found[FILE].to_pylist()) == {"t"}
        connection.execute("drop table t")


def test_batches_are_small_and_numbered_through(connection, monkeypatch):
    monkeypatch.setattr(module, "BATCH_ROWS", 2)
    table = filled(connection, "id integer primary key", [[n] for n in range(5)])
    batches = list(table.batches(["id"]))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert [line for batch in batches for line in batch[LINE].to_pylist()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "name", ["the order", "select", 'a"b', "Straße %s", "a.b", "x:y", "UPPER", "[b]", "a`b"]
)
def test_odd_names_are_found_and_columns_too(connection, path, name):
    quoted = '"' + name.replace('"', '""') + '"'
    table = filled(connection, f'{quoted} integer, "rows" as (1)', [], quoted)
    connection.execute(f"insert into {quoted} values (7)")
    connection.commit()
    for asked in (name, quoted, f"main.{quoted}"):
        found = DatabaseTable(table.url, asked, table.roots)
        assert found.column_names() == [name, "rows"]
        assert read(found).drop_columns(list(ORIGIN)).to_pylist() == [{name: 7, "rows": 1}]


def test_a_view_has_rows_and_a_table_without_rows_has_columns(connection):
    table = filled(connection, "id integer, at datetime", [])
    connection.execute("create view v as select id + 0.5 as half, at, null as none from t")
    view = DatabaseTable(table.url, "v", table.roots)
    assert view.column_names() == ["half", "at", "none"]
    assert list(table.batches(["id"])) == list(view.batches(["half"], DAY)) == []
    connection.execute("insert into t values (1, '2026-11-20')")
    connection.commit()
    assert read(view, between=DAY).select([0, 2]).to_pylist() == [{"half": 1.5, "none": None}]


def test_a_text_of_another_encoding_is_its_rows_problem(connection):
    table = filled(connection, "id integer primary key, a text", [(1, "ok"), (2, "x")])
    connection.execute("update t set a = cast(x'4bf66c6e' as text) where id = 2")
    connection.commit()
    found = read(table)
    assert found["id"].to_pylist() == [1, None]
    assert found[PROBLEM].to_pylist() == [None, "a: bytes where texts are: 'K\\\\xf6ln'"]


def test_a_cell_that_is_too_long_is_its_rows_problem(connection):
    rows = [(1, "x" * CELL_CHARACTERS_MAX), (2, "x" * (CELL_CHARACTERS_MAX + 1))]
    found = read(filled(connection, "id integer primary key, a text", rows), "id", "a")
    assert found["id"].to_pylist() == [1, None]
    assert found[PROBLEM][1].as_py() == "a: 1000001 characters, above 1000000"


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_what_is_counted_is_what_is_read_whatever_others_write(connection, path, mode):
    connection.execute(f"pragma journal_mode = {mode}")
    table = filled(connection, "id integer primary key, at text", [(1, "2026-11-20")])
    with table.snapshot() as snapshot:
        assert snapshot.num_rows() == 1
        if mode == "wal":  # else the reader keeps the writer waiting
            connection.execute("insert into t values (2, '2026-11-20')")
            connection.commit()
        assert pa.concat_tables(snapshot.batches(["id"], DAY))["id"].to_pylist() == [1]
        assert snapshot.num_rows(DAY) == 1
    assert read(table)["id"].to_pylist() == ([1, 2] if mode == "wal" else [1])


def test_a_program_that_writes_is_waited_for_or_named(connection, path, monkeypatch):
    table = filled(connection, "id integer", [[1]])
    connection.execute("begin exclusive")
    monkeypatch.setattr(database_connection, "LOCKED_SECONDS", 0.1)
    with pytest.raises(MillraceError, match="t can't be read: database is locked"):
        read(table)
    monkeypatch.setattr(database_connection, "LOCKED_SECONDS", 30)
    waiter = threading.Thread(target=read, args=(table,))
    waiter.start()
    connection.rollback()
    waiter.join(timeout=20)
    assert not waiter.is_alive()


def test_nothing_is_written_into_their_file(connection, path):
    table = filled(connection, "id integer", [[1]])
    before = path.read_bytes()
    with (
        pytest.raises(MillraceError, match="readonly database"),
        table.snapshot() as snapshot,
    ):
        snapshot.connection.exec_driver_sql("delete from t")
    assert path.read_bytes() == before


def test_what_is_not_there_is_said(connection, tmp_path):
    table = filled(connection, "id integer", [[1]])
    with pytest.raises(BatchRefused, match="t has no column gone, lost; it has id"):
        read(table, "gone", "lost")
    with pytest.raises(BatchRefused, match="t has no column at; it has id"):
        read(table, "id", between=DAY)
    with pytest.raises(BatchRefused, match=r'there is no table x"; drop table t; there is t'):
        DatabaseTable(table.url, 'x"; drop table t', table.roots).column_names()
    with pytest.raises(MillraceError, match=r"there is no .*none\.db"):
        DatabaseTable(f"sqlite:///{tmp_path}/none.db", "t", table.roots).column_names()
    with pytest.raises(BatchRefused, match="in none of the allowed folders"):
        DatabaseTable(table.url, "t", [Path("/elsewhere")]).column_names()
    with pytest.raises(UsageError, match=r"dialect\+driver"):
        DatabaseTable("nope://x/y", "t", ()).column_names()
    not_one = tmp_path / "text.db"
    not_one.write_text("no database at all, but long enough to be read as one" * 20)
    with pytest.raises(MillraceError, match="t can't be read: file is not a database"):
        DatabaseTable(f"sqlite:///{not_one}", "t", table.roots).column_names()


def test_texts_of_other_days_are_not_picked_whatever_is_beyond_the_last_instant(
    connection: sqlite3.Connection,
) -> None:
    days = ("2026-10-20 10:00", "2026-11-20 10:00", "2062-01-01")
    table = filled(connection, "at text", [[day] for day in days])
    between = Between(["at"], START, DAY.end, START - timedelta(days=90), DAY.end)
    assert read(table, "at", between=between)["at"].to_pylist() == list(days[1:])
