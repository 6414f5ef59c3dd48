"""JSON of any form, a record an object: of its values the texts that stand there.

Objects within a record are flattened one level; what is deeper, and lists, are JSON texts.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from io import TextIOWrapper
from itertools import islice
from typing import Any, BinaryIO, NamedTuple, TextIO

import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.data.reading import json_records
from pipelines.data.reading.batches import (
    BATCH_ROWS,
    CELL_CHARACTERS_MAX,
    COLUMNS_MAX,
    FileRefused,
    batch,
)
from pipelines.data.reading.dialect import RFC_4180, Dialect
from pipelines.data.reading.json_window import Broken, Element, Number
from pipelines.data.reading.texts import marked

# A field that comes later than this is no column of the file.
HEADER_RECORDS = 100_000
# An object whose fields differ from record to record is a map, and stays one column.
FLATTENED_FIELDS_MAX = 100
# Beyond so many names of unknown fields nobody reads the list.
UNKNOWN_MAX = 100
PROBLEM_CHARACTERS_MAX = 500
# Texts of so many characters are one batch, however few rows they are.
_BATCH_CHARACTERS_MAX = 2**24
_HALF_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

# A record's values by their flat names; those of the objects within it are there, too.
Flat = dict[str, Any]


class _Record(NamedTuple):
    """A row of a batch."""

    line: int
    raw: str
    values: Sequence[str | None]
    problem: str | None = None


@dataclass(frozen=True)
class JsonText:
    """A file of JSON: an object a line or one after the other, a list, or a list in an envelope.

    Args:
        open: a fresh stream of the file.
        file: its name, for `FILE` and for messages.
        dialect: its encoding, and the name of an envelope's list.
        string_columns: the columns whose values must be JSON strings; a string in any other keeps
            its quotes, so that `"7"` is no number. None: any value is its text.
        required: the fields that each record must have.
        is_lines: each line is a record, whatever it begins with.
        unknown: what `batches` met that nobody asked for, as long as the names are few.
    """

    open: Callable[[], BinaryIO]
    file: str
    dialect: Dialect = RFC_4180
    string_columns: frozenset[str] | None = None
    required: frozenset[str] = frozenset()
    is_lines: bool = False
    unknown: set[str] = field(default_factory=set, compare=False)

    def header(self) -> list[str]:
        """The names of the fields of all records, in the order of first sight.

        Raises:
            FileRefused: no record can be read, or there are too many names.
        """
        return self._shape[0]

    @property
    def flattened(self) -> list[str]:
        """The fields that are objects, and become a column a field of theirs."""
        return self._shape[1]

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The records, with a column for each that is asked for.

        Raises:
            FileRefused: the envelope lacks the list.
        """
        found: list[_Record] = []
        size = 0
        for element in self._elements():
            found.append(self._record(element, columns))
            size += len(element.raw)
            if len(found) == BATCH_ROWS or size > _BATCH_CHARACTERS_MAX:
                yield self._batch(found, columns)
                found, size = [], 0
        if found:
            yield self._batch(found, columns)

    def _elements(self) -> Iterator[Element]:
        return json_records.elements(
            self._text, self.dialect.records, self.file, is_lines=self.is_lines
        )

    def _text(self) -> TextIO:
        return text_of(self.open, self.dialect.encoding)

    @cached_property
    def _shape(self) -> tuple[list[str], list[str]]:
        fields: dict[str, dict[str, None]] = {}
        problem = None
        for element in islice(self._elements(), HEADER_RECORDS):
            try:
                for name, value in _object(element).items():
                    inner = value if isinstance(value, dict) else {"": None}
                    fields.setdefault(name, {}).update(dict.fromkeys(inner))
            except Broken as error:
                problem = problem or f"line {element.line}: {error}"
        if problem and not fields:
            raise FileRefused(f"{self.file} has no record that can be read; {problem}")
        return self._columns(fields)

    def _columns(self, fields: Mapping[str, Mapping[str, None]]) -> tuple[list[str], list[str]]:
        names: dict[str, None] = {}
        flattened = []
        for name, inner in fields.items():
            is_flat = any(inner) and len(inner) <= FLATTENED_FIELDS_MAX
            flattened += [name] if is_flat else []
            names |= dict.fromkeys(_flat_names(name, inner) if is_flat else [name])
        if len(names) > COLUMNS_MAX:
            raise FileRefused(f"{self.file} has {len(names)} columns, above {COLUMNS_MAX}")
        return list(names), flattened

    def _record(self, element: Element, columns: Sequence[str]) -> _Record:
        """Its values in the order of the columns, or why it has none."""
        try:
            flat = _flat(_object(element))
            self._require(flat)
            values = [self._value(name, flat.get(name)) for name in columns]
            _check(element.raw, columns, values)
        except Broken as error:
            return _problem(element, printable(str(error))[:PROBLEM_CHARACTERS_MAX], columns)
        except RecursionError:
            return _problem(element, "JSON nested too deep", columns)
        self._meet(flat, columns)
        return _Record(element.line, element.raw, values)

    def _meet(self, flat: Flat, columns: Sequence[str]) -> None:
        """Note names that nobody asked for."""
        if len(self.unknown) < UNKNOWN_MAX and (new := flat.keys() - self._met):
            self._met.update(new, columns)
            self.unknown.update(_unknown(flat, new, frozenset(columns)))

    @cached_property
    def _met(self) -> set[str]:
        """The names that were looked at once."""
        return set()

    def _require(self, flat: Flat) -> None:
        if lacking := sorted(self.required - flat.keys()):
            raise Broken(f"field {', '.join(lacking)} is missing")

    def _value(self, name: str, value: Any) -> str | None:
        if value is None:
            return None
        is_string = type(value) is str
        if self.string_columns is None or (is_string and name in self.string_columns):
            return value if isinstance(value, str) else _json(value)
        if name in self.string_columns:
            raise Broken(f"{name}: {_json(value)} is not a string")
        return _json(value)

    def _batch(self, found: Sequence[_Record], columns: Sequence[str]) -> pa.Table:
        lines, raws, values, problems = zip(*found, strict=True)
        by_column = zip(*values, strict=True) if columns else ()
        texts = dict(zip(columns, by_column, strict=True))
        return batch(texts, lines, file=self.file, raws=raws, problems=problems)


