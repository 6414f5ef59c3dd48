"""Somebody's table as a feed: what became known when, under which names, and nothing lost."""

import csv
import gzip
import json
import sqlite3
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from pipelines.core.errors import BatchRefused, UsageError
from pipelines.core.settings import Settings
from pipelines.data.extract.database import DatabaseTable
from pipelines.data.extract.publications import Publishing
from pipelines.data.extract.tables import Label, Shape, days, located, rows_of
from pipelines.data.reading import listing
from pipelines.data.reading.batches import PROBLEM
from pipelines.data.reading.files import FileTable
from pipelines.data.reading.notation import Notation
from pipelines.data.reading.rows import FAILED
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Column, Feed

FEED = Feed(
    name="rows",
    description="",
    format="csv",
    columns=(
        Column("id", "string", ""),
        Column("amount", "double", "", optional=True),
        Column("is_bad", "boolean", "", optional=True),
        Column("event_at", "timestamp", ""),
        Column("known_at", "timestamp", ""),
    ),
    key=("id",),
)
SHAPE = Shape(
    columns={"ID": "id", "Amount": "amount", "Bad": "is_bad"},
    event_at="At",
    label=Label("Bad", positive="yes", negative="no"),
    notations=dict.fromkeys(("Amount", "Bad"), Notation(missing=frozenset({"NA"}))),
)
HEADER = "ID,Amount,Bad,At\n"


def landed(table: object, days: str = "2026-03-01/2026-03-03", shape: Shape = SHAPE):
    """What lands: of each row its values, the texts that did not fit in their place, or why not."""
    rows = rows_of(table, shape, FEED, Interval.parse(days)).to_pylist()
    return [
        row[PROBLEM] or {n: row[FAILED][n] or row[n] for n in FEED.column_names} for row in rows
    ]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


def file_table(folder: Path, name: str, text: str) -> FileTable:
    (folder / name).write_text(text, encoding="utf-8")
    return FileTable(str(folder / name), (folder,))


def test_rows_land_in_the_part_in_which_they_became_known(folder):
    text = (
        HEADER
        + "a,1.5,yes,2026-03-01 00:00:00\nb,NA,no,2026-03-02T01:00:00+02:00\nc,,,2026-03-02\n"
    )
    table = file_table(folder, "rows.csv", text)
    first, later = at("2026-03-01 00:00"), at("2026-03-01 23:00")
    assert landed(table, "2026-03-01") == [
        {"id": "a", "amount": 1.5, "is_bad": True, "event_at": first, "known_at": first},
        {"id": "b", "amount": None, "is_bad": False, "event_at": later, "known_at": later},
    ]
    assert [row["id"] for row in landed(table, "2026-03-02")] == ["c"]
    assert landed(table, "2026-03-03") == []
    publishing = Publishing(shape=SHAPE, columns=FEED.columns)
    assert days(table, publishing) == [date(2026, 3, 1), date(2026, 3, 2)]


def test_bad_values_and_broken_records_reach_quarantine_with_their_text(folder):
    text = (
        HEADER
        + "a,1,yes,2026-03-01\n"
        + "b,oops,perhaps,2026-03-01\n"
        + "c,2,no,yesterday\n"
        + "d,2\n"
        + '"e, ""f""\nover two lines",3,no,2026-03-01\n'
    )
    found = landed(file_table(folder, "rows.csv", text))
    assert found[1]["amount"] == "oops"
    assert found[1]["is_bad"] == "perhaps"
    assert found[2]["known_at"] == found[2]["event_at"] == "yesterday"
    assert found[3] == "2 fields where the header has 4"
    assert found[4]["id"] == 'e, "f"\nover two lines'


def test_b06_bytes_that_are_no_utf8_and_nul_cost_their_own_record(folder):
    (folder / "rows.csv").write_bytes(
        b"ID,Amount,Bad,At\na\xff,1,no,2026-03-01\nb\0,2,no,2026-03-01\nc,3,no,2026-03-01\n"
    )
    found = landed(FileTable(str(folder / "rows.csv"), (folder,)))
    assert found[:2] == ["no utf-8: byte 0xff", "a NUL byte"]
    assert found[2]["id"] == "c"


