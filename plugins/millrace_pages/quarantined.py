"""Quarantined rows, read from their Delta table's own files: no engine is asked.

The package `deltalake` can't open tables that Spark 4.2 makes from a frame (their log says
`string collate UTF8_BINARY`). The log of a table of reader version 1 is simple: JSON lines of files
added and removed, and now and then a checkpoint of all files as Parquet.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pipelines.errors import MillraceError
from pipelines.use_cases.interval import Interval

# Newer ones may hide rows of a file, or rename its columns.
_READER_VERSION = 1
_COLUMNS = ("known_at", "source_file", "source_line", "reasons", "raw", "ingested_at")


@dataclass(frozen=True)
class DataFile:
    """One Parquet file of a table; `known_date` is its partition."""

    path: Path
    known_date: date


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


def rows(table: Path, version: int, asked: Filter, skip: int, limit: int) -> list[QuarantinedRow]:
    """Rows of one version of a table, the newest day first, then by file and line.

    Only as many days are read as it takes to fill the page.
    """
    found: list[QuarantinedRow] = []
    for day in _days(files(table, version), asked):
        found += sorted(filter(asked.takes, _read(day)), key=_place)
        if len(found) >= skip + limit:
            break
    return found[skip : skip + limit]


def _place(row: QuarantinedRow) -> tuple[str, int]:
    return row.source_file, row.source_line


def _days(found: Iterable[DataFile], asked: Filter) -> Iterator[list[Path]]:
    """The files of each day that is asked for, the newest day first."""
    days: dict[date, list[Path]] = {}
    for file in found:
        if asked.has_day(file.known_date):
            days.setdefault(file.known_date, []).append(file.path)
    return (days[day] for day in sorted(days, reverse=True))


def _read(paths: Sequence[Path]) -> Iterator[QuarantinedRow]:
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    for path in paths:
        # Spark writes instants as nanoseconds of UTC, without saying either.
        file = pq.ParquetFile(path, coerce_int96_timestamp_unit="us")
        # A day has few rows: to start threads would take longer than to read them.
        yield from map(_row, file.read(list(_COLUMNS), use_threads=False).to_pylist())


def _row(values: Mapping[str, Any]) -> QuarantinedRow:
    return QuarantinedRow(
        known_at=values["known_at"].replace(tzinfo=UTC),
        source_file=values["source_file"],
        source_line=values["source_line"],
        reasons=tuple(values["reasons"] or ()),
        raw=values["raw"],
        ingested_at=values["ingested_at"].replace(tzinfo=UTC),
    )


def files(table: Path, version: int) -> list[DataFile]:
    """The data files of one version of a table.

    Raises:
        MillraceError: the log is not there, or is of a kind that this reader does not know.
    """
    log = table / "_delta_log"
    if not log.is_dir():
        raise MillraceError(f"{table.name} is not in the warehouse; was it removed by hand?")
    checkpoint = _checkpoint(log, version)
    found = dict(_checkpointed(log, checkpoint)) if checkpoint is not None else {}
    for number in range(0 if checkpoint is None else checkpoint + 1, version + 1):
        _apply(found, _commit(log, number))
    return [_data_file(table, path, values) for path, values in found.items()]


def _data_file(table: Path, path: str, partition: Mapping[str, str]) -> DataFile:
    return DataFile(table / unquote(path), date.fromisoformat(partition["known_date"]))


def _checkpoint(log: Path, version: int) -> int | None:
    """The newest checkpoint up to a version."""
    numbers = (int(path.name.partition(".")[0]) for path in log.glob("*.checkpoint.parquet"))
    return max((number for number in numbers if number <= version), default=None)


def _checkpointed(log: Path, number: int) -> Iterator[tuple[str, dict[str, str]]]:
    import pyarrow.parquet as pq

    path = log / f"{number:020d}.checkpoint.parquet"
    columns = ["add.path", "add.partitionValues", "protocol.minReaderVersion"]
    for action in pq.ParquetFile(path).read(columns).to_pylist():
        _refuse_unknown(action)
        if action["add"]:
            yield action["add"]["path"], dict(action["add"]["partitionValues"])


def _commit(log: Path, number: int) -> Iterator[Mapping[str, Any]]:
    path = log / f"{number:020d}.json"
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError as error:
        raise MillraceError(
            f"{log.parent.name} has no version {number} any more; was its log cleaned by hand?"
        ) from error
    return (json.loads(line) for line in lines if line)


def _apply(found: dict[str, dict[str, str]], actions: Iterable[Mapping[str, Any]]) -> None:
    """What one commit added and removed."""
    for action in actions:
        _refuse_unknown(action)
        if add := action.get("add"):
            found[add["path"]] = add["partitionValues"]
        if remove := action.get("remove"):
            found.pop(remove["path"], None)


def _refuse_unknown(action: Mapping[str, Any]) -> None:
    protocol = action.get("protocol")
    if protocol and protocol["minReaderVersion"] > _READER_VERSION:
        raise MillraceError(
            f"the table needs a reader of version {protocol['minReaderVersion']}, "
            f"these pages have {_READER_VERSION}; ask Spark for its rows"
        )