def text_of(open_: Callable[[], BinaryIO], encoding: str) -> TextIO:
    r"""The text of a file, by its byte order mark, else by its encoding.

    Bytes of another encoding stay visible as `\xff`; every line end is a newline.
    """
    with open_() as stream:
        first = stream.read(4)
    found = marked(first)
    name = f"{found}-sig" if found == "utf-8" else found or encoding
    return TextIOWrapper(open_(), encoding=name, errors="backslashreplace")


def guess_records(open_: Callable[[], BinaryIO], file: str, encoding: str = "utf-8") -> str:
    """The name of the list of records in an envelope, `a.b` of one further in; "": there is none.

    Raises:
        FileRefused: there are several lists that may be meant.
    """
    return json_records.guess_records(lambda: text_of(open_, encoding), file)


def printable(text: str) -> str:
    r"""A text that can be stored whatever is in it: half characters and controls are escaped.

    Example:
        >>> printable("a\0b")
        'a\\x00b'
    """
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def _object(element: Element) -> dict[str, Any]:
    if element.problem:
        raise Broken(element.problem)
    if not isinstance(element.value, dict):
        raise Broken("no JSON object")
    if _HALF_ESCAPED.search(element.raw) and any(map(_is_half, element.value)):
        raise Broken("a field's name is not Unicode text")
    return element.value


def _flat(found: Mapping[str, Any]) -> Flat:
    flat: Flat = dict(found)
    num_names = len(flat)
    for name, value in found.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": each for inner, each in value.items()}
            num_names += len(value)
    if len(flat) != num_names:
        raise Broken("a field with a dot in its name is there twice")
    return flat


def _flat_names(name: str, inner: Mapping[str, None]) -> Iterator[str]:
    """Of a field that is an object in one record and a plain value in another, both."""
    yield from (f"{name}.{each}" if each else name for each in inner)


def _unknown(flat: Flat, new: Set[str], asked: frozenset[str]) -> Iterator[str]:
    for name in new - asked:
        parent, _, inner = name.partition(".")
        is_inside = inner and parent in asked and isinstance(flat.get(parent), dict)
        is_opened = any(each.startswith(f"{name}.") for each in asked)
        if not is_inside and not is_opened:
            yield printable(name)[:PROBLEM_CHARACTERS_MAX]


def _check(raw: str, columns: Sequence[str], values: Sequence[str | None]) -> None:
    """That each value is a text that can be stored, and no longer than a cell may be."""
    if len(raw) > CELL_CHARACTERS_MAX:
        for name, value in zip(columns, values, strict=True):
            if value and len(value) > CELL_CHARACTERS_MAX:
                raise Broken(f"{name}: {len(value)} characters, above {CELL_CHARACTERS_MAX}")
    if _HALF_ESCAPED.search(raw):
        for name, value in zip(columns, values, strict=True):
            if value and _is_half(value):
                raise Broken(f"{name}: {json.dumps(value)} is not Unicode text")


def _is_half(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _problem(element: Element, problem: str, columns: Sequence[str]) -> _Record:
    raw = printable(element.raw[:CELL_CHARACTERS_MAX]).rstrip(", \t\n")
    return _Record(element.line, raw, (None,) * len(columns), problem)


def _json(value: Any) -> str:
    """A value as JSON; `json.dumps` would put numbers into quotes, being texts here."""
    if isinstance(value, Number):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inner = (f"{json.dumps(name)}: {_json(each)}" for name, each in value.items())
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_json, value))}]"
    return json.dumps(value)
