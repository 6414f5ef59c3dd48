"""CSV of any dialect, in bulk where its quotes are in order, by hand where they are not.

Most of a file is in order: that is seen by counting (every quote opens or closes a field, every
record has as many delimiters as the header), and Arrow's parser splits it. The records that are
not are split one by one, see `splitting`. Both give the same values; tests hold them together.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import BinaryIO

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.data.reading import in_bulk
from pipelines.data.reading.batches import COLUMNS_MAX, LINE, PROBLEM, FileRefused, batch, gathered
from pipelines.data.reading.dialect import RFC_4180, Dialect
from pipelines.data.reading.rows import with_value
from pipelines.data.reading.splitting import Broken, Split, fields_of, is_blank, record_at, shown
from pipelines.data.reading.texts import blocks

# After a record out of order so many bytes are taken in bulk, then twice as many, and so on: what
# was looked at after the next such record is looked at again.
_BYTES_AFTER = 2**16
# Of a header, with what stands above it: 1,000 names of 1,000 characters.
_HEADER_BYTES_MAX = 2**20


@dataclass(frozen=True)
class Delimited:
    """The records of one file of CSV.

    Args:
        open: gives the file's bytes from their start.
        file: its name, for the origin of its records.
    """

    open: Callable[[], BinaryIO]
    file: str
    dialect: Dialect = RFC_4180

    @cached_property
    def _head(self) -> tuple[list[str], int, int]:
        """The header, the bytes before the first record, and its line."""
        with self.open() as stream:
            start = b""
            for block in blocks(stream, self.dialect.encoding):
                start += block
                if len(start) >= _HEADER_BYTES_MAX:
                    break
        return _header(start, self.dialect)

    def header(self) -> list[str]:
        """The names of the columns; none: the file is empty.

        Raises:
            FileRefused: the header is broken, or too wide.
        """
        return self._head[0]

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The records with those of the columns that the header names, as texts.

        Raises:
            FileRefused: a line is too long, or the header is broken.
        """
        header, skipped, line = self._head
        width = len(header) + self.dialect.has_trailing_delimiter
        places = {name: header.index(name) for name in columns if name in header}
        walk = _Walk(self.file, self.dialect, width, places)
        tables = gathered(self._tables(walk, skipped, line))
        yield from (_without_headers(table, list(places)) for table in tables)

    def _tables(self, walk: "_Walk", skipped: int, line: int) -> Iterator[pa.Table]:
        with self.open() as stream:
            buffer = b""
            for block in blocks(stream, self.dialect.encoding):
                buffer += block[skipped:] if skipped else block
                skipped = max(0, skipped - len(block))
                taken = yield from walk.tables(buffer, line, is_last=False)
                line += buffer.count(b"\n", 0, taken)
                buffer = buffer[taken:]
            yield from walk.tables(buffer, line, is_last=True)


def _without_headers(rows: pa.Table, names: Sequence[str]) -> pa.Table:
    """The header again is no record: somebody put two exports one behind the other.

    Of one column it may be a value.
    """
    if not names[1:] or not pc.any(pc.equal(rows[names[0]], names[0])).as_py():
        return rows
    are_names = (pc.equal(rows[name], name) for name in names)
    is_header = pc.fill_null(reduce(pc.and_, are_names), False)
    for name in names:
        value = pc.if_else(is_header, pa.scalar(None, pa.string()), rows[name])
        rows = with_value(rows, name, value)
    return with_value(rows, PROBLEM, pc.if_else(is_header, "the header again", rows[PROBLEM]))


def _header(block: bytes, dialect: Dialect) -> tuple[list[str], int, int]:
    at, line = 0, 1
    while at < len(block):
        end = block.find(b"\n", at) + 1 or len(block)
        text = block[at:end].decode("utf-8", "replace")
        if line > dialect.skipped_lines and not is_blank(text, dialect.delimiter):
            return _names(block, at, line, dialect)
        at, line = end, line + 1
    return [], at, line


