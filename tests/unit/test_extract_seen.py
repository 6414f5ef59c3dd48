"""What of a source need not be read again, and what of the landing stays as it is."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from deltalake import write_deltalake

from pipelines.core.settings import Settings
from pipelines.core.source import SourceFile
from pipelines.data.landing import land
from pipelines.data.reading.delimited import Delimited
from pipelines.data.reading.files import FileTable
from pipelines.stores.objects import Objects
from pipelines.use_cases.spec.interval import Interval
from tests.nights import FEED, HEADER, Nights, file_of, late


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    return Nights(tmp_path / "home", monkeypatch)


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


def test_a_day_that_an_earlier_version_landed_as_text_stays(nights: Nights, tmp_path: Path) -> None:
    def write(path: Path) -> int:
        path.write_text("id,late,event_at,known_at\n")
        return 0

    part = Interval.parse("2026-03-01")
    store = Objects.at(Settings(home=nights.home).objects.landing).below("parcels/rows/2026-03-01")
    files = [SourceFile("rows.csv", write)]
    land(store, FEED, part, files, landed_at=part.end, commit=nullcontext)
    nights.table = file_of(tmp_path, "a,no,2026-03-01 10:00", "b,no,2026-03-02 10:00")
    assert nights.extract("2026-03-01")[1] == 0
    assert nights.extract("2026-03-02") == (1, 1)
    assert [row[0] for row in nights.landed("2026-03-02")] == ["b"]
