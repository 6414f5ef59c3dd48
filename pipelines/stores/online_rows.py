"""What an online store keeps: of each view and entity one packed row, its newest state.

A row is the digest of its layout and, by msgpack, the values in the layout's order: a bigint to the
last digit, null apart from NaN, an instant in microseconds since 1970. The layouts are kept beside
the rows, so that a row written before a view was redefined is read by the names that it had.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from itertools import repeat
from typing import Any, Protocol, TypeAlias

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.core.errors import MillraceError, UsageError

# Another number, and what an earlier version left online is made anew.
FORMAT = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ID_BYTES = 8

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Any]).decode

# An entity's packed keys, the instant of its state in microseconds, and the packed row.
Row: TypeAlias = tuple[bytes, int, bytes]
# The instant and the packed row; None: the entity is unknown.
Found: TypeAlias = tuple[int, bytes] | None

# By the name that Feast gives a type. A list of one is `<name>_LIST`.
_INSTANT = "UNIX_TIMESTAMP"
_ARROW: Mapping[str, pa.DataType] = {
    "BYTES": pa.binary(),
    "STRING": pa.string(),
    "INT32": pa.int32(),
    "INT64": pa.int64(),
    "DOUBLE": pa.float64(),
    "FLOAT": pa.float32(),
    "BOOL": pa.bool_(),
    _INSTANT: pa.timestamp("us", "UTC"),
}


class Rows(Protocol):
    """The rows of one project in some server or file, by the names of their views."""

    def prepare(self, views: Sequence[str]) -> None:
        """Make room for views; what another format left is removed."""

    def is_ready(self) -> bool:
        """Whether it was prepared since it was last lost."""

    def drop(self, view: str) -> None:
        """Forget a view."""

    def read(self, asked: Sequence[tuple[str, Sequence[bytes]]]) -> list[list[Found]]:
        """Of each view the rows of some entities, in their order, all of one moment."""

    def put(self, view: str, rows: Sequence[Row], outdated: int | None = None) -> None:
        """Write those rows that differ from what is there, each whole, and replace no newer one.

        Args:
            outdated: what is there and is not newer than this instant gives way to an older row.
        """

    def entities(self, view: str) -> Iterator[Sequence[bytes]]:
        """All entities of a view, some at a time; one may come twice."""

    def remove(self, view: str, entities: Sequence[bytes], outdated: int) -> None:
        """Forget entities, but not one whose state is newer than an instant."""

    def mark(self, view: str) -> int | None:
        """The instant as of which a view was filled, noted after its rows."""

    def note_mark(self, view: str, until: int) -> None:
        """Note it."""

    def layout(self, digest: bytes) -> str | None:
        """The text of a layout by its digest."""

    def note_layout(self, digest: bytes, text: str) -> None:
        """Keep a layout, before a row of it is written."""

    def close(self) -> None:
        """End the connection."""


@dataclass(frozen=True)
class Layout:
    """The columns of a packed row, in order: names, and types by Feast's names.

    Raises:
        UsageError: a type can't be served.
    """

    columns: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        for name, kind in self.columns:
            if kind.removesuffix("_LIST") not in _ARROW:
                raise UsageError(f"{name}: a value of type {kind} can't be served online")

    @cached_property
    def text(self) -> str:
        """As it is kept."""
        return json.dumps(self.columns)

    @cached_property
    def digest(self) -> bytes:
        """By which a row names its layout."""
        return sha256(self.text.encode()).digest()[:_ID_BYTES]

    @staticmethod
    def parsed(text: str) -> "Layout":
        """A layout as it was kept."""
        return Layout(tuple((name, kind) for name, kind in json.loads(text)))

    def pack(self, values: Sequence[Any]) -> bytes:
        """One row."""
        return self.digest + _encode(values)

    def packed(self, table: pa.RecordBatch) -> list[bytes]:
        """A row for each of a batch's."""
        columns = [column(table, name, kind) for name, kind in self.columns]
        rows = zip(*columns, strict=True) if columns else repeat((), table.num_rows)
        digest = self.digest
        return [digest + _encode(values) for values in rows]


class Columns:
    """Some columns of packed rows, whatever the layouts of these.

    Args:
        rows: where unknown layouts are looked up, each once.
        wanted: names and types; a row without such a one has null there.
    """

    def __init__(self, rows: Rows, wanted: Sequence[tuple[str, str]]) -> None:
        """No layout is known yet."""
        self._rows, self._wanted = rows, wanted
        self._places: dict[bytes, list[int]] = {}

    def of(self, row: bytes) -> list[Any]:
        """The wanted values of a row; instants are microseconds."""
        digest = row[:_ID_BYTES]
        places = self._places.get(digest)
        if places is None:
            places = self._places[digest] = self._looked_up(digest)
        values = _decode(row[_ID_BYTES:])
        values.append(None)
        return [values[place] for place in places]

    def _looked_up(self, digest: bytes) -> list[int]:
        """Where each wanted column stands; -1, the null behind the others: nowhere."""
        text = self._rows.layout(digest)
        if text is None:
            raise MillraceError(
                f"the online store has a row of an unknown layout, {digest.hex()}: empty the store "
                "and run materialize"
            )
        there = {column: place for place, column in enumerate(Layout.parsed(text).columns)}
        return [there.get((name, kind), -1) for name, kind in self._wanted]


def entity(keys: Sequence[Any]) -> bytes:
    """An entity by the values of its keys, in the order of their names."""
    return _encode(keys)


def entities(table: pa.RecordBatch, keys: Sequence[tuple[str, str]]) -> list[bytes]:
    """The entity of each row of a batch; `keys` are their names and types, by name."""
    if not keys:
        return [_encode(())] * table.num_rows
    columns = [column(table, name, kind) for name, kind in keys]
    return [_encode(values) for values in zip(*columns, strict=True)]


def column(table: pa.RecordBatch, name: str, kind: str) -> list[Any]:
    """A column as packed values of a type, whatever its type in Arrow."""
    values, is_list = table[name], kind.endswith("_LIST")
    wanted = _ARROW[kind.removesuffix("_LIST")]
    if values.type != (pa.list_(wanted) if is_list else wanted):
        values = _cast(values, kind)
    if kind.startswith(_INSTANT):
        values = values.cast(pa.list_(pa.int64()) if is_list else pa.int64())
    if values.null_count == 0 and pa.types.is_primitive(values.type):
        # 20 ns a value where `to_pylist` takes 80.
        numbers: list[Any] = values.to_numpy(zero_copy_only=False).tolist()
        return numbers
    found: list[Any] = values.to_pylist()
    return found


def _cast(values: pa.Array, kind: str) -> pa.Array:
    """To the type of its kind; an instant without a zone is UTC, as everywhere in Feast."""
    wanted, found = _ARROW[kind.removesuffix("_LIST")], values.type
    if kind == _INSTANT and pa.types.is_timestamp(found):
        return values.cast(pa.timestamp("us", found.tz), safe=False)
    return values.cast(pa.list_(wanted) if kind.endswith("_LIST") else wanted)


def micros(at: datetime) -> int:
    """An instant in microseconds since 1970; one without a zone is UTC."""
    return (at.replace(tzinfo=at.tzinfo or UTC) - _EPOCH) // _MICROSECOND


def instant(micros: int) -> datetime:
    """The instant, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def is_instant(kind: str) -> bool:
    """Whether values of a type are microseconds when they are packed."""
    return kind.startswith(_INSTANT)
