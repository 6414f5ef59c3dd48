"""Somebody's table as a feed of facts: which rows became known when, under which names.

The rule of `known_at`: a row is known at its own `known_at` column if it has one, else at the
instant of the event itself. Its label is known with it, unless another column says when; then the
row is published twice, first without its label. A row whose instant can't be read is published
with the row before it, so that ingest quarantines it with its text.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.core.errors import BatchRefused, UsageError
from pipelines.core.settings import Settings
from pipelines.core.source import SourceFile
from pipelines.data.extract.database import Between, DatabaseTable
from pipelines.data.extract.labels import Label as Label  # noqa: PLC0414  # for sources
from pipelines.data.extract.readers import UNREAD, FileTable, text_table
from pipelines.data.extract.texts import instant, landing_texts
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Feed

# What the scaffold writes in place of a secret.
HIDDEN = "***"
_PLACED, _SUPERSEDED = "__placed_at__", "__superseded_at__"
_INSTANT = pa.timestamp("us", "UTC")


class Table(Protocol):
    """Something with rows: a file, a folder, a table of a database."""

    def column_names(self) -> list[str]: ...

    def batches(
        self, columns: Sequence[str], between: Between | None = None, /
    ) -> Iterator[pa.Table]: ...


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a source's rows become a feed's.

    Args:
        columns: the feed's column names, by the source's.
        event_at: the source's column of the event's instant.
        label: the source's column of the outcome.
        known_at: the source's column of the row's publication; None: the event itself.
        label_known_at: the source's column of when the outcome became known; None: with the row.
        nulls: further texts that mean *missing* in columns that are not text.
        whole: of the source's columns those of whole numbers that name rows: `1001.0` is `1001`
            there, as pandas writes a number once its column has a gap.
        begins: rows known before this day are mistakes, for quarantine; None: there are none.
    """

    columns: Mapping[str, str]
    event_at: str
    label: Label
    known_at: str | None = None
    label_known_at: str | None = None
    nulls: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    begins: date | None = None

    @property
    def time_columns(self) -> tuple[str, ...]:
        """The source's columns by which a row belongs to an interval."""
        known = self.known_at or self.event_at
        return (known, self.label_known_at) if self.label_known_at else (known,)

    @property
    def source_columns(self) -> list[str]:
        """Every column of the source that is read, once."""
        return list(dict.fromkeys((*self.columns, self.event_at, *self.time_columns)))


def located(settings: Settings, case: str, location: str, delimiter: str = ",") -> Table:
    """The table of a use case: where the settings say, `MILLRACE_SOURCE_<CASE>`, else `location`.

    A location is a path, the URL of an object store, or `SQLALCHEMY_URL#TABLE`.

    Raises:
        UsageError: the location needs a password that only the settings have, or is no location.
    """
    variable, roots = f"MILLRACE_SOURCE_{case.upper()}", settings.data_roots
    found = settings.source(case).get("location") or location
    if HIDDEN in found:
        raise UsageError(f"{found} lacks its secret: set {variable} to the whole address")
    url, hash_, table = found.rpartition("#")
    if "://" in url and hash_:
        return DatabaseTable(url, table, roots)
    return FileTable(found, roots, delimiter)


def publications(batch: pa.Table, shape: Shape, before: datetime | None = None) -> pa.Table:
    """A batch's rows as they were published: the feed's columns as texts, and when.

    Args:
        before: when the row before the batch was placed; one without an instant follows it.

    Raises:
        BatchRefused: no row so far has an instant that can be read.
    """
    known = [instant(text) for text in batch[shape.time_columns[0]].to_pylist()]
    placed = _filled(known, before, batch[shape.time_columns[0]], shape)
    outcomes = _outcomes(batch, shape, placed)
    target = shape.columns[shape.label.column]
    texts = {ours: _named(batch, source, shape) for source, ours in shape.columns.items()}
    texts |= {"event_at": batch[shape.event_at], "known_at": batch[shape.time_columns[0]]}
    labels, later = [each.label for each in outcomes], [each.later for each in outcomes]
    first = [each.label if each.later is None else None for each in outcomes]
    once = _table(texts | {target: first}, batch[UNREAD], placed, later)
    again = texts | {target: labels, "known_at": [at and at.isoformat() for at in later]}
    twice = _table(again, batch[UNREAD], later, [None] * len(batch))
    return pa.concat_tables([once, twice.filter(pc.is_valid(twice[_PLACED]))])


def _named(batch: pa.Table, source: str, shape: Shape) -> pa.ChunkedArray:
    """A column's texts; what names rows is one name however its number is written."""
    if source not in shape.whole:
        return batch[source]
    return pc.replace_substring_regex(batch[source], r"^(-?[0-9]+)\.0+$", r"\1")


