"""How a CSV file is written, guessed from its start: what is certain, each told in one line."""

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO

from pipelines.data.reading.dialect import Dialect
from pipelines.data.reading.splitting import Broken, fields_of
from pipelines.data.reading.texts import blocks

# So many bytes tell the encoding, and so many lines all else.
SAMPLE_BYTES = 8 * 2**20
_LINES = 1000
# Ctrl-A is Hive's.
DELIMITERS = ",;\t|^~\x01"
_NAMES = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "bar",
    "^": "caret",
    "~": "tilde",
    "\x01": "Ctrl-A",
    "'": "apostrophe",
}
# What Excel writes above its own CSV.
_DECLARED = re.compile(r"sep=(.)")
# Longer records are left aside.
_RECORD_LINES_MAX = 20
# Titles above a header are some lines.
_TITLES_MAX = 20
_EDGE = rf"(?:^|[{re.escape(DELIMITERS)}])"
_END = rf"(?=$|[\r{re.escape(DELIMITERS)}])"
# Fields in quotes; a quote inside stands twice or after an escape.
_ENCLOSED = {
    quote: re.compile(
        rf"{_EDGE}{quote}((?:[^{quote}\\]|{quote}{quote}|\\.)*){quote}{_END}",
        re.MULTILINE | re.DOTALL,
    )
    for quote in "\"'"
}
_OPENING = re.compile(rf'{_EDGE}[ ]?"', re.MULTILINE)
_APOSTROPHES_SHARE_MIN = 0.9
# So many of the lines must have the fields that the most have.
_SAME_SHARE_MIN = 0.5
# Beside so many of the delimiters stands a blank, where it is part of them; the others are within
# fields, or end a line.
_BLANKS_SHARE_MIN = 0.9


@dataclass(frozen=True, kw_only=True)
class SaidDialect:
    """What the person said of how a file is written; None: to be guessed.

    Args:
        names: columns that are there: the first line that has them is the header.

    Raises:
        ValueError: what nothing can be read by.
    """

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    skipped_lines: int | None = None
    records: str | None = None
    sheet: str | None = None
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        try:
            codecs.lookup(self.encoding or "utf-8")
        except LookupError as error:
            raise ValueError(
                f"--encoding {self.encoding!r} is none; it is like utf-8, cp1252 or utf-16"
            ) from error
        Dialect(delimiter=self.delimiter or ",", quote=self.quote or "", escape=self.escape or "")


def sniffed(
    start: bytes, encoding: str, said: SaidDialect, delimiters: str = DELIMITERS
) -> tuple[Dialect, Sequence[str]]:
    """The dialect of a file of CSV from its start, and what to tell of it."""
    text = b"".join(blocks(BytesIO(start), encoding)).decode("utf-8", "replace")
    lines = [line.removesuffix("\r") for line in text.split("\n")[:_LINES]]
    if declared := _DECLARED.fullmatch(lines[0]):
        said = replace(said, delimiter=said.delimiter or declared[1], skipped_lines=1)
    plain = Dialect(encoding=encoding, quote=_quote("\n".join(lines), said))
    candidates = [said.delimiter] if said.delimiter else list(delimiters)
    tried = [_escaped(replace(plain, delimiter=mark), lines, said) for mark in candidates]
    best = max(tried, key=lambda each: (each.has_names, each.width > 1, each.num_same * each.width))
    return best.dialect, _told(best.dialect, said)


def named(delimiter: str) -> str:
    """A delimiter in a word."""
    return _NAMES.get(delimiter, delimiter)


def _told(dialect: Dialect, said: SaidDialect) -> list[str]:
    """A line on what is not as most files have it."""
    told = []
    if dialect.delimiter != "," and not said.delimiter:
        told.append(f"delimiter: {named(dialect.delimiter)}")
    if dialect.quote != '"' and said.quote is None:
        name = _NAMES.get(dialect.quote, 'none: each " is a letter')
        told.append(f"quotes: {name}")
    if dialect.escape and said.escape is None:
        told.append(f"quotes inside quotes: after {dialect.escape}")
    if said.skipped_lines is None:
        told += header_told(dialect)
    if dialect.is_padded:
        told.append("blanks around the fields: they are left out")
    if dialect.has_trailing_delimiter:
        told.append("each row has one empty field more than the header: it is left out")
    return told


def header_told(dialect: Dialect) -> Sequence[str]:
    """A line on titles above a header, if there are any."""
    if not dialect.skipped_lines:
        return ()
    return (f"header: in line {dialect.skipped_lines + 1}, what is above is left alone",)


def _quote(text: str, said: SaidDialect) -> str:
    """The quote that encloses the most fields; none, if all quotes are inside of words.

    Apostrophes stand in words, too: they are quotes if nearly all of them are of such fields.
    """
    if said.quote is not None:
        return said.quote
    doubles, singles = (_ENCLOSED[quote].findall(text) for quote in "\"'")
    enclosing = sum(2 + field.count("'") for field in singles)
    if len(singles) > len(doubles) and enclosing >= _APOSTROPHES_SHARE_MIN * text.count("'"):
        return "'"
    return '"' if '"' not in text or doubles or _OPENING.search(text) else ""


