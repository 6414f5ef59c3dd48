"""Tables of somebody's PostgreSQL or MySQL, with odd names and types, as typed batches."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from pipelines.core.errors import BatchRefused, MillraceError
from pipelines.core.settings import Settings
from pipelines.data.extract.database import DatabaseTable
from pipelines.data.reading.batches import ORIGIN, Between
from tests import mariadb_server

DAY = Between(["at"], datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))

CLOCK = datetime.fromisoformat("2026-11-20T13:45:00.5")


def run(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def read(table: DatabaseTable, *columns: str, between: Between | None = None) -> pa.Table:
    asked = columns or table.column_names()
    return pa.concat_tables(table.batches(asked, between)).drop_columns(list(ORIGIN[:1]))


def types(found: pa.Table) -> dict[str, str]:
    return {field.name: str(field.type) for field in found.schema if field.name not in ORIGIN}


@pytest.fixture(scope="module")
def postgres(postgres_part: Settings) -> Iterator[str]:
    """The address of a database of somebody else's, on the embedded server."""
    admin = create_engine(postgres_part.database("postgres"), isolation_level="AUTOCOMMIT")
    with closing(admin.raw_connection()) as connection:
        connection.cursor().execute("drop database if exists theirs with (force)")
        connection.cursor().execute("create database theirs")
    address = admin.url.set(database="theirs").render_as_string(hide_password=False)
    yield address
    with closing(admin.raw_connection()) as connection:
        connection.cursor().execute("drop database theirs with (force)")
    admin.dispose()


@pytest.fixture(scope="module")
def mariadb() -> Iterator[str]:
    with mariadb_server.address() as address:
        yield address


def engine_of(address: str) -> Engine:
    said = {"client_encoding": "utf8"} if address.startswith("postgres") else {}
    driven = address.replace("mysql://", "mysql+pymysql://")
    return create_engine(driven, poolclass=NullPool, connect_args=said)


def test_postgres_types_stay_types(postgres):
    engine = engine_of(postgres)
    run(
        engine,
        "create type mood as enum ('calm', 'cross')",
        "create domain share as numeric(38,10) check (value >= 0)",
        """create table kinds (
            id bigint primary key, price money, feeling mood, part share, took interval,
            born date, at timestamp, seen timestamptz, clock time, note json, tags text[],
            raw bytea, who uuid, yes boolean, wide numeric, mask bit(3), twice bigint
                generated always as (id * 2) stored)""",
        """insert into kinds values (9007199254740993, '1234.50', 'calm', 1.0000000001,
            '1 day 90 seconds', '2026-11-20', '2026-11-20 13:45:00.5', '2026-11-20 13:45+02',
            '13:45', '{"a": 1.10}', '{x,NULL}', '\\x4b', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
            true, 12345678901234567890.5, b'101')""",
        "insert into kinds (id) values (1)",
    )
    found = read(DatabaseTable(postgres, "kinds", ())).to_pylist()
    assert found[0]["id"] == 1
    assert {v for k, v in found[0].items() if k not in ("id", "twice", "__line__")} == {None}
    assert found[1] == {
        "id": 9007199254740993,
        "price": Decimal("1234.50"),
        "feeling": "calm",
        "part": Decimal("1.0000000001"),
        "took": 86_490.0,
        "born": date(2026, 11, 20),
        "at": CLOCK,
        "seen": datetime(2026, 11, 20, 11, 45, tzinfo=UTC),
        "clock": "13:45:00",
        "note": '{"a": 1.10}',
        "tags": '["x", null]',
        "raw": "4b",
        "who": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "yes": True,
        "wide": Decimal("12345678901234567890.5"),
        "mask": "101",
        "twice": 18014398509481986,
        "__line__": 2,
        "__raw__": None,
        "__problem__": None,
    }


def test_a_date_before_christ_or_without_end_is_a_text_and_loses_no_row(postgres):
    engine = engine_of(postgres)
    run(
        engine,
        "create table eras (id int primary key, at timestamp, born date)",
        "insert into eras values (1, '0044-03-15 00:00 BC', '0044-03-15 BC'),"
        " (2, '2026-11-20', '2026-11-20'), (3, '12026-11-20', '12026-11-20')",
    )
    assert read(DatabaseTable(postgres, "eras", ())).column("born").to_pylist() == [
        "0044-03-15 BC",
        "2026-11-20",
        "12026-11-20",
    ]


