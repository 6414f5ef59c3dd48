"""Quarantined rows of a table as Spark 4.2 writes it, page by page."""

import json
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from millrace_pages import quarantined
from millrace_pages.quarantined import Filter

from pipelines.core.errors import MillraceError
from pipelines.stores.objects import Objects
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
def spark_made(tmp_path):
    """A table as Spark 4.2 makes it from a frame: collated strings, instants as INT96."""
    folder = tmp_path / "quarantine_y"
    log = folder / "_delta_log"
    log.mkdir(parents=True)
    schema = {"type": "struct", "fields": [{"name": "raw", "type": "string collate UTF8_BINARY"}]}
    head = [
        {"metaData": {"schemaString": json.dumps(schema)}},
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
    ]
    (log / f"{0:020d}.json").write_text("".join(json.dumps(line) + "\n" for line in head))
    for number in range(1, 4):
        day = FIRST + timedelta(days=number)
        name = f"known_date={day}/part with space.parquet"
        (folder / name).parent.mkdir()
        rows = table(day, [3, 1, 2]).drop_columns(["known_date"])
        pq.write_table(rows, folder / name, use_deprecated_int96_timestamps=True)
        added = {"path": name.replace(" ", "%20"), "partitionValues": {"known_date": str(day)}}
        (log / f"{number:020d}.json").write_text(json.dumps({"add": added}) + "\n")
    return Objects.at(str(folder))


def places(rows):
    return [(row.known_at.day, row.source_line) for row in rows]


def test_rows_come_newest_day_first_then_by_line(spark_made):
    rows = quarantined.rows(spark_made, 3, Filter(), 0, 50)
    assert places(rows) == [(4, 1), (4, 2), (4, 3), (3, 1), (3, 2), (3, 3), (2, 1), (2, 2), (2, 3)]
    assert rows[0].known_at == datetime(2026, 11, 4, tzinfo=UTC)
    assert rows[0].reasons == ("tail: 'x' is not an int", "known_at: late")
    assert rows[0].raw == "raw 2026-11-04 1"


def test_a_page_reads_no_more_days_than_it_shows(spark_made, monkeypatch):
    read, real = [], quarantined._read
    monkeypatch.setattr(quarantined, "_read", lambda *day: read.append(day) or real(*day))
    assert places(quarantined.rows(spark_made, 3, Filter(), 2, 2)) == [(4, 3), (3, 1)]
    assert len(read) == 2


@pytest.mark.parametrize("asked", [Filter(), Filter(reason="late")])
def test_pages_of_any_size_follow_each_other(spark_made, asked):
    everything = quarantined.rows(spark_made, 3, asked, 0, 50)
    assert len(everything) == 9
    for size in range(1, 10):
        pages = [quarantined.rows(spark_made, 3, asked, skip, size) for skip in range(0, 9, size)]
        assert [row for page in pages for row in page] == everything


def test_days_before_the_page_are_counted_not_read(spark_made, monkeypatch):
    read, real = [], quarantined._read
    monkeypatch.setattr(quarantined, "_read", lambda *day: read.append(day) or real(*day))
    assert places(quarantined.rows(spark_made, 3, Filter(), 7, 2)) == [(2, 2), (2, 3)]
    assert len(read) == 1


def test_an_older_version_has_fewer_rows(spark_made):
    assert places(quarantined.rows(spark_made, 1, Filter(), 0, 50)) == [(2, 1), (2, 2), (2, 3)]
    assert quarantined.rows(spark_made, 0, Filter(), 0, 50) == []


def test_rows_are_chosen_by_interval_and_by_reason(spark_made):
    def found(**asked):
        return {row.known_at.day for row in quarantined.rows(spark_made, 3, Filter(**asked), 0, 50)}

    assert found(interval=Interval.parse("2026-11-03")) == {3}
    assert found(interval=Interval.parse("2026-11-01/2026-11-03")) == {2, 3}
    assert found(interval=Interval.parse("2026-11-03T05")) == set()
    assert found(reason="is not an int") == {2, 3, 4}
    assert found(reason="is not a double") == set()


def test_a_version_that_is_gone_is_said_in_words(spark_made):
    with pytest.raises(MillraceError, match="has no version 4 any more"):
        quarantined.rows(spark_made, 4, Filter(), 0, 50)
    with pytest.raises(MillraceError, match="nowhere has no version 0 any more"):
        quarantined.rows(spark_made.below("nowhere"), 0, Filter(), 0, 50)