def test_a_label_that_is_known_later_comes_with_the_row_again(folder):
    text = (
        "ID,Amount,Bad,At,Settled\n"
        "later,1,yes,2026-03-01 10:00,2026-03-03 09:00\n"
        "same day,1,no,2026-03-01 10:00,2026-03-01 20:00\n"
        "beforehand,1,yes,2026-03-01 10:00,2026-02-01\n"
        "never,1,yes,2026-03-01 10:00,\n"
        "unreadable,1,yes,2026-03-01 10:00,soon\n"
    )
    shape = replace(SHAPE, label_known_at="Settled")
    table = file_table(folder, "rows.csv", text)
    told = ("id", "is_bad", "known_at")
    first = landed(table, "2026-03-01", shape)
    assert [tuple(row[name] for name in told) for row in first] == [
        ("later", None, at("2026-03-01 10:00")),
        ("same day", None, at("2026-03-01 10:00")),
        ("beforehand", True, at("2026-03-01 10:00")),
        ("never", None, at("2026-03-01 10:00")),
        ("unreadable", "true, known at soon", at("2026-03-01 10:00")),
        ("same day", False, at("2026-03-01 20:00")),
    ]
    third = landed(table, "2026-03-03", shape)
    assert [tuple(row[name] for name in told) for row in third] == [
        ("later", True, at("2026-03-03 09:00"))
    ]
    assert third[0]["event_at"] == at("2026-03-01 10:00")


def test_formats_give_equal_rows(folder):
    text = HEADER + "a,1.5,yes,2026-03-01T10:00:00Z\nb,,no,2026-03-02T10:00:00Z\n"
    expected = landed(file_table(folder, "rows.csv", text))
    rows = list(csv.DictReader(text.splitlines()))
    lines = [{**r, "Amount": float(r["Amount"]) if r["Amount"] else None} for r in rows]
    tables = {
        "rows.tsv": text.replace(",", "\t").encode(),
        "rows.csv.gz": gzip.compress(text.encode()),
        "rows.jsonl": "\n".join(map(json.dumps, lines)).encode(),
    }
    for name, content in tables.items():
        (folder / name).write_bytes(content)
        found = landed(FileTable(str(folder / name), (folder,)))
        assert found == expected, name
    typed = [{**line, "At": datetime.fromisoformat(line["At"])} for line in lines]
    pq.write_table(pa.Table.from_pylist(typed), folder / "rows.parquet")
    found = landed(FileTable(str(folder / "rows.parquet"), (folder,)))
    assert found == expected


def test_a_key_of_blanks_is_none(folder):
    text = HEADER + " ,1,no,2026-03-01\na,1,no,2026-03-01\n"
    found = landed(file_table(folder, "rows.csv", text))
    assert [row["id"] for row in found] == [None, "a"]


def test_local_times_are_of_their_zone_and_the_doubled_hour_is_said(folder, caplog):
    clock = ("2026-10-25 01:30", "2026-10-25 02:30", "2026-10-25 03:30", "2026-03-29 02:30")
    text = HEADER + "".join(f"{number},1,no,{at}\n" for number, at in enumerate(clock))
    shape = replace(SHAPE, notations={"At": Notation(zone="Europe/Berlin")})
    with caplog.at_level("WARNING"):
        found = landed(file_table(folder, "rows.csv", text), "2026-10-24/2026-10-25", shape)
    assert [row["event_at"] for row in found] == [
        at("2026-10-24T23:30"),
        at("2026-10-25T00:30"),
        at("2026-10-25T02:30"),
        "2026-03-29 02:30",
    ]
    assert "event_at: 1 times came twice, when the clocks of Europe/Berlin went back" in caplog.text


def test_a_broken_json_line_is_one_record(folder):
    text = '{"ID": 1, "At": "2026-03-01", "Amount": 1.50}\n{"ID": 2, "At\n[3]\n'
    found = landed(file_table(folder, "rows.jsonl", text))
    assert found[0]["amount"] == 1.5
    assert found[1:] == ["no JSON: Unterminated string at character 11", "no JSON object"]


