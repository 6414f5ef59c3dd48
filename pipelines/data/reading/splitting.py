"""One record of CSV at a time, by hand: what is wrong with it, and where the next one starts.

A record ends at a line end outside quotes. Where a quote does not close, its line is the record.
`csv.reader` is not used because it swallows the rest of a file after one unclosed quote, and
because it drops the text that quarantine must show.
"""

from collections.abc import Iterator, Sequence
from string import whitespace
from typing import NamedTuple

from pipelines.data.reading.batches import CELL_CHARACTERS_MAX
from pipelines.data.reading.dialect import Dialect

# A quoted field may hold line ends; a quote that is not closed within so many lines never is.
QUOTED_LINES_MAX = 100
_RAW_CHARACTERS_MAX = CELL_CHARACTERS_MAX


class Broken(Exception):
    """The text is no CSV record; `is_open` when more lines could still close its quote."""

    def __init__(self, problem: str, *, is_open: bool = False) -> None:
        super().__init__(problem)
        self.is_open = is_open


class Split(NamedTuple):
    """A record: its bytes in the buffer, its text, its fields or what is wrong with them."""

    end: int
    raw: str
    fields: Sequence[str] | None
    problem: str | None

    @property
    def is_one(self) -> bool:
        """Whether it is a record at all, and no blank line."""
        return self.fields is not None or self.problem is not None


def record_at(buffer: bytes, at: int, width: int, dialect: Dialect, *, is_last: bool) -> Split:
    """The record that starts at a line's start.

    It goes over several lines only if that makes it whole; otherwise it is its first line.

    Raises:
        EOFError: more of the file is needed to say.
    """
    end = _line_end(buffer, at)
    try:
        return Split(end, *_whole(buffer[at:end], width, dialect))
    except Broken as broken:
        problem = str(broken)
        joined = broken.is_open and _joined(buffer, at, end, width, dialect, is_last=is_last)
    return joined or Split(end, shown(buffer[at:end]), None, problem)


def shown(line: bytes) -> str:
    """A record's text for people, whatever its bytes are."""
    text = line.decode("utf-8", "backslashreplace").rstrip("\r\n").replace("\0", "\\0")
    if len(text) <= _RAW_CHARACTERS_MAX:
        return text
    return f"{text[:_RAW_CHARACTERS_MAX]}... ({len(text)} characters)"


def is_blank(line: str, delimiter: str) -> bool:
    """Whether a line is no record: a tab is no blank where it is the delimiter."""
    return not line.strip(whitespace) and delimiter not in line


def are_several(record: bytes, width: int, delimiter: bytes) -> bool:
    """Whether the lines of a record are rather records of their own, parted by a stray quote.

    So they are if each line alone has all the delimiters that a record has. Of two columns that
    says too little: a text with one comma a line would do.
    """
    lines = record.rstrip(b"\r\n").split(b"\n")
    enough = len(lines) > 1 and width > 2  # noqa: PLR2004
    return enough and all(line.count(delimiter) == width - 1 for line in lines)


def fields_of(text: str, dialect: Dialect) -> list[str]:
    """The fields of a record's text.

    Raises:
        Broken: its quotes are not those of the dialect.

    Example:
        >>> fields_of('a,"b ""c"", d",', Dialect())
        ['a', 'b "c", d', '']
    """
    marks = (dialect.quote, dialect.escape)
    if any(mark and mark in text for mark in marks):
        fields = list(_fields(text, dialect))
    else:
        fields = text.split(dialect.delimiter)
    return [field.strip(" ") for field in fields] if dialect.is_padded else fields


def _fields(text: str, dialect: Dialect) -> Iterator[str]:
    at = 0
    while True:
        value, at = _field(text, at, dialect)
        yield value
        if at == len(text):
            return
        at += 1


