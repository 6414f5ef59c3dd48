"""Landing files into records, without losing one: pure functions from bytes to `Record`s.

A record that can't be read says why and keeps its text, and the next one starts at the next
physical line, so that one broken quote or brace costs one record. What makes the whole file
unreadable (its encoding, its header) refuses it. Spark's workers import this: standard library
only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pipelines.use_cases.spec.use_case import Feed

# Contract limits: a longer line or a wider header is no data of ours (a lost line end, a wrong
# file), and would fill a worker's memory.
LINE_CHARACTERS_MAX = 1_000_000
COLUMNS_MAX = 1_000


class Record(NamedTuple):
    """One record: its first physical line (from 1), its text verbatim, its values or a problem."""

    line: int
    raw: str
    values: tuple[str | None, ...] | None
    problem: str | None = None


class FileRefused(Exception):
    """The whole file can't be read by its contract; the message names the field or the place."""


@dataclass
class Reading:
    """The records of one file, and the fields seen on the way that the feed does not know."""

    records: Iterator[Record]
    unknown: set[str] = field(default_factory=set)


def physical_lines(content: bytes) -> list[str]:
    """The lines of a UTF-8 text, without their newlines and without its byte order mark.

    Raises:
        FileRefused: a NUL byte, not UTF-8, a giant line; the message names the line.
    """
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise FileRefused(f"line {line} has a NUL byte; the file must be UTF-8 text")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileRefused(
            f"line {line} is not UTF-8 ({error.reason}); send the file as UTF-8"
        ) from (error)
    lines = text.split("\n")
    for number, line_text in enumerate(lines, start=1):
        if len(line_text) > LINE_CHARACTERS_MAX:
            raise FileRefused(
                f"line {number} has {len(line_text)} characters, above {LINE_CHARACTERS_MAX}"
            )
    return lines


def missing(feed: Feed, present: Mapping[str, object] | set[str]) -> list[str]:
    """The columns that must be there and are not."""
    return [c.name for c in feed.columns if not c.optional and c.name not in present]
