"""A source that grows and changes, extracted night by night: each row lands once, late ones too."""

import random
import sqlite3
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines.data.extract.database import DatabaseTable
from pipelines.data.extract.tables import Label
from pipelines.data.reading.dialect import Dialect
from pipelines.data.reading.files import FileTable
from tests.nights import SHAPE, Nights, at, file_of, late


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    return Nights(tmp_path / "home", monkeypatch)


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
