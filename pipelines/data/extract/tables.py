"""Somebody's table as a source: its rows by the part in which they became known, each landed once.

What landed stays as it is. Rows that came late, and those that were changed at the source, land in
the newest part that is new: known at its end, since nobody knew them before.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Self

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.core.errors import UsageError
from pipelines.core.settings import Settings
from pipelines.core.source import SourceFile
from pipelines.data.extract.database import DatabaseTable
from pipelines.data.extract.labels import Label
from pipelines.data.extract.publications import PLACED, Publishing, is_placed, last_placed
from pipelines.data.extract.seen import Watch, unchanged
from pipelines.data.extract.shape import Shape
from pipelines.data.extract.spool import Spool
from pipelines.data.extract.taken import NOTHING, Taken
from pipelines.data.reading.batches import Between, Table
from pipelines.data.reading.dialect import RFC_4180, Dialect
from pipelines.data.reading.files import FileTable
from pipelines.stores.objects import Objects
from pipelines.use_cases.spec.interval import Grain, Interval
from pipelines.use_cases.spec.use_case import Feed

__all__ = ["HIDDEN", "Label", "Rows", "Shape", "Table", "days", "located", "rows_of"]

log = logging.getLogger(__name__)

# What the scaffold writes in place of a secret.
HIDDEN = "***"


def located(
    settings: Settings, case: str, location: str, dialect: Dialect = RFC_4180
) -> FileTable | DatabaseTable:
    """The table of a use case: where the settings say, `MILLRACE_SOURCE_<CASE>`, else `location`.

    A location is a path, the URL of an object store, or `SQLALCHEMY_URL#TABLE`.

    Args:
        dialect: of files.

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
    return FileTable(found, roots, dialect)


@dataclass(frozen=True)
class Rows:
    """A source of one feed: the rows of a table, read once for the whole interval."""

    table: Table
    shape: Shape
    interval: Interval
    grain: Grain = "day"
    taken: Taken | None = None
    now: datetime | None = None
    _spools: dict[str, Spool] = field(default_factory=dict)

    def after(self, store: Objects, feed: Feed, grain: Grain, now: datetime) -> Self:
        """The same, knowing what of it has landed in the feed's store."""
        taken = Taken(store, self._digest(feed), grain)
        return replace(self, grain=grain, taken=taken, now=now)

    def has_landed(self, part: Interval) -> bool:
        """Whether a part stays as it landed."""
        return self.taken is not None and self.taken.has(part)

    def files(self, feed: Feed, part: Interval) -> Iterable[SourceFile]:
        """The files of a part, of one without rows an empty one."""
        if feed.name not in self._spools:
            self._spools[feed.name] = self._spooled(feed)
        for path, num_rows in self._spools[feed.name].files[part.key].written:
            yield SourceFile(path.name, partial(_copied, path, num_rows))

    def counts(self, feed: Feed) -> Mapping[str, int]:
        """What became of the rows that were read for a feed, if any had to be."""
        return dict(self._spools[feed.name].counts) if feed.name in self._spools else {}

    def _spooled(self, feed: Feed) -> Spool:
        """The parts that have not landed, from one reading of the source."""
        landed = self.taken.around(self.interval, self.shape.late_days) if self.taken else {}
        new = [part for part in self.interval.parts(self.grain) if not self.has_landed(part)]
        watch = self._watch(new)
        table = self.table
        if isinstance(table, FileTable) and watch.unchanged:
            table = table.without(watch.unchanged)
        with Spool.of(feed, self._digest(feed), new, landed) as spool:
            margin = timedelta(days=self.shape.late_days if landed else 0)
            start, end = self.interval.start - margin, self.interval.end
            publishing = Publishing(
                shape=self.shape, columns=feed.columns, key=feed.key, now=self.now
            )
            wanted = Between(self.shape.time_columns, start, end, *publishing.plausible)
            for rows in published(table, publishing, wanted, self._before(watch)):
                watch.add(rows)
                self._add(spool, rows)
            spool.note(watch)
        if self.taken:
            said = ", ".join(f"{count:,} {what}" for what, count in spool.counts.items())
            log.info("%s: %s", feed.name, said or "no rows")
        return spool

    def _digest(self, feed: Feed) -> str:
        """Another one where what landed has to land anew."""
        dialect = self.table.dialect if isinstance(self.table, FileTable) else RFC_4180
        return self.shape.digest(feed.columns, dialect)

    def _watch(self, new: Sequence[Interval]) -> Watch:
        """The files that have to be read, and those that have not."""
        if not isinstance(self.table, FileTable) or self.taken is None:
            return Watch({}, {})
        signatures = self.table.signatures()
        return Watch(signatures, unchanged(self.taken.seen(), signatures, new))

    def _before(self, watch: Watch) -> datetime | None:
        """Of a database any: none of its rows is placed by it, and no other may be there to ask."""
        return watch.before if isinstance(self.table, FileTable) else self.interval.start

    def _add(self, spool: Spool, rows: pa.Table) -> None:
        """A database has no row before another, so nothing places one without an instant."""
        if isinstance(self.table, FileTable):
            spool.add(rows)
            return
        placed = is_placed(rows)
        spool.add(rows.filter(placed))
        unplaced = rows.filter(pc.invert(placed))
        if len(unplaced):
            spool.add_unplaced(unplaced, self.taken.of_all_parts() if self.taken else NOTHING)


def published(
    table: Table,
    publishing: Publishing,
    wanted: Between | None = None,
    before: datetime | None = None,
) -> Iterator[pa.Table]:
    """What a source published, batch by batch, in the order of its records.

    Args:
        before: when the row before the first was; None: the first that has an instant says it.
    """
    batches = partial(_batches, table, publishing, wanted)
    before = before or publishing.first_instant(batches())
    for batch in batches():
        found = publishing.published(batch, before)
        before = last_placed(found, len(batch))
        yield found


def _batches(table: Table, publishing: Publishing, wanted: Between | None) -> Iterator[pa.Table]:
    shape = publishing.shape
    optional = {column.name for column in publishing.columns if column.optional}
    may_lack = [source for source, ours in shape.columns.items() if ours in optional]
    return filter(len, table.batches(shape.source_columns, wanted, optional=may_lack))


def days(table: Table, publishing: Publishing) -> list[date]:
    """The days (UTC) in which rows became known, in order; reads all of the table."""
    found = (pc.unique(rows[PLACED].cast(pa.date32())) for rows in published(table, publishing))
    return sorted({day for each in found for day in each.to_pylist()})


def rows_of(table: Table, shape: Shape, feed: Feed, interval: Interval) -> pa.Table:
    """The rows of an interval as they land, in the order of their parts."""
    source, parts = Rows(table, shape, interval), interval.parts("day")
    with TemporaryDirectory() as folder:
        path = Path(folder, "rows.parquet")
        files = [file for part in parts for file in source.files(feed, part)]
        tables = [pq.read_table(path) for file in files if file.write(path) >= 0]
    return pa.concat_tables(tables)


def _copied(path: Path, num_rows: int, target: Path) -> int:
    copyfile(path, target)
    return num_rows
