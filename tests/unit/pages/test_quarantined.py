"""Quarantined rows of a table, page by page."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from millrace_pages import quarantined
from millrace_pages.quarantined import Filter

from pipelines.stores.lake import Lake
from pipelines.use_cases.spec.interval import Interval

FIRST = date(2026, 11, 1)


def table(day, lines, reason="tail: 'x' is not an int"):
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    count = len(lines)
    return pa.table(
        {
            "reasons": pa.array([[reason, "known_at: late"]] * count, pa.list_(pa.string())),
            "raw": pa.array([f"raw {day} {line}" for line in lines], pa.string()),
            "known_at": pa.array([at] * count, pa.timestamp("us", "UTC")),
            "ingested_at": pa.array([at] * count, pa.timestamp("us", "UTC")),
            "source_file": pa.array([f"{day}/movements.jsonl"] * count, pa.string()),
            "source_line": pa.array(lines, pa.int32()),
            "known_date": pa.array([day] * count, pa.date32()),
        }
    )


@pytest.fixture
def made(tmp_path):
    """A table of three days, a version each, after an empty one."""
    folder = str(tmp_path / "build.db" / "quarantine_y")
    DeltaTable.create(folder, table(FIRST, []).schema, partition_by=["known_date"])
    for number in range(1, 4):
        rows = table(FIRST + timedelta(days=number), [3, 1, 2])
        write_deltalake(folder, rows, mode="append")
    return lambda version: Lake(str(tmp_path)).table("build.quarantine_y", version)


def places(rows):
    return [(row.known_at.day, row.source_line) for row in rows]


def test_rows_come_newest_day_first_then_by_line(made):
    rows = quarantined.rows(made(3), Filter(), 0, 50)
    assert places(rows) == [(4, 1), (4, 2), (4, 3), (3, 1), (3, 2), (3, 3), (2, 1), (2, 2), (2, 3)]
    assert rows[0].known_at == datetime(2026, 11, 4, tzinfo=UTC)
    assert rows[0].reasons == ("tail: 'x' is not an int", "known_at: late")
    assert rows[0].raw == "raw 2026-11-04 1"


def test_a_page_reads_no_more_days_than_it_shows(made, monkeypatch):
    read, real = [], quarantined._read
    monkeypatch.setattr(quarantined, "_read", lambda *day: read.append(day) or real(*day))
    assert places(quarantined.rows(made(3), Filter(), 2, 2)) == [(4, 3), (3, 1)]
    assert len(read) == 2


@pytest.mark.parametrize("asked", [Filter(), Filter(reason="late")])
def test_pages_of_any_size_follow_each_other(made, asked):
    everything = quarantined.rows(made(3), asked, 0, 50)
    assert len(everything) == 9
    for size in range(1, 10):
        pages = [quarantined.rows(made(3), asked, skip, size) for skip in range(0, 9, size)]
        assert [row for page in pages for row in page] == everything


def test_days_before_the_page_are_counted_not_read(made, monkeypatch):
    read, real = [], quarantined._read
    monkeypatch.setattr(quarantined, "_read", lambda *day: read.append(day) or real(*day))
    assert places(quarantined.rows(made(3), Filter(), 7, 2)) == [(2, 2), (2, 3)]
    assert len(read) == 1


def test_an_older_version_has_fewer_rows(made):
    assert places(quarantined.rows(made(1), Filter(), 0, 50)) == [(2, 1), (2, 2), (2, 3)]
    assert quarantined.rows(made(0), Filter(), 0, 50) == []


def test_rows_are_chosen_by_interval_and_by_reason(made):
    def found(**asked):
        return {row.known_at.day for row in quarantined.rows(made(3), Filter(**asked), 0, 50)}

    assert found(interval=Interval.parse("2026-11-03")) == {3}
    assert found(interval=Interval.parse("2026-11-01/2026-11-03")) == {2, 3}
    assert found(interval=Interval.parse("2026-11-03T05")) == set()
    assert found(reason="is not an int") == {2, 3, 4}
    assert found(reason="is not a double") == set()
