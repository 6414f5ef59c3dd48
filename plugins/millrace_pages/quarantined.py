"""Quarantined rows, read from their Delta table's own files: no engine is asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.stores import delta_files
from pipelines.stores.objects import Objects
from pipelines.use_cases.spec.interval import Interval

_COLUMNS = ("known_at", "source_file", "source_line", "reasons", "raw", "ingested_at")


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that broke its contract, as it came."""

    known_at: datetime
    source_file: str
    source_line: int
    reasons: tuple[str, ...]
    raw: str
    ingested_at: datetime


@dataclass(frozen=True)
class Filter:
    """Which rows are asked for; empty and None: all."""

    reason: str = ""
    interval: Interval | None = None

    def has_day(self, day: date) -> bool:
        """Whether a partition may hold such rows."""
        asked = self.interval
        return asked is None or asked.start.date() <= day <= asked.last_date

    def takes(self, row: QuarantinedRow) -> bool:
        """Whether a row is such a one."""
        asked = self.interval
        if asked and not asked.start <= row.known_at < asked.end:
            return False
        return not self.reason or any(self.reason in said for said in row.reasons)


def rows(
    table: Objects, version: int, asked: Filter, skip: int, limit: int
) -> list[QuarantinedRow]:
    """Rows of one version of a table, the newest day first, then by file and line.

    Only as many days are read as it takes to fill the page; where all rows are asked for, those
    before it are only counted.
    """
    found: list[QuarantinedRow] = []
    for day in _days(table, version, asked):
        if asked == Filter() and not found and (num_rows := _num_rows(table, day)) <= skip:
            skip -= num_rows
            continue
        found += sorted(filter(asked.takes, _read(table, day, asked.reason)), key=_place)
        if len(found) >= skip + limit:
            break
    return found[skip : skip + limit]


def _num_rows(table: Objects, names: Sequence[str]) -> int:
    num_rows = 0
    for name in names:
        with table.open(name) as file:
            num_rows += pq.read_metadata(file).num_rows
    return num_rows


def _place(row: QuarantinedRow) -> tuple[str, int]:
    return row.source_file, row.source_line


def _days(table: Objects, version: int, asked: Filter) -> Iterator[list[str]]:
    """The files of each day that is asked for, the newest day first."""
    days: dict[date, list[str]] = {}
    for name, partition in delta_files.files(table, version).items():
        day = date.fromisoformat(partition["known_date"] or "")
        if asked.has_day(day):
            days.setdefault(day, []).append(name)
    return (days[day] for day in sorted(days, reverse=True))


def _read(table: Objects, names: Sequence[str], reason: str) -> Iterator[QuarantinedRow]:
    """The rows of those files that have such a reason at all."""
    for name in names:
        with table.open(name) as content:
            # Spark writes instants as nanoseconds of UTC, without saying either.
            file = pq.ParquetFile(content, coerce_int96_timestamp_unit="us")
            # A day has few rows: to start threads would take longer than to read them.
            if not reason or _has(file.read(["reasons"], use_threads=False)["reasons"], reason):
                yield from map(_row, file.read(list(_COLUMNS), use_threads=False).to_pylist())


def _has(reasons: pa.ChunkedArray, reason: str) -> bool:
    found = pc.match_substring(pc.list_flatten(reasons), reason)
    return bool(pc.any(found).as_py())


def _row(values: Mapping[str, Any]) -> QuarantinedRow:
    return QuarantinedRow(
        known_at=values["known_at"].replace(tzinfo=UTC),
        source_file=values["source_file"],
        source_line=values["source_line"],
        reasons=tuple(values["reasons"] or ()),
        raw=values["raw"],
        ingested_at=values["ingested_at"].replace(tzinfo=UTC),
    )