def test_a_folder_is_read_in_order_without_hidden_files(folder):
    for name, row in (("b/1.csv", "two"), ("a/1.csv", "one"), (".c.csv", "x"), ("_d.csv", "x")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(HEADER + f"{row},1,no,2026-03-01\n")
    found = landed(FileTable(str(folder), (folder,)))
    assert [row["id"] for row in found] == ["one", "two"]


def test_an_object_store_is_read_as_a_folder_is(monkeypatch):
    store = fs._MockFileSystem()
    store.create_dir("bucket/rows")
    with store.open_output_stream("bucket/rows/1.csv") as file:
        file.write(f"{HEADER}a,1,yes,2026-03-01\n".encode())
    asked = []

    class Systems:
        @staticmethod
        def from_uri(uri):
            asked.append(uri)
            return store, "bucket/rows"

    monkeypatch.setattr(listing, "fs", SimpleNamespace(**{**vars(fs), "FileSystem": Systems}))
    found = landed(FileTable("s3://bucket/rows", ()))
    assert [row["id"] for row in found] == ["a"]
    assert set(asked) == {"s3://bucket/rows"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Bad,At\nyes,2026-03-01\n", "there is no column ID; there is Bad, At"),
        (
            HEADER + "a,1,no,1/3/2026\n",
            "column At: no instant can be read in 1 rows, such as '1/3/2026'",
        ),
    ],
)
def test_a_file_that_breaks_as_a_whole_is_refused_in_words(folder, text, said):
    with pytest.raises(BatchRefused, match=said):
        landed(file_table(folder, "rows.csv", text))


@pytest.fixture
def database(folder: Path) -> DatabaseTable:
    path = folder / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            'create table "the order" ("ID" int, "Amount" real, "Bad" text, "At" timestamp)'
        )
        connection.executemany(
            'insert into "the order" values (?, ?, ?, ?)',
            [
                (1, 1.5, "yes", "2026-02-28 23:59:59"),
                (2, None, "no", "2026-03-01T10:00:00"),
                (3, "much", None, "2026-03-03 23:59:59.5"),
                (4, 4, "yes", "2026-03-04 00:00:00"),
                (5, 5, "yes", None),
                (6, 6, "no", "2026-03-02 soon"),
            ],
        )
    connection.close()
    return DatabaseTable(f"sqlite:///{path}", "the order", (folder,))


def test_a_database_gives_the_rows_of_the_interval_and_those_without_time(database):
    found = landed(database)
    assert {(row["id"], row["amount"], row["is_bad"], row["known_at"]) for row in found} == {
        ("2", None, False, at("2026-03-01 10:00")),
        ("3", "much", None, at("2026-03-03 23:59:59.5")),
        ("5", 5.0, True, None),
        ("6", 6.0, False, "2026-03-02 soon"),
    }
    publishing = Publishing(shape=SHAPE, columns=FEED.columns)
    assert len(days(database, publishing)) == 4


def test_names_are_quoted_and_a_missing_table_says_what_there_is(database, folder):
    evil = DatabaseTable(database.url, 'x"; drop table "the order', (folder,))
    with pytest.raises(BatchRefused, match="there is the order"):
        evil.column_names()
    assert database.column_names() == ["ID", "Amount", "Bad", "At"]
    with pytest.raises(UsageError, match=r"dialect\+driver"):
        DatabaseTable("nope://x/y", "rows", ()).column_names()


def test_the_environment_goes_before_the_location_and_holds_the_secret(monkeypatch, folder):
    hidden = "postgresql://reader:***@db/shop#orders"
    with pytest.raises(UsageError, match="set MILLRACE_SOURCE_SHOP"):
        located(Settings(), "shop", hidden)
    monkeypatch.setenv("MILLRACE_SOURCE_SHOP", "postgresql://reader:s3@db/shop#sales.orders")
    assert located(Settings(), "shop", hidden) == DatabaseTable(
        "postgresql://reader:s3@db/shop", "sales.orders", ()
    )
    there = Settings(data_roots=(folder,))
    assert isinstance(located(there, "other", "/data/a#b.csv"), FileTable)