def _names(block: bytes, at: int, line: int, dialect: Dialect) -> tuple[list[str], int, int]:
    """The header that starts there; a quoted name may go over lines."""
    end = at
    problem = ""
    while end < len(block) and end < _HEADER_BYTES_MAX:
        end = block.find(b"\n", end) + 1 or len(block)
        try:
            names = fields_of(_decoded(block[at:end], dialect), dialect)
        except Broken as broken:
            problem = str(broken)
            if broken.is_open:
                continue
            break
        if len(names) > COLUMNS_MAX:
            raise FileRefused(f"the header has {len(names)} columns, above {COLUMNS_MAX}")
        return names, end, line + block.count(b"\n", at, end)
    raise FileRefused(f"the header is broken: {problem}; it is {shown(block[at:end])[:200]!r}")


def _decoded(line: bytes, dialect: Dialect) -> str:
    if b"\0" in line:
        raise Broken("a NUL byte, as in UTF-16; say the encoding")
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Broken(f"no {dialect.encoding}; say the encoding") from error


@dataclass(frozen=True)
class _Walk:
    """Through the records of a buffer, in bulk as far as they are in order."""

    file: str
    dialect: Dialect
    width: int
    places: Mapping[str, int]

    def tables(self, buffer: bytes, line: int, *, is_last: bool) -> Generator[pa.Table, None, int]:
        """The records as tables; returns how many bytes of the buffer they are.

        Args:
            line: of the file at which the buffer starts.
            is_last: nothing follows the buffer.
        """
        at, size = 0, len(buffer)
        while at < len(buffer):
            found = self._scanned(buffer, at, size)
            yield from self._tables(buffer[at : at + found.end], found, line)
            at, line = at + found.end, line + found.num_lines
            size = max(size * 2, _BYTES_AFTER)
            if found.end or at == len(buffer):
                continue
            try:
                record = record_at(buffer, at, self.width, self.dialect, is_last=is_last)
            except EOFError:
                return at
            if record.is_one:
                yield self._of_splits([line], [record])
            line += buffer.count(b"\n", at, record.end)
            at, size = record.end, _BYTES_AFTER
        return at

    def _scanned(self, buffer: bytes, at: int, size: int) -> in_bulk.Scan:
        """Whole lines only: of a buffer the last one ends where it does."""
        end = at + size
        end = len(buffer) if end >= len(buffer) else buffer.rfind(b"\n", at, end) + 1
        return (
            in_bulk.scan(buffer[at:end], self.width, self.dialect) if end > at else in_bulk.NOTHING
        )

    def _tables(self, buffer: bytes, found: in_bulk.Scan, line: int) -> Iterator[pa.Table]:
        """The records of a scan, in their order."""
        lines, by_hand, tables = found.lines + line, found.is_odd, []
        plain = in_bulk.split(buffer, found, list(self.places.values()), self.width, self.dialect)
        if plain is None:
            by_hand = np.ones_like(by_hand)
        else:
            columns, raws = plain
            named = dict(zip(self.places, columns, strict=True))
            tables.append(batch(named, lines[~by_hand], file=self.file, raws=raws))
        starts = zip(lines[by_hand].tolist(), found.starts[by_hand].tolist(), strict=True)
        records = [
            (number, record)
            for number, start in starts
            if (record := record_at(buffer, start, self.width, self.dialect, is_last=True)).is_one
        ]
        if records:
            tables.append(self._of_splits(*zip(*records, strict=True)))
        together = pa.concat_tables(tables) if tables else pa.table({LINE: []})
        if len(together):
            yield together.sort_by(LINE) if len(tables) > 1 else together

    def _of_splits(self, lines: Sequence[int], records: Sequence[Split]) -> pa.Table:
        texts = {
            name: [record.fields[place] if record.fields else None for record in records]
            for name, place in self.places.items()
        }
        raws, problems = ([getattr(r, field) for r in records] for field in ("raw", "problem"))
        return batch(texts, lines, file=self.file, raws=raws, problems=problems)
