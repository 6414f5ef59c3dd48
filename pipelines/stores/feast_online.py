"""Feast's online stores on packed rows, in an SQLite file or in Redis.

Feast's own stores keep a row, or a field, for each value, as a protobuf; these keep one for each
entity of a view. Protobufs are made of a row when Feast's client asks for it, and only then.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from math import nan
from pathlib import Path
from typing import Any, Literal, TypeAlias

from feast import FeatureView, RepoConfig
from feast.feature_view import DUMMY_ENTITY_ID
from feast.infra.online_stores.online_store import OnlineStore
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import FeastConfigBaseModel

from pipelines.stores import online_rows as packed
from pipelines.stores.online_redis import RedisRows
from pipelines.stores.online_rows import Columns, Found, Layout, Row, Rows
from pipelines.stores.online_sqlite import SqliteRows

_MICROS = 10**6
Progress: TypeAlias = Callable[[int], Any] | None
# What stands for a null inside a list, which Feast's protobufs don't have; of whole numbers 0.
_NOTHING = {"STRING_LIST": "", "BYTES_LIST": b"", "DOUBLE_LIST": nan, "FLOAT_LIST": nan}
# An entity's state as Feast hands it over: keys, values, instant, and when it was created.
State: TypeAlias = tuple[EntityKey, dict[str, Value], datetime, datetime | None]
# And as Feast wants it back; (None, None): it is unknown.
Answer: TypeAlias = tuple[datetime | None, dict[str, Value] | None]


class PackedOnlineStore(OnlineStore):
    """What both stores share: Feast's interface on `Rows`."""

    _rows: Rows | None = None

    def __init__(self) -> None:
        """Nothing is opened yet."""
        self._columns: dict[tuple[tuple[str, str], ...], Columns] = {}

    @abstractmethod
    def open(self, config: RepoConfig) -> Rows:
        """The rows of the project."""

    def rows(self, config: RepoConfig) -> Rows:
        """The rows of the project, opened once."""
        self._rows = self._rows or self.open(config)
        return self._rows

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[State],
        progress: Progress,
    ) -> None:
        """Write states that somebody pushes; a feature that a state does not have is null."""
        rows, layout = self.rows(config), layout_of(table)
        rows.note_layout(layout.digest, layout.text)
        rows.put(table.name, [_row(layout, *state) for state in data])
        if progress:
            progress(len(data))

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: list[str] | None = None,
    ) -> list[Answer]:
        """What is online of some entities, however old."""
        asked = [_entity(each) for each in entity_keys]
        (found,) = self.rows(config).read([(table.name, asked)])
        kinds = dict(layout_of(table).columns)
        wanted = tuple((name, kinds[name]) for name in requested_features or kinds)
        columns = self._columns.setdefault(wanted, Columns(self.rows(config), wanted))
        return [_answer(each, columns, wanted) for each in found]

    def update(
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],
        entities_to_delete: Sequence[Any],  # noqa: ARG002
        entities_to_keep: Sequence[Any],  # noqa: ARG002
        partial: bool,  # noqa: ARG002
    ) -> None:
        """Make room for the views that are kept, and forget the others."""
        for view in tables_to_keep:
            layout_of(view)  # refuses what can't be served before anything is made
        rows = self.rows(config)
        rows.prepare([view.name for view in tables_to_keep])
        for view in tables_to_delete:
            rows.drop(view.name)

    def teardown(
        self,
        config: RepoConfig,
        tables: Sequence[FeatureView],
        entities: Sequence[Any],  # noqa: ARG002
    ) -> None:
        """Forget the views."""
        for view in tables:
            self.rows(config).drop(view.name)


class PackedSqliteOnlineStoreConfig(FeastConfigBaseModel):
    """The part `online_store` of a feature store's settings.

    Args:
        path: of the file.
    """

    type: Literal["pipelines.stores.feast_online.PackedSqliteOnlineStore"] = (
        "pipelines.stores.feast_online.PackedSqliteOnlineStore"
    )
    path: str


class PackedSqliteOnlineStore(PackedOnlineStore):
    """Packed rows in an SQLite file."""

    def open(self, config: RepoConfig) -> Rows:
        """The file's rows."""
        return SqliteRows(Path(config.repo_path or ".") / config.online_store.path)


class PackedRedisOnlineStoreConfig(FeastConfigBaseModel):
    """The part `online_store` of a feature store's settings.

    Args:
        connection_string: `host:port`, then `,option=value`.
    """

    type: Literal["pipelines.stores.feast_online.PackedRedisOnlineStore"] = (
        "pipelines.stores.feast_online.PackedRedisOnlineStore"
    )
    connection_string: str


class PackedRedisOnlineStore(PackedOnlineStore):
    """Packed rows in Redis."""

    def open(self, config: RepoConfig) -> Rows:
        """The project's rows."""
        return RedisRows(config.online_store.connection_string, config.project)


def layout_of(view: FeatureView) -> Layout:
    """How a view's rows are packed.

    Raises:
        UsageError: a feature's type can't be served.
    """
    return Layout(tuple(typed(view.features)))


def keys_of(view: FeatureView) -> list[tuple[str, str]]:
    """A view's keys and their types, by name, as its entities are packed."""
    return sorted(typed(key for key in view.entity_columns if key.name != DUMMY_ENTITY_ID))


def typed(fields: Iterable[Any]) -> list[tuple[str, str]]:
    """The names of Feast's fields and of their types."""
    return [(field.name, field.dtype.to_value_type().name) for field in fields]


def _answer(found: Found, columns: Columns, wanted: Sequence[tuple[str, str]]) -> Answer:
    if found is None:
        return None, None
    known_at, row = found
    values = zip(wanted, columns.of(row), strict=True)
    return packed.instant(known_at), {name: _value(each, kind) for (name, kind), each in values}


def _row(layout: Layout, key: EntityKey, values: Mapping[str, Value], at: datetime, *_: Any) -> Row:
    given = (_plain(values[name]) if name in values else None for name, _kind in layout.columns)
    return _entity(key), packed.micros(at), layout.pack(list(given))


def _entity(key: EntityKey) -> bytes:
    pairs = sorted(zip(key.join_keys, key.entity_values, strict=True), key=lambda pair: pair[0])
    return packed.entity([_plain(value) for name, value in pairs if name != DUMMY_ENTITY_ID])


def _plain(value: Value) -> Any:
    """A value as it is packed; Feast's own instants are whole seconds."""
    kind = value.WhichOneof("val")
    if kind is None or kind == "null_val":
        return None
    found = getattr(value, kind)
    if kind.endswith("_list_val"):
        found = list(found.val)
    if not packed.is_instant(kind.upper()):
        return found
    return [each * _MICROS for each in found] if isinstance(found, list) else found * _MICROS


def _value(found: Any, kind: str) -> Value:
    """A packed value as Feast wants it; null is a value without any."""
    if found is None:
        return Value()
    if not kind.endswith("_LIST"):
        if packed.is_instant(kind):
            found //= _MICROS
        return Value(**{f"{kind.lower()}_val": found})
    made = Value()
    items = getattr(made, f"{kind.lower()}_val")
    items.SetInParent()
    items.val.extend(_item(each, kind) for each in found)
    return made


def _item(found: Any, kind: str) -> Any:
    if found is None:
        return _NOTHING.get(kind, 0)
    return found // _MICROS if packed.is_instant(kind) else found
