"""The rows of a source by the part that they belong to, each part a file of Parquet as it grows.

Memory stays that of a batch, whatever the interval. What landed stays as it is: rows of such a part
that its landing has not came late, or were changed at the source. They land in the newest part that
is new, known at its end, since nobody knew them before; never in one before their own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Self
from weakref import finalize

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.data.extract.publications import INSTANT, PLACED, is_placed
from pipelines.data.extract.seen import FILES, Watch
from pipelines.data.extract.taken import NOTHING, SHAPE, Digests
from pipelines.data.reading.rows import DIGEST, schema, with_value
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Feed

# A worker holds a whole file in memory.
FILE_BYTES_MAX = 64 * 2**20
_SECONDS_A_MICROSECOND = 10**6


@dataclass
class PartFiles:
    """One part's rows, in files of bounded size; of a part without rows one without."""

    schema: pa.Schema
    start: Path
    written: list[tuple[Path, int]] = field(default_factory=list)
    _writer: pq.ParquetWriter | None = None

    def add(self, rows: pa.Table) -> None:
        """Further rows, in their order."""
        if self._writer is None or self.written[-1][0].stat().st_size > FILE_BYTES_MAX:
            self._next()
        path, num_rows = self.written[-1]
        wanted = rows.select(self.schema.names).cast(self.schema)
        self._writer.write_table(wanted)  # type: ignore[union-attr]
        self.written[-1] = (path, num_rows + len(rows))

    def note(self, name: bytes, text: str) -> None:
        """Something to be said of the whole part."""
        if self._writer is None:
            self._next()
        self._writer.add_key_value_metadata({name: text})  # type: ignore[union-attr]

    def close(self) -> None:
        """Finish the files."""
        if self._writer is None:
            self._next()
        self._writer.close()  # type: ignore[union-attr]

    def _next(self) -> None:
        if self._writer is not None:
            self._writer.close()
        number = f"-{len(self.written) + 1}" if self.written else ""
        path = self.start.with_name(f"{self.start.name}{number}.parquet")
        self.written.append((path, 0))
        self._writer = pq.ParquetWriter(path, self.schema, compression="zstd")


@dataclass
class Spool:
    """The new parts of an interval, and what is late for those that have landed.

    Args:
        files: by the key of the new part.
        landed: the digests of the rows of each part that has landed.
    """

    feed: Feed
    new: Sequence[Interval]
    landed: Mapping[Interval, Digests]
    files: Mapping[str, PartFiles]
    folder: Path
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(
        cls, feed: Feed, shape: str, new: Sequence[Interval], landed: Mapping[Interval, Digests]
    ) -> Self:
        """An empty one, in a folder that goes with it."""
        folder = Path(mkdtemp(prefix="millrace-"))
        described = schema(feed).with_metadata({SHAPE: shape.encode()})
        files = {}
        for part in new:
            (folder / part.key).mkdir()
            files[part.key] = PartFiles(described, folder / part.key / feed.name)
        made = cls(feed, new, landed, files, folder)
        finalize(made, rmtree, folder, ignore_errors=True)
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for files in self.files.values():
            files.close()

    def add(self, rows: pa.Table) -> None:
        """What was published, in any order of parts."""
        fresh = _without(rows, np.concatenate([NOTHING, *self.landed.values()]))
        self.counts["rows read"] += len(rows)
        self.counts["landed before"] += len(rows) - len(fresh)
        num_placed = 0
        for part, mine in _by_part(fresh, [*self.new, *self.landed]):
            num_placed += len(mine)
            self._add(part, mine)
        self.counts["of other days"] += len(fresh) - num_placed

    def add_unplaced(self, rows: pa.Table, taken: Digests) -> None:
        """Rows that no instant and no row before them places: whoever finds them takes them."""
        fresh = _without(rows, taken)
        self.counts["rows read"] += len(rows)
        self.counts["landed before"] += len(rows) - len(fresh)
        if self.new and len(fresh):
            self.counts["new, without an instant that can be"] += len(fresh)
            self.files[self.new[-1].key].add(fresh)

    def note(self, watch: Watch) -> None:
        """What files the source has, with its newest part that is new."""
        if watch.num_unread:
            self.counts["in files as they were, not read again"] = watch.num_unread
        if self.new and watch.signatures:
            self.files[self.new[-1].key].note(FILES, watch.text)

    def _add(self, part: Interval, rows: pa.Table) -> None:
        if part.key in self.files:
            self.counts["new"] += len(rows)
            self.files[part.key].add(rows)
        elif self.new and part.start < self.new[-1].start:
            self.counts["late"] += len(rows)
            self.files[self.new[-1].key].add(_known_late(rows, self.new[-1]))
        else:
            self.counts["late, left to the next part"] += len(rows)


def _without(rows: pa.Table, taken: Digests) -> pa.Table:
    if not len(taken):
        return rows
    return rows.filter(pa.array(~np.isin(rows[DIGEST].to_numpy(), taken)))


def _known_late(rows: pa.Table, part: Interval) -> pa.Table:
    """Known at a part's end; what is wrong with an instant stays, for quarantine.

    A microsecond before it for each second that a row is late: a row without its label, and the
    same with it, remain in that order.
    """
    end = pa.scalar(part.end, INSTANT)
    early = pc.divide(pc.subtract(end, rows[PLACED]).cast(pa.int64()), _SECONDS_A_MICROSECOND)
    late = pc.subtract(end, early.cast(pa.duration("us")))
    known = pc.if_else(is_placed(rows), late, rows["known_at"])
    return with_value(rows, "known_at", known)


def _by_part(rows: pa.Table, parts: Sequence[Interval]) -> Iterable[tuple[Interval, pa.Table]]:
    """The rows of each part that has any."""
    ordered = sorted(parts)
    starts = np.array([np.datetime64(part.start.replace(tzinfo=None), "us") for part in ordered])
    placed = rows[PLACED].to_numpy().astype("datetime64[us]")
    held = np.searchsorted(starts, placed, side="right") - 1
    for place in np.unique(held[held >= 0]).tolist():
        part = ordered[place]
        end = np.datetime64(part.end.replace(tzinfo=None), "us")
        mine = rows.filter(pa.array((held == place) & (placed < end)))
        if len(mine):
            yield part, mine
