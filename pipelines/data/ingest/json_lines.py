"""JSON lines: one object a line, its values as the texts that stand there.

Numbers stay text, so that no digit is lost before Spark casts it. A string in a number's place
keeps its quotes, which makes the cast fail and say so.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from pipelines.data.ingest.records import Reading, Record, missing
from pipelines.use_cases.spec.use_case import Column, Feed

# A field name that only few rows have is logged; beyond this many names nobody reads the list.
UNKNOWN_MAX = 100
PROBLEM_CHARACTERS_MAX = 500


class _Number(str):
    """A JSON number, as it stands in the file."""


class _Broken(ValueError):
    """A line that is JSON, but no record."""


def read(lines: list[str], feed: Feed) -> Reading:
    """The records of the lines; a line that is no whole JSON object becomes a problem."""
    unknown: set[str] = set()
    return Reading(_records(lines, feed, unknown), unknown)


def _records(lines: list[str], feed: Feed, unknown: set[str]) -> Iterator[Record]:
    names = frozenset(feed.column_names)
    for number, line in enumerate(lines, start=1):
        if not line or line.isspace():
            continue
        try:
            found = _object(line)
            values = _values(found, feed)
        except _Broken as broken:
            yield Record(number, line, None, _printable(str(broken)))
        except RecursionError:
            yield Record(number, line, None, "JSON nested too deep")
        else:
            if len(unknown) < UNKNOWN_MAX:
                unknown.update(map(_printable, found.keys() - names))
            yield Record(number, line, values)


def _values(found: dict[str, Any], feed: Feed) -> tuple[str | None, ...]:
    lacking = missing(feed, found)
    if lacking:
        raise _Broken(f"field {', '.join(lacking)} is missing")
    return tuple(_text(column, found.get(column.name)) for column in feed.columns)


def _object(line: str) -> dict[str, Any]:
    try:
        found = _decoder.decode(line)
    except json.JSONDecodeError as error:
        raise _Broken(f"no JSON: {error.msg} at character {error.colno}") from error
    if not isinstance(found, dict):
        raise _Broken("no JSON object")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise _Broken(f"field {', '.join(twice)} is there twice")
    return found


_number: Callable[[str], _Number] = _Number
_decoder = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_number,
    parse_float=_number,
    parse_constant=_number,
)


def _text(column: Column, value: Any) -> str | None:
    if value is None:
        return None
    is_string = isinstance(value, str) and not isinstance(value, _Number)
    if column.type in ("string", "date", "timestamp"):
        if not is_string:
            raise _Broken(f"{column.name}: {_shown(value)} is not a string")
        return _storable(column, value)
    return value if isinstance(value, _Number) else _shown(value)


def _shown(value: Any) -> str:
    return value if isinstance(value, _Number) else json.dumps(value)


def _printable(text: str) -> str:
    """Text that can be stored whatever a writer put into a field's name, and that fits a page."""
    return text[:PROBLEM_CHARACTERS_MAX].encode(errors="backslashreplace").decode()


def _storable(column: Column, value: str) -> str:
    """The text itself, unless an escape in it stands for half a character."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _Broken(f"{column.name}: {json.dumps(value)} is not Unicode text") from error
    return value