@dataclass(frozen=True)
class _Outcome:
    """A row's label, and when it became known if that was after the row."""

    label: str | None
    later: datetime | None


def _outcomes(batch: pa.Table, shape: Shape, placed: Sequence[datetime]) -> list[_Outcome]:
    labels = [shape.label.read(text) for text in batch[shape.label.column].to_pylist()]
    if shape.label_known_at is None:
        return [_Outcome(label, None) for label in labels]
    times = batch[shape.label_known_at].to_pylist()
    return [_outcome(*row) for row in zip(labels, times, placed, strict=True)]


def _outcome(label: str | None, time: str | None, placed: datetime) -> _Outcome:
    """Without a time the label isn't known; one that can't be read spoils it, for quarantine."""
    if not label or not time:
        return _Outcome(None, None)
    at = instant(time)
    if at is None:
        return _Outcome(f"{label}, known at {time}", None)
    return _Outcome(label, at if at > placed else None)


def _filled(
    known: Sequence[datetime | None], before: datetime | None, texts: pa.ChunkedArray, shape: Shape
) -> list[datetime]:
    last = before or next((at for at in known if at), None)
    if last is None and known:
        raise BatchRefused(
            f"column {shape.time_columns[0]}: no instant can be read in {len(known)} rows, such as "
            f"{texts[0].as_py()!r}; it must be like 2026-11-20, 2026-11-20 13:45:00 (UTC) or "
            "2026-11-20T13:45:00+01:00"
        )
    filled = []
    for at in known:
        last = at or last
        filled.append(last)
    return [at for at in filled if at]


def _table(
    texts: Mapping[str, object],
    unread: pa.ChunkedArray,
    placed: Sequence[datetime | None],
    superseded: Sequence[datetime | None],
) -> pa.Table:
    made = text_table(texts, len(placed), unread)
    made = made.append_column(_PLACED, pa.array(placed, _INSTANT))
    return made.append_column(_SUPERSEDED, pa.array(superseded, _INSTANT))


def _read(table: Table, shape: Shape, between: Between | None = None) -> Iterator[pa.Table]:
    """What a source published, batch by batch."""
    before = None
    for batch in filter(len, table.batches(shape.source_columns, between)):
        found = publications(batch, shape, before)
        before = found[_PLACED][len(batch) - 1].as_py()
        yield found


def days(table: Table, shape: Shape) -> list[date]:
    """The days (UTC) in which rows became known, in order; reads all of the table."""
    instants = (pc.unique(rows[_PLACED]).to_pylist() for rows in _read(table, shape))
    return sorted({at.date() for each in instants for at in each})


def _within(rows: pa.Table, part: Interval) -> pa.Array:
    start, end = (pa.scalar(at, _INSTANT) for at in (part.start, part.end))
    return pc.and_(pc.greater_equal(rows[_PLACED], start), pc.less(rows[_PLACED], end))


def _newest_within(rows: pa.Table, part: Interval) -> pa.Array:
    """Published in the part; a row that comes again within it counts once, with its label."""
    comes_later = pc.greater_equal(rows[_SUPERSEDED], pa.scalar(part.end, _INSTANT))
    return pc.and_(_within(rows, part), pc.fill_null(comes_later, True))


@dataclass(frozen=True)
class Rows:
    """A source of one feed: the rows of a table, read once for the whole interval."""

    table: Table
    shape: Shape
    interval: Interval

    @cached_property
    def _published(self) -> pa.Table:
        between = Between(self.shape.time_columns, self.interval.start, self.interval.end)
        found = _read(self.table, self.shape, between)
        kept = [rows.filter(_within(rows, self.interval)) for rows in found]
        return pa.concat_tables(kept) if kept else pa.table({})

    def files(self, feed: Feed, part: Interval) -> Iterable[SourceFile]:
        """One CSV file a part, empty but for its header when nothing became known."""
        rows = self._published
        found = rows.filter(_newest_within(rows, part)) if rows.num_columns else rows
        yield SourceFile(f"{feed.name}.csv", partial(_write, feed, found, self.shape.nulls))


def _write(feed: Feed, rows: pa.Table, nulls: frozenset[str], path: Path) -> int:
    unread = rows[UNREAD].to_pylist() if rows.num_columns else []
    columns = [
        landing_texts(c.type, rows[c.name].to_pylist(), nulls) if rows.num_columns else []
        for c in feed.columns
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(feed.column_names)
        for whole, *values in zip(unread, *columns, strict=True):
            # A record that could not be read is one field: ingest shows it in quarantine.
            writer.writerow(values if whole is None else [whole.replace("\0", "\\0")])
    return len(unread)