@dataclass(frozen=True)
class _Tried:
    """A dialect, whether its header has the names, its fields, how many lines have as many."""

    dialect: Dialect
    has_names: bool
    width: int
    num_same: int


def _escaped(dialect: Dialect, lines: Sequence[str], said: SaidDialect) -> _Tried:
    """With the escape by which more lines have the fields of the header: mostly with none."""
    has_any = any("\\" in line for line in lines)
    escapes = ["", "\\"] if has_any and said.escape is None else [said.escape or ""]
    tried = [_tried(replace(dialect, escape=mark), lines, said) for mark in escapes]
    return max(tried, key=lambda each: each.num_same)


def _tried(dialect: Dialect, lines: Sequence[str], said: SaidDialect) -> _Tried:
    """How well a delimiter parts the lines."""
    is_padded = dialect.delimiter != " "
    widths = list(_widths(lines, replace(dialect, is_padded=is_padded)))
    header = _header_at(lines, widths, dialect, said)
    is_padded &= _is_padded(lines, header, dialect.delimiter)
    width = next((width for width in widths[header:] if width), 0)
    after = Counter(width for width in widths[header + 1 :] if width)
    more, same = after[width + 1], after[width]
    ends_by_it = [line.endswith(dialect.delimiter) for line in lines[header + 1 :] if line]
    is_trailing = more > same and width > 1 and sum(ends_by_it) >= more
    found = replace(
        dialect,
        is_padded=is_padded,
        skipped_lines=header,
        has_trailing_delimiter=is_trailing,
    )
    has_names = _has_names(lines[header : header + 1], dialect, said.names)
    return _Tried(found, has_names, width, 1 + max(more if is_trailing else 0, same))


def _is_padded(lines: Sequence[str], header: int, delimiter: str) -> bool:
    """Whether a blank stands behind each delimiter, or before each, of the header or nearly all."""
    return any(
        blanks >= share * marks > 0
        for some, share in ((lines[header : header + 1], 1.0), (lines, _BLANKS_SHARE_MIN))
        for blanked in (f"{delimiter} ", f" {delimiter}")
        if (marks := sum(line.count(delimiter) for line in some))
        for blanks in [sum(line.count(blanked) for line in some)]
    )


def _header_at(
    lines: Sequence[str], widths: Sequence[int], dialect: Dialect, said: SaidDialect
) -> int:
    """The header's line: as it was said, by the names that it must have, or by its width."""
    if said.skipped_lines is not None:
        return said.skipped_lines
    for place, line in enumerate(lines[: _TITLES_MAX + 1] if said.names else ()):
        if _has_names([line], dialect, said.names):
            return place
    return header_at(widths)


def _has_names(lines: Sequence[str], dialect: Dialect, names: Sequence[str]) -> bool:
    """Whether one of the lines has all of the names, as far as they are seen in one line."""
    padded = replace(dialect, is_padded=dialect.delimiter != " ")
    found = ({plain_name(field) for field in _fields(line, padded)} for line in lines)
    return any({plain_name(name) for name in names} <= each for each in found)


def plain_name(name: str) -> str:
    """A column's name without what people don't see: case, blanks around, a byte order mark."""
    return " ".join(name.replace("\ufeff", " ").split()).casefold()


def header_at(widths: Sequence[int]) -> int:
    """The first line with as many fields as most lines, where titles stand above it."""
    counts = Counter(width for width in widths if width)
    if not counts:
        return 0
    usual, num_usual = counts.most_common(1)[0]
    if usual == 1 or num_usual < _SAME_SHARE_MIN * counts.total():
        return 0
    first = next((place for place, width in enumerate(widths) if width), 0)
    if widths[first] >= usual - 1 and widths[first] > 1:
        return 0
    found = next(place for place, width in enumerate(widths) if width >= usual - 1 > 0)
    return found if found <= _TITLES_MAX else 0


def _widths(lines: Sequence[str], dialect: Dialect) -> Iterator[int]:
    """How many fields the record of each line has; none: it is blank, broken, or goes on there."""
    at = 0
    while at < len(lines):
        width, num_lines = _width(lines[at : at + _RECORD_LINES_MAX], dialect)
        yield from (width, *[0] * (num_lines - 1))
        at += num_lines


def _width(lines: Sequence[str], dialect: Dialect) -> tuple[int, int]:
    """The fields and the lines of the first record."""
    if not lines[0] or lines[0].isspace():
        return 0, 1
    for num_lines in range(1, len(lines) + 1):
        try:
            return len(fields_of("\n".join(lines[:num_lines]), dialect)), num_lines
        except Broken as broken:
            if not broken.is_open:
                break
    return 0, 1


def _fields(line: str, dialect: Dialect) -> Sequence[str]:
    """The fields of a record of one line; none: it is none."""
    try:
        return fields_of(line, dialect)
    except Broken:
        return ()
