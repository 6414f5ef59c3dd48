"""CSV by RFC 4180, with the physical line of every record.

`csv.reader` is not used because it swallows the rest of a file after one unclosed quote, and
because it drops the text that quarantine must show.
"""

from collections.abc import Iterator
from itertools import islice

from pipelines.data.ingest.records import COLUMNS_MAX, FileRefused, Reading, Record, missing
from pipelines.use_cases.spec.use_case import Feed

# A quoted field may hold newlines; a quote that is not closed within so many lines never is.
QUOTED_LINES_MAX = 100


class _Broken(Exception):
    """The text is no CSV record; `unclosed` when more lines could still close its quote."""

    def __init__(self, problem: str, *, unclosed: bool = False) -> None:
        super().__init__(problem)
        self.unclosed = unclosed


def read(lines: list[str], feed: Feed) -> Reading:
    """The records of the lines; columns are found by the header's names, in any order.

    Raises:
        FileRefused: the header lacks a column, repeats one or is broken.
    """
    first = next((number for number, line in enumerate(lines) if not _blank(line)), None)
    if first is None:
        return Reading(iter(()))
    header = _header(lines[first], feed)
    unknown = set(header) - set(feed.column_names)
    return Reading(_records(lines, first + 1, header, feed), unknown)


def _header(line: str, feed: Feed) -> list[str]:
    try:
        header = _split(line)
    except _Broken as broken:
        raise FileRefused(f"the header is broken: {broken}") from broken
    if len(header) > COLUMNS_MAX:
        raise FileRefused(f"the header has {len(header)} columns, above {COLUMNS_MAX}")
    lacking = missing(feed, set(header))
    if lacking:
        raise FileRefused(f"column {', '.join(lacking)} is missing; the header has {header}")
    twice = sorted(name for name in feed.column_names if header.count(name) > 1)
    if twice:
        raise FileRefused(f"column {', '.join(twice)} is there twice")
    return header


def _records(lines: list[str], start: int, header: list[str], feed: Feed) -> Iterator[Record]:
    places = [header.index(name) if name in header else None for name in feed.column_names]
    at = start
    while at < len(lines):
        if _blank(lines[at]):
            at += 1
            continue
        raw, fields, problem = _next(lines, at, len(header))
        values = None
        if fields is not None:
            found = (None if place is None else fields[place] for place in places)
            values = tuple(None if text == feed.null_token else text for text in found)
        yield Record(at + 1, raw, values, problem)
        at += raw.count("\n") + 1


def _next(lines: list[str], at: int, width: int) -> tuple[str, list[str] | None, str | None]:
    """The text of the record at a line, and its fields or what is wrong with it.

    A record goes over several lines only if that makes it whole; otherwise it is its first line.
    """
    try:
        fields = _split(lines[at])
    except _Broken as broken:
        joined = _joined(lines, at, width) if broken.unclosed else None
        return joined or (lines[at], None, str(broken))
    if len(fields) != width:
        return lines[at], None, f"{len(fields)} fields where the header has {width}"
    return lines[at], fields, None


def _joined(lines: list[str], at: int, width: int) -> tuple[str, list[str], None] | None:
    raw = lines[at]
    for line in islice(lines, at + 1, at + QUOTED_LINES_MAX):
        raw = f"{raw}\n{line}"
        if '"' not in line:
            continue
        try:
            fields = _split(raw)
        except _Broken as broken:
            if broken.unclosed:
                continue
            return None
        return (raw, fields, None) if len(fields) == width else None
    return None


def _split(text: str) -> list[str]:
    text = text.removesuffix("\r")
    if '"' not in text:
        return text.split(",")
    fields, at = [], 0
    while True:
        value, at = _field(text, at)
        fields.append(value)
        if at == len(text):
            return fields
        at += 1


def _field(text: str, at: int) -> tuple[str, int]:
    """One field and where it ends: at a comma, or at the end of the text."""
    if not text.startswith('"', at):
        end = text.find(",", at)
        end = len(text) if end < 0 else end
        if '"' in text[at:end]:
            raise _Broken("a quote inside a field that does not start with one")
        return text[at:end], end
    start = at + 1
    end = text.find('"', start)
    while end >= 0 and text.startswith('"', end + 1):
        end = text.find('"', end + 2)
    if end < 0:
        raise _Broken("a quote that is not closed", unclosed=True)
    if end + 1 < len(text) and text[end + 1] != ",":
        raise _Broken("text after a closing quote")
    return text[start:end].replace('""', '"'), end + 1


def _blank(line: str) -> bool:
    return not line or line.isspace()
