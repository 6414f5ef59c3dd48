"""Which records of a buffer of CSV are in order, seen by counting; those are split by Arrow.

A quote is in order if it opens a field at its start or closes one at its end, or is one of two that
stand for one. A record is in order if all its quotes are, and if it has as many delimiters outside
quotes as the header. All of it is counted in numpy: a hundred times as fast as a look at each.
"""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from pyarrow import csv

from pipelines.data.reading.batches import CELL_CHARACTERS_MAX
from pipelines.data.reading.dialect import Dialect
from pipelines.data.reading.splitting import QUOTED_LINES_MAX, are_several

_LF, _CR, _NUL = 10, 13, 0
_PARSED_BYTES = 2 * 2**20
_Places = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scan:
    """The records at the start of a buffer whose ends are known for sure.

    Args:
        starts, ends: of each record, its line end included.
        lines: before each record, in the buffer.
        is_odd: these are one line each, and have to be split by hand.
        end: where the first record starts that was not looked at or is out of order.
        num_lines: before `end`.
    """

    starts: _Places
    ends: _Places
    lines: _Places
    is_odd: _Flags
    end: int
    num_lines: int


_NONE = np.zeros(0, np.int64)
NOTHING = Scan(_NONE, _NONE, _NONE, np.zeros(0, np.bool_), 0, 0)


@dataclass(frozen=True)
class _Buffer:
    """Whole lines, and where their ends and their quotes stand."""

    text: bytes
    data: npt.NDArray[np.uint8]
    line_ends: _Places
    quotes: _Places

    @classmethod
    def of(cls, text: bytes, quote: str) -> "_Buffer":
        # The end of a file ends a line, too.
        text += b"" if text.endswith(b"\n") else b"\n"
        data = np.frombuffer(text, np.uint8)
        quotes = _found(data, ord(quote)) if quote else _NONE
        return cls(text, data, _found(data, _LF), quotes)

    def outside(self, places: _Places) -> _Flags:
        """Whether so many quotes stand before each that none is open."""
        if len(places) <= len(self.quotes):
            num_before = np.searchsorted(self.quotes, places)
        else:  # The fewer of the two are looked up.
            first_behind = np.searchsorted(places, self.quotes)
            num_before = np.bincount(first_behind, minlength=len(places) + 1)[:-1].cumsum()
        is_outside: _Flags = num_before % 2 == 0
        return is_outside


def scan(text: bytes, width: int, dialect: Dialect) -> Scan:
    """The records in order from the start of a buffer; its end is a line's end."""
    marks = dialect.delimiter + dialect.quote
    if not marks.isascii() or (dialect.escape and dialect.escape.encode() in text):
        return NOTHING
    buffer = _Buffer.of(text, dialect.quote)
    is_end = buffer.outside(buffer.line_ends) & (buffer.line_ends < _first_wrong(buffer, dialect))
    ends = buffer.line_ends[is_end] + 1
    if not len(ends):
        return NOTHING
    starts = np.concatenate(([0], ends[:-1]))
    until = np.flatnonzero(is_end) + 1
    lines = np.concatenate(([0], until[:-1]))
    is_odd = _is_odd(buffer, starts, ends, width, dialect)
    found = Scan(starts, np.minimum(ends, len(text)), lines, is_odd, 0, 0)
    kept = _num_kept(text, found, until - lines, width, dialect)
    return _first(found, kept, int(until[kept - 1]), buffer.data) if kept else NOTHING


def _is_odd(
    buffer: _Buffer, starts: _Places, ends: _Places, width: int, dialect: Dialect
) -> _Flags:
    """Which records have another number of fields, or what Arrow's parser reads in another way."""
    delimiters = _found(buffer.data, ord(dialect.delimiter))
    delimiters = delimiters[buffer.outside(delimiters)]
    num_delimiters = np.diff(np.searchsorted(delimiters, np.append(starts, ends[-1])))
    is_odd: _Flags = (num_delimiters != width - 1) | (ends - starts > CELL_CHARACTERS_MAX)
    is_odd |= _has(_unsafe(buffer), ends) | _is_undecodable(buffer.text, starts, ends)
    # At its start Arrow's parser would take a byte order mark away.
    is_odd |= _begins_with(buffer.data, starts, codecs.BOM_UTF8)
    if width == 1:
        is_odd |= _is_space(buffer.text, starts, ends)
    return is_odd


def _first(found: Scan, num_records: int, num_lines: int, data: npt.NDArray[np.uint8]) -> Scan:
    """The first records, without blank lines."""
    starts = found.starts[:num_records]
    first, second = data[starts], data[np.minimum(starts + 1, len(data) - 1)]
    is_full = (first != _LF) & ((first != _CR) | (second != _LF))
    ends, lines, is_odd = (
        each[:num_records][is_full] for each in (found.ends, found.lines, found.is_odd)
    )
    return Scan(starts[is_full], ends, lines, is_odd, int(found.ends[num_records - 1]), num_lines)


