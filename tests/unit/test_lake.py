"""The lake's tables read without an engine, and the words where that can't be."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from pipelines.core.errors import MillraceError
from pipelines.stores import lake
from pipelines.stores.lake import Lake

NAME = "build.bronze_toy_rows"


@pytest.fixture
def toy(tmp_path: Path) -> Lake:
    """Three days, a version each; of the second day one row of two was deleted in version 3."""
    found = Lake(str(tmp_path))
    for day in range(1, 4):
        days = [date(2026, 11, day)] * day
        rows = pa.table({"n": list(range(day)), "place": ["a b"] * day, "known_date": days})
        write_deltalake(found.address(NAME), rows, mode="append", partition_by=["known_date"])
    DeltaTable(found.address(NAME)).delete("known_date = '2026-11-02' and n = 0")
    return found


def test_versions_and_rows_are_those_of_the_log(toy: Lake) -> None:
    assert toy.newest(NAME) == 3
    assert [toy.num_rows(NAME, version) for version in range(4)] == [1, 3, 6, 5]
    assert toy.num_rows(NAME) == 5
    assert toy.newest("build.nothing") is None


def test_files_have_their_partitions_and_rows(toy: Lake) -> None:
    found = sorted(
        (file.partition["known_date"], file.num_rows) for file in lake.files(toy.table(NAME))
    )
    assert found == [(date(2026, 11, 1), 1), (date(2026, 11, 2), 1), (date(2026, 11, 3), 3)]


@pytest.mark.parametrize(
    ("first", "last", "has"), [(1, 1, True), (3, 9, True), (4, 9, False), (0, 0, False)]
)
def test_which_days_a_table_has(toy: Lake, first: int, last: int, has: bool) -> None:
    days = [date(2026, 11, day) if day else date(2026, 10, 31) for day in (first, last)]
    assert toy.has_days(NAME, *days) is has


def test_what_is_not_there_is_said_in_words(toy: Lake) -> None:
    with pytest.raises(MillraceError, match=r"build.nothing can't be read"):
        toy.table("build.nothing")
    with pytest.raises(MillraceError, match=r"build.bronze_toy_rows can't be read at version 4"):
        toy.table(NAME, 4)
    (Path(toy.address(NAME)) / "_delta_log" / f"{2:020d}.json").unlink()
    with pytest.raises(MillraceError, match="can't be read"):
        toy.table(NAME, 3)


def test_a_table_of_an_earlier_version_is_told_from_one_that_all_read(toy: Lake) -> None:
    assert toy.is_plain(NAME)
    assert toy.is_plain("build.nothing")
    first = Path(toy.address(NAME)) / "_delta_log" / f"{0:020d}.json"
    text = first.read_text().replace(r"\"string\"", r"\"string collate UTF8_BINARY\"")
    first.write_text(text)
    assert "collate" in text
    assert not toy.is_plain(NAME)
    assert toy.newest(NAME) == 3
    with pytest.raises(MillraceError, match="run the stage that writes it once more"):
        toy.table(NAME)