@pytest.mark.parametrize(
    ("made", "named"),
    [
        ('"Order Lines"', '"Order Lines"'),
        ('"Order Lines"', "Order Lines"),
        ('"dots.in.it"', "dots.in.it"),
        ('"select"', "select"),
        ('"it\'s ""quoted"""', 'it\'s "quoted"'),
        ('"Straße %s"', "Straße %s"),
        ('"Their Schema"."Daily.Orders"', '"Their Schema"."Daily.Orders"'),
        ("plain.orders", "plain.orders"),
    ],
)
def test_postgres_names_are_found_as_people_write_them(postgres, made, named):
    engine = engine_of(postgres)
    run(
        engine,
        'create schema if not exists "Their Schema"',
        "create schema if not exists plain",
        f'create table {made.replace("%", "%%")} ("Größe (%%)" int, "from" text, "a""b" text)',
        f"insert into {made.replace('%', '%%')} values (7, 'x', 'y')",
    )
    try:
        found = read(DatabaseTable(postgres, named, ()))
        assert found.drop_columns(list(ORIGIN[1:])).to_pylist() == [
            {"Größe (%)": 7, "from": "x", 'a"b': "y"}
        ]
    finally:
        run(engine, f"drop table {made.replace('%', '%%')}")


def test_a_name_that_is_not_there_says_which_are(postgres):
    run(engine_of(postgres), "create schema few", "create table few.here (a int)")
    with pytest.raises(BatchRefused, match="there is no table gone; there is here"):
        DatabaseTable(postgres, "few.gone", ()).column_names()


def test_only_the_day_is_asked_for_and_rows_without_an_instant(postgres):
    engine = engine_of(postgres)
    for kind in ("timestamp", "timestamptz", "date", "text"):
        run(
            engine,
            f"create table asked (id int primary key, at {kind})",
            "insert into asked values (1, '2026-11-20'), (2, null), (3, '2026-11-24'),"
            " (4, '2026-11-10')",
        )
        table = DatabaseTable(postgres, "asked", ())
        assert sorted(read(table, "id", between=DAY)["id"].to_pylist()) == [1, 2], kind
        run(engine, "drop table asked")


def test_views_are_tables_and_one_without_rows_has_columns(postgres):
    engine = engine_of(postgres)
    run(
        engine,
        "create table below (id int, at timestamp)",
        "create view seen as select id * 2 as twice, at from below",
        "create materialized view kept as select * from below",
    )
    for name in ("seen", "kept"):
        table = DatabaseTable(postgres, name, ())
        assert table.column_names()[1] == "at"
        assert not list(table.batches(["at"], DAY))
    run(engine, "insert into below values (4, '2026-11-20')")
    assert read(DatabaseTable(postgres, "seen", ()), between=DAY)["twice"].to_pylist() == [8]


@pytest.mark.parametrize("which", ["postgres", "mariadb"])
@pytest.mark.parametrize("kind", ["varchar(40)", "bigint", "double precision"])
def test_texts_and_numbers_are_times_too(which, kind, request):
    address = request.getfixturevalue(which)
    is_text = kind.startswith("varchar")
    day = {1: "2026-11-20 10:00", 2: "20.11.2026", 3: "2026-13-01", 4: ""} if is_text else {}
    day |= {5: 1_795_132_800, 6: 1_795_132_800_000, 7: 20_261_120, 8: None}
    others = {20: "2026-11-24", 21: "2025-11-20T00:00:00Z"} if is_text else {22: 1_795_752_800}
    engine = engine_of(address)
    run(engine, f"create table forms (id int primary key, at {kind})")
    with engine.begin() as connection:
        rows = [{"id": n, "at": at} for n, at in (day | others).items()]
        if is_text:
            rows = [row | {"at": None if row["at"] is None else str(row["at"])} for row in rows]
        connection.execute(text("insert into forms values (:id, :at)"), rows)
    found = read(DatabaseTable(address, "forms", ()), "id", between=DAY)
    assert sorted(found["id"].to_pylist()) == sorted(day)
    run(engine, "drop table forms")


