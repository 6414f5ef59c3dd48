"""A source that grows and changes, extracted night by night: each row lands once, late ones too."""

import json
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from deltalake import write_deltalake
from sqlalchemy import create_engine

from pipelines.core import cases
from pipelines.core.registry import EXTRACT
from pipelines.core.settings import Settings
from pipelines.core.stage import Context
from pipelines.data.extract import job
from pipelines.data.extract.database import DatabaseTable
from pipelines.data.extract.tables import Label, Rows, Shape, Table
from pipelines.data.reading.delimited import Delimited
from pipelines.data.reading.dialect import Dialect
from pipelines.data.reading.files import FileTable
from pipelines.use_cases import find
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Column, Feed

FEED = Feed(
    name="rows",
    description="",
    format="parquet",
    columns=(
        Column("id", "string", ""),
        Column("late", "boolean", "", optional=True),
        Column("event_at", "timestamp", ""),
        Column("known_at", "timestamp", ""),
    ),
    key=("id",),
)
CASE = replace(find("flight_delays"), name="parcels", feeds=(FEED,))
SHAPE = Shape(
    columns={"ID": "id", "Late": "late"},
    event_at="At",
    label=Label("Late", "yes", "no"),
    begins=date(2026, 3, 1),
)
HEADER = "ID,Late,At\n"