def _whole(line: bytes, width: int, dialect: Dialect) -> tuple[str, Sequence[str] | None, None]:
    """The text and the fields of a record; of a blank line neither."""
    if b"\0" in line:
        raise Broken("a NUL byte")
    try:
        text = line.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        wrong = error.object[error.start : error.start + 1].hex()
        raise Broken(f"no {dialect.encoding}: byte 0x{wrong}") from error
    if is_blank(text, dialect.delimiter):
        return "", None, None
    fields = fields_of(text, dialect)
    if len(fields) != width:
        raise Broken(f"{len(fields)} fields where the header has {width}")
    longest = max(map(len, fields))
    if longest > CELL_CHARACTERS_MAX:
        raise Broken(f"a cell of {longest} characters, above {CELL_CHARACTERS_MAX}")
    return text, fields, None


def _joined(
    buffer: bytes, at: int, end: int, width: int, dialect: Dialect, *, is_last: bool
) -> Split | None:
    quote, delimiter = dialect.quote.encode(), dialect.delimiter.encode()
    for _ in range(QUOTED_LINES_MAX - 1):
        if end == len(buffer):
            if is_last:
                return None
            raise EOFError
        start, end = end, _line_end(buffer, end)
        if quote not in buffer[start:end]:
            continue
        try:
            found = Split(end, *_whole(buffer[at:end], width, dialect))
        except Broken as broken:
            if broken.is_open:
                continue
            return None
        return None if are_several(buffer[at:end], width, delimiter) else found
    return None


def _line_end(buffer: bytes, at: int) -> int:
    return buffer.find(b"\n", at) + 1 or len(buffer)


def _field(text: str, at: int, dialect: Dialect) -> tuple[str, int]:
    """One field and where it ends: at a delimiter, or at the end of the text."""
    while dialect.is_padded and text.startswith(" ", at):
        at += 1
    if not dialect.quote or not text.startswith(dialect.quote, at):
        value, end = _bare(text, at, dialect)
        if dialect.quote and dialect.quote in value and not dialect.escape:
            raise Broken("a quote inside a field that does not start with one")
        return value, end
    value, end = _quoted(text, at + 1, dialect)
    while dialect.is_padded and text.startswith(" ", end):
        end += 1
    if end < len(text) and text[end] != dialect.delimiter:
        raise Broken("text after a closing quote")
    return value, end


def _bare(text: str, at: int, dialect: Dialect) -> tuple[str, int]:
    end = text.find(dialect.delimiter, at)
    end = len(text) if end < 0 else end
    if not dialect.escape or dialect.escape not in text[at:end]:
        return text[at:end], end
    return _escaped(text, at, dialect.delimiter, dialect)


def _quoted(text: str, start: int, dialect: Dialect) -> tuple[str, int]:
    """The value of a quoted field, and where its closing quote ends."""
    quote = dialect.quote
    if dialect.escape:
        value, end = _escaped(text, start, quote, dialect)
        if end == len(text):
            raise Broken("a quote that is not closed", is_open=True)
        return value, end + 1
    end = text.find(quote, start)
    while end >= 0 and text.startswith(quote, end + 1):
        end = text.find(quote, end + 2)
    if end < 0:
        raise Broken("a quote that is not closed", is_open=True)
    return text[start:end].replace(quote * 2, quote), end + 1


def _escaped(text: str, at: int, until: str, dialect: Dialect) -> tuple[str, int]:
    r"""A value in which an escape makes a mark after it a letter, and where its end mark is.

    Before anything else the escape is a letter itself: MySQL writes `\N` for null, and DuckDB and
    Spark leave `C:\new` as it is where nothing is quoted.
    """
    # `csv` escapes quotes also where it is told to quote nothing.
    quotes = dialect.quote or "\"'"
    marks = f"{dialect.delimiter}{quotes}{dialect.escape}\r\n"
    pieces = []
    while at < len(text) and text[at] != until:
        at += text[at] == dialect.escape and text[at + 1 : at + 2] in marks and at + 1 < len(text)
        pieces.append(text[at])
        at += 1
    return "".join(pieces), at