@pytest.mark.parametrize("which", ["postgres", "mariadb"])
def test_what_is_counted_is_what_is_read_whatever_others_write(which, request):
    address = request.getfixturevalue(which)
    engine = engine_of(address)
    run(
        engine,
        "create table moving (id int primary key, at timestamp null)",
        "insert into moving values (1, '2026-11-20'), (2, '2026-11-20')",
    )
    with DatabaseTable(address, "moving", ()).snapshot() as snapshot:
        run(engine, "insert into moving values (3, '2026-11-20')", "delete from moving where id=1")
        assert snapshot.num_rows() == 2
        read_rows = pa.concat_tables(snapshot.batches(["id"], DAY))
        assert read_rows["id"].to_pylist() == [1, 2]
        assert snapshot.num_rows(DAY) == 2
        with pytest.raises(Exception, match=r"(?i)read.only"):
            snapshot.connection.execute(text("delete from moving"))
    assert read(DatabaseTable(address, "moving", ()))["id"].to_pylist() == [2, 3]


def test_mysql_types_stay_types(mariadb):
    run(
        engine_of(mariadb),
        "set sql_mode = ''",
        """create table kinds (id bigint unsigned primary key, ok tinyint(1), price decimal(38,10),
            at datetime(6), seen timestamp null, born date, clock time, mask bit(4), year_ year,
            colour enum('red','green'), sizes set('s','m'), note json, raw blob, `Größe %%` float)
            character set latin1""",
        """insert into kinds values (18446744073709551615, 2, 1.0000000001,
            '2026-11-20 13:45:00.5', '2026-11-20 13:45:00', '2026-11-20', '01:30:00', b'101', 2026,
            'green', 's,m', '{"a": 1.10}', x'4b', 0.5)""",
    )
    found = read(DatabaseTable(mariadb, "kinds", ()))
    assert found.drop_columns(list(ORIGIN[1:])).to_pylist() == [
        {
            "id": Decimal(18446744073709551615),
            "ok": 2,
            "price": Decimal("1.0000000001"),
            "at": CLOCK,
            "seen": datetime(2026, 11, 20, 13, 45, tzinfo=UTC),
            "born": date(2026, 11, 20),
            "clock": 5400.0,
            "mask": 5,
            "year_": 2026,
            "colour": "green",
            "sizes": "s,m",
            "note": '{"a": 1.10}',
            "raw": "4b",
            "Größe %": 0.5,
        }
    ]


def test_a_mysql_zero_date_is_read_every_day_as_its_text(mariadb):
    with engine_of(mariadb).begin() as connection:
        connection.exec_driver_sql("set sql_mode = ''")
        connection.exec_driver_sql("create table zeros (id int primary key, at datetime)")
        connection.exec_driver_sql(
            "insert into zeros values (1, '0000-00-00'), (2, '2026-11-20'), (3, '2026-12-24'),"
            " (4, '2026-00-15'), (5, null)"
        )
    found = read(DatabaseTable(mariadb, "zeros", ()), "id", "at", between=DAY)
    by_id = dict(zip(found["id"].to_pylist(), found["at"].to_pylist(), strict=True))
    assert by_id == {
        1: "0000-00-00 00:00:00",
        2: "2026-11-20T00:00:00",
        4: "2026-00-15 00:00:00",
        5: None,
    }


def test_a_mysql_name_may_be_odd_or_of_another_database(mariadb):
    run(
        engine_of(mariadb),
        "create database other",
        "create table other.`Order ``x`` %%` (`from` int, `A b` int)",
        "insert into other.`Order ``x`` %%` values (1, 2)",
    )
    found = read(DatabaseTable(mariadb, "other.`Order ``x`` %`", ()))
    assert found.drop_columns(list(ORIGIN[1:])).to_pylist() == [{"from": 1, "A b": 2}]


def test_a_server_that_is_not_there_is_said_without_its_password():
    table = DatabaseTable("postgresql://me:hush-hush@127.0.0.1:9/none", "t", ())
    with pytest.raises(MillraceError, match="t can't be read") as refused:
        table.column_names()
    assert "hush" not in str(refused.value)