class Nights:
    """The nights of a case whose source is a table."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.table: Table
        self.shape = SHAPE
        self.home = home
        monkeypatch.setattr(cases, "source", lambda _: SimpleNamespace(source=self._source))

    def _source(self, _: Settings, interval: Interval) -> Rows:
        return Rows(self.table, self.shape, interval)

    def extract(self, key: str) -> tuple[int, int]:
        """Rows and parts that are new."""
        interval = Interval.parse(key)
        lease: Any = SimpleNamespace(commit=nullcontext)
        done = job.run(
            Context(
                settings=Settings(home=self.home, now=interval.end + timedelta(hours=1)),
                case=CASE,
                interval=interval,
                stage=EXTRACT,
                engine=create_engine("sqlite://"),
                attempt=1,
                lease=lease,
            )
        )
        self.read = done.details.read
        return done.rows["rows"], done.details.new_parts

    def landed(self, day: str) -> list[tuple[str, bool | None, datetime]]:
        """Of a day the ids, labels and times of publication, in their order."""
        folder = Path(Settings(home=self.home).objects.landing, "parcels", "rows", day)
        manifest = json.loads((folder / "manifest.json").read_text())
        files = [folder / manifest["version"] / file["name"] for file in manifest["files"]]
        rows = pa.concat_tables([pq.read_table(file) for file in files]).to_pylist()
        return [(row["id"], row["late"], row["known_at"]) for row in rows]


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    return Nights(tmp_path / "home", monkeypatch)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def late(part: str, placed: str) -> datetime:
    """When a row is known that is found late: a microsecond before the end for each second."""
    end = at(part) + timedelta(days=1)
    return end - (end - at(placed)) / 10**6


def file_of(folder: Path, *lines: str) -> FileTable:
    (folder / "rows.csv").write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return FileTable(str(folder / "rows.csv"), (folder,))


def test_b15_late_rows_land_once_in_the_night_that_finds_them(
    nights: Nights, tmp_path: Path
) -> None:
    first = ["a,no,2026-03-01 10:00", "b,yes,2026-03-02 10:00"]
    nights.table = file_of(tmp_path, *first)
    assert nights.extract("2026-03-01/2026-03-02") == (2, 2)
    nights.table = file_of(tmp_path, *first, "late,no,2026-03-01 11:00", "c,no,2026-03-03 09:00")
    assert nights.extract("2026-03-03") == (2, 1)
    became = {"landed before": 2, "late": 1, "new": 1, "of other days": 0}
    assert nights.read == {"rows": {"rows read": 4, **became}}
    found = nights.landed("2026-03-03")
    assert sorted(found) == [
        ("c", False, at("2026-03-03 09:00")),
        ("late", False, late("2026-03-03", "2026-03-01 11:00")),
    ]
    assert nights.landed("2026-03-01") == [("a", False, at("2026-03-01 10:00"))]
    # Neither that night again nor the next one takes them again.
    assert nights.extract("2026-03-03") == (2, 0)
    assert nights.extract("2026-03-04") == (0, 1)


def test_b15_what_was_published_stays_published_where_the_source_changes_in_place(
    nights: Nights, tmp_path: Path
) -> None:
    nights.table = file_of(tmp_path, "a,,2026-03-01 10:00", "b,no,2026-03-01 11:00")
    nights.extract("2026-03-01")
    before = nights.landed("2026-03-01")
    nights.table = file_of(tmp_path, "a,yes,2026-03-01 10:00", "b,no,2026-03-01 11:00")
    assert nights.extract("2026-03-01") == (2, 0)
    assert nights.landed("2026-03-01") == before
    assert nights.extract("2026-03-02") == (1, 1)
    assert nights.landed("2026-03-02") == [("a", True, late("2026-03-02", "2026-03-01 10:00"))]


@pytest.mark.parametrize("day", ["2000-01-01", "2099-12-31"])
def test_the_first_and_the_last_days_that_there_are_can_be_extracted(
    nights: Nights, tmp_path: Path, day: str
) -> None:
    nights.table = file_of(tmp_path, f"a,no,{day} 10:00")
    nights.shape = replace(SHAPE, begins=None)
    assert nights.extract(day) == (1, 1)
    assert nights.extract(day) == (1, 0)


def folder_of(folder: Path, **files: str) -> FileTable:
    folder.mkdir(exist_ok=True)
    for name, lines in files.items():
        (folder / f"{name}.csv").write_text(HEADER + lines)
    return FileTable(str(folder), (folder,))


def test_of_a_folder_only_files_that_are_new_or_changed_are_read(
    nights: Nights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    plain = Delimited.batches

    def noting(self: Delimited, columns: Sequence[str]) -> Iterator[pa.Table]:
        opened.append(self.file)
        yield from plain(self, columns)

    monkeypatch.setattr(Delimited, "batches", noting)
    nights.table = folder_of(
        tmp_path / "in",
        a="a,no,2026-03-01 10:00\nahead,no,2026-03-03 10:00\n",
        b="b,no,2026-03-02 10:00\n",
        c="",
    )
    assert nights.extract("2026-03-01/2026-03-02") == (2, 2)
    opened.clear()
    # One file is as it was but has a row of that day, one has not, one is new with a bad row first.
    nights.table = folder_of(tmp_path / "in", d="bad,no,soon\nd,no,2026-03-03 09:00\n")
    assert nights.extract("2026-03-03") == (3, 1)
    assert set(opened) == {"a.csv", "d.csv"}
    assert nights.read["rows"]["in files as they were, not read again"] == 1
    assert [row[0] for row in nights.landed("2026-03-03")] == ["ahead", "bad", "d"]
    opened.clear()
    nights.table = folder_of(tmp_path / "in", b="b,yes,2026-03-02 10:00\n")
    assert nights.extract("2026-03-04") == (1, 1)
    assert set(opened) == {"b.csv"}
    assert nights.landed("2026-03-04") == [("b", True, late("2026-03-04", "2026-03-02 10:00"))]


def test_of_a_delta_table_only_files_that_its_log_added_are_read(
    nights: Nights, tmp_path: Path
) -> None:
    def append(name: str, day: str) -> FileTable:
        rows = pa.table({"ID": [name], "Late": ["no"], "At": [day]})
        write_deltalake(tmp_path / "rows", rows, mode="append")
        return FileTable(str(tmp_path / "rows"), (tmp_path,))

    nights.table = append("a", "2026-03-01")
    assert nights.extract("2026-03-01") == (1, 1)
    nights.table = append("b", "2026-03-02")
    append("late", "2026-03-01")
    assert nights.extract("2026-03-02") == (2, 1)
    became = {"new": 1, "late": 1, "of other days": 0, "landed before": 0}
    unread = {"in files as they were, not read again": 1}
    assert nights.read == {"rows": {"rows read": 2, **became, **unread}}


def test_another_shape_or_dialect_lands_its_days_anew(nights: Nights, tmp_path: Path) -> None:
    nights.table = file_of(tmp_path, "a,ja,2026-03-01 10:00")
    nights.extract("2026-03-01")
    assert nights.landed("2026-03-01") == [("a", None, at("2026-03-01 10:00"))]
    nights.shape = replace(SHAPE, label=Label("Late", "ja", "nein"))
    assert nights.extract("2026-03-01") == (1, 1)
    assert nights.landed("2026-03-01") == [("a", True, at("2026-03-01 10:00"))]
    assert nights.extract("2026-03-02") == (0, 1)
    nights.table = FileTable(str(tmp_path / "rows.csv"), (tmp_path,), Dialect(encoding="cp1252"))
    assert nights.extract("2026-03-01") == (1, 1)


def test_b13_b14_rows_of_1926_and_2062_land_with_the_row_before_them(
    nights: Nights, tmp_path: Path
) -> None:
    nights.table = file_of(
        tmp_path, "old,no,1926-03-01", "a,no,2026-03-01", "new,no,2062-03-01", "b,no,2026-03-02"
    )
    assert nights.extract("2026-03-01/2026-03-02") == (4, 2)
    assert [row[0] for row in nights.landed("2026-03-01")] == ["old", "a", "new"]


def database(folder: Path, *rows: tuple[str, str, str | None]) -> DatabaseTable:
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute('drop table if exists "Rows"')
        connection.execute('create table "Rows" ("ID" text, "Late" text, "At" text)')
        connection.executemany('insert into "Rows" values (?, ?, ?)', rows)
    connection.close()
    return DatabaseTable(f"sqlite:///{folder / 'shop.db'}", "Rows", (folder,))


def test_rows_of_a_database_without_an_instant_land_once(nights: Nights, tmp_path: Path) -> None:
    rows: list[tuple[str, str, str | None]] = [
        ("a", "no", "2026-03-01 10:00"),
        ("none", "no", None),
        ("new", "no", "2062-01-01"),
        ("old", "no", "1926-01-01"),
    ]
    nights.table = database(tmp_path, *rows)
    assert nights.extract("2026-03-01") == (4, 1)
    assert nights.extract("2026-03-02") == (0, 1)
    # Longer after than late rows are looked for.
    assert nights.extract("2026-05-02") == (0, 1)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_the_order_each_row_lands_exactly_once(
    nights: Nights, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)  # noqa: S311
    days = [date(2026, 3, 1) + timedelta(days=n) for n in range(8)]
    arrived: list[str] = []
    for number, day in enumerate(days):
        for row in range(draw.randint(0, 4)):
            happened = day - timedelta(days=draw.choice([0, 0, 0, 1, 2]))
            if happened >= days[0]:
                arrived.insert(draw.randint(0, len(arrived)), f"{number}-{row},no,{happened}")
        nights.table = file_of(tmp_path, *arrived)
        nights.extract(str(day))
        nights.extract(str(draw.choice(days[: number + 1])))
    found = [row[0] for day in days for row in nights.landed(str(day))]
    assert sorted(found) == sorted(line.split(",")[0] for line in arrived), f"seed {seed}"


def test_a_day_extracted_after_the_next_one_takes_no_row_of_that(
    nights: Nights, tmp_path: Path
) -> None:
    rows = ["a,no,2026-03-01 10:00", "b,no,2026-03-02 10:00"]
    nights.table = file_of(tmp_path, *rows)
    nights.extract("2026-03-02")
    # A row of the second day comes late, and then the first day is extracted.
    nights.table = file_of(tmp_path, *rows, "late,no,2026-03-02 11:00")
    assert nights.extract("2026-03-01") == (1, 1)
    assert nights.extract("2026-03-03") == (1, 1)
    known = late("2026-03-03", "2026-03-02 11:00")
    assert nights.landed("2026-03-03") == [("late", False, known)]


def test_a_late_row_without_and_with_its_label_are_in_that_order(
    nights: Nights, tmp_path: Path
) -> None:
    path, first = tmp_path / "told.csv", "ID,Late,At,Told\na,no,2026-03-01 10:00,2026-03-02 10:00\n"
    path.write_text(first)
    nights.shape = replace(SHAPE, label_known_at="Told")
    nights.table = FileTable(str(path), (tmp_path,))
    nights.extract("2026-03-01/2026-03-02")
    path.write_text(f"{first}late,yes,2026-03-01 11:00,2026-03-02 11:00\n")
    nights.table = FileTable(str(path), (tmp_path,))
    assert nights.extract("2026-03-03") == (2, 1)
    (_, before, known), (_, after, told) = nights.landed("2026-03-03")
    assert (before, after) == (None, True)
    assert known < told < at("2026-03-04")
