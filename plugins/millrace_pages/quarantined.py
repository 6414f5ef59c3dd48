"""Quarantined rows, read from their Delta table's own files: no engine is asked."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.stores import lake
from pipelines.use_cases.spec.interval import Interval

if TYPE_CHECKING:
    from deltalake import DeltaTable


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that broke its contract, as it came."""

    known_at: datetime
    source_file: str
    source_line: int
    reasons: tuple[str, ...]
    raw: str


_COLUMNS = [each.name for each in fields(QuarantinedRow)]


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


def rows(table: "DeltaTable", asked: Filter, skip: int, limit: int) -> list[QuarantinedRow]:
    """Rows of a table at a version, the newest day first, then by file and line.

    Only as many days are read as it takes to fill the page; where all rows are asked for, those
    before it are only counted.
    """
    found: list[QuarantinedRow] = []
    every = table.to_pyarrow_dataset()
    for day, num_rows in _days(table, asked):
        if asked == Filter() and not found and num_rows <= skip:
            skip -= num_rows
            continue
        taken = filter(asked.takes, _read(every, day, asked.reason))
        found += sorted(taken, key=lambda row: (row.source_file, row.source_line))
        if len(found) >= skip + limit:
            break
    return found[skip : skip + limit]


def _days(table: "DeltaTable", asked: Filter) -> list[tuple[date, int]]:
    """The days that are asked for, the newest first, and their rows."""
    days: Counter[date] = Counter()
    for file in lake.files(table):
        days[file.partition["known_date"]] += file.num_rows
    return [(day, days[day]) for day in sorted(days, reverse=True) if asked.has_day(day)]


def _read(every: Any, day: date, reason: str) -> Iterator[QuarantinedRow]:
    """The rows of a day, if it has such a reason at all."""
    # A day has few rows: to start threads would take longer than to read them.
    of_day = {"filter": pc.field("known_date") == pa.scalar(day), "use_threads": False}
    if not reason or _has(every.to_table(["reasons"], **of_day)["reasons"], reason):
        yield from map(_row, every.to_table(_COLUMNS, **of_day).to_pylist())


def _has(reasons: pa.ChunkedArray, reason: str) -> bool:
    found = pc.match_substring(pc.list_flatten(reasons), reason)
    return bool(pc.any(found).as_py())


def _row(values: Mapping[str, Any]) -> QuarantinedRow:
    return QuarantinedRow(**{**values, "reasons": tuple(values["reasons"] or ())})