def split(
    buffer: bytes, found: Scan, places: Sequence[int], width: int, dialect: Dialect
) -> tuple[Sequence[pa.ChunkedArray], pa.Array] | None:
    """The fields at these places of the records that are not odd, and the records' texts.

    None: there are none, or Arrow's parser sees another number; then they are split by hand.
    """
    is_plain = ~found.is_odd
    if not is_plain.any():
        return None
    starts, ends = found.starts[is_plain], found.ends[is_plain]
    data = _joined(buffer, starts, ends)
    names = [str(place) for place in range(width)]
    wanted = [names[place] for place in places]
    table = csv.read_csv(
        pa.py_buffer(data),
        csv.ReadOptions(column_names=names, block_size=_PARSED_BYTES),
        csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote or False,
            newlines_in_values=bool(dialect.quote),
        ),
        csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=wanted or names[:1],
            strings_can_be_null=False,
        ),
    )
    if table.num_rows != len(starts):
        return None
    offsets = np.concatenate(([0], np.cumsum(ends - starts))).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    texts = pa.Array.from_buffers(pa.string(), len(starts), buffers)
    columns = table.select(wanted).columns
    if dialect.is_padded:
        columns = [pc.utf8_trim(column, " ") for column in columns]
    return columns, pc.ascii_rtrim(texts, "\r\n")


def _found(data: npt.NDArray[np.uint8], byte: int) -> _Places:
    return np.flatnonzero(data == byte)


def _first_wrong(buffer: _Buffer, dialect: Dialect) -> int:
    """The first quote that neither opens a field at its start nor closes one at its end."""
    data, quotes = buffer.data, buffer.quotes
    if not len(quotes):
        return len(data)
    # The last byte ends a line.
    before, after = data[np.maximum(quotes - 1, 0)], data[quotes + 1]
    then = data[np.minimum(quotes + 2, len(data) - 1)]
    is_edge = np.array([ord(dialect.delimiter), _LF])
    opens = np.isin(before, is_edge) | (quotes == 0)
    closes = np.isin(after, is_edge) | ((after == _CR) & (then == _LF))
    is_next = np.diff(quotes) == 1
    opens[1:] |= is_next
    closes[:-1] |= is_next
    is_opening = np.arange(len(quotes)) % 2 == 0
    wrong = np.flatnonzero(~np.where(is_opening, opens, closes))
    return int(quotes[wrong[0]]) if len(wrong) else len(data)


def _unsafe(buffer: _Buffer) -> _Places:
    """NUL bytes, and CRs that end no line: Arrow's parser would end a record there."""
    found = _found(buffer.data, _NUL) if b"\0" in buffer.text else _NONE
    if b"\r" not in buffer.text:
        return found
    if buffer.text.count(b"\r") == buffer.text.count(b"\r\n"):
        return found
    returns = _found(buffer.data, _CR)
    lone = returns[buffer.data[returns + 1] != _LF]
    return np.concatenate((found, lone[buffer.outside(lone)]))


def _has(places: _Places, ends: _Places) -> _Flags:
    """Which records have one of the places."""
    flags = np.zeros(len(ends), np.bool_)
    held = np.searchsorted(ends, places, side="right")
    flags[held[held < len(ends)]] = True
    return flags


def _is_undecodable(buffer: bytes, starts: _Places, ends: _Places) -> _Flags:
    flags = np.zeros(len(starts), np.bool_)
    if _is_utf_8(buffer):
        return flags
    for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        flags[place] = not _is_utf_8(buffer[start:end])
    return flags


def _begins_with(data: npt.NDArray[np.uint8], starts: _Places, mark: bytes) -> _Flags:
    padded = np.concatenate((data, np.zeros(len(mark), np.uint8)))
    flags = np.ones(len(starts), np.bool_)
    for place, byte in enumerate(mark):
        flags &= padded[starts + place] == byte
    return flags


def _is_space(buffer: bytes, starts: _Places, ends: _Places) -> _Flags:
    records = zip(starts.tolist(), ends.tolist(), strict=True)
    return np.array([buffer[start:end].isspace() for start, end in records], np.bool_)


def _is_utf_8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _num_kept(text: bytes, found: Scan, num_lines: _Places, width: int, dialect: Dialect) -> int:
    """How many records stand before the first of several lines that is out of order."""
    delimiter = dialect.delimiter.encode()
    for place in np.flatnonzero(num_lines > 1).tolist():
        record = text[found.starts[place] : found.ends[place]]
        is_long = num_lines[place] > QUOTED_LINES_MAX
        if found.is_odd[place] or is_long or are_several(record, width, delimiter):
            return int(place)
    return len(found.starts)


def _joined(buffer: bytes, starts: _Places, ends: _Places) -> bytes:
    """The records' bytes, and no others."""
    gaps = np.flatnonzero(starts[1:] != ends[:-1]) + 1
    first = np.concatenate(([0], gaps)).tolist()
    last = np.concatenate((gaps, [len(starts)])).tolist()
    runs = zip(first, last, strict=True)
    return b"".join(buffer[starts[a] : ends[b - 1]] for a, b in runs)
