"""A model's features as they are online, of some entities and as of an instant.

A state counts when `state <= at <= state + ttl`, both ends included, as in the offline join; else
its features are null, as those of an entity that nobody knows. Feast's own client answers with any
state, however old. All views of a feature service are read at one moment, in one trip.

A model that answers online learned from states of `Model.online_after_minutes` before its
decisions. For it a state counts so much longer: what the offline join finds, is not too old here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import repeat
from operator import index
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from pipelines.core.errors import UsageError
from pipelines.core.settings import Settings
from pipelines.stores import feast
from pipelines.stores import online_rows as packed
from pipelines.stores.online_rows import Columns, Found, Rows

if TYPE_CHECKING:
    from feast import FeatureStore

_MICROSECOND = timedelta(microseconds=1)
# Who asks has a person waiting; a quiet store answers in less than a millisecond.
_TIMEOUT_SECONDS = 1.0
# Columns by name, all of one length.
Table: TypeAlias = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, kw_only=True)
class View:
    """What is asked of one feature view.

    Args:
        name: in the store.
        prefix: of the answer's columns.
        keys: the asked column and the type of each key, in the order of the keys' own names.
        features: names and types.
        ttl: how long a state counts; None: for ever.
    """

    name: str
    prefix: str
    keys: Sequence[tuple[str, str]]
    features: Sequence[tuple[str, str]]
    ttl: timedelta | None

    @cached_property
    def names(self) -> list[str]:
        """Of the answer's columns, but for the state's instant."""
        return [f"{self.prefix}__{name}" for name, _ in self.features]

    def longer(self, by: timedelta) -> Self:
        """The same view, whose states count so much longer."""
        return self if self.ttl is None else replace(self, ttl=self.ttl + by)

    @cached_property
    def instants(self) -> list[int]:
        """Which features are instants, or lists of them."""
        return [n for n, (_, kind) in enumerate(self.features) if packed.is_instant(kind)]


class Reader:
    """Reads the views of a feature service by a connection that it holds; for one thread.

    Args:
        rows: the online store; it is closed with the reader.
        online_after: how old states were when the model that asks learned from them.

    Example:
        >>> with reader(settings, "flight_delays", "flight_delays_v1") as known:  # doctest: +SKIP
        ...     known.read({"origin": ["EWR"], "tail": ["N1"]}, datetime.now(UTC))
    """

    def __init__(
        self, rows: Rows, views: Sequence[View], online_after: timedelta = timedelta(0)
    ) -> None:
        """Nothing is asked yet."""
        self._rows = rows
        self._views = [view.longer(online_after) for view in views]
        self._columns = [Columns(rows, view.features) for view in views]

    def read(self, entities: Table, at: datetime) -> dict[str, list[Any]]:
        """The features `<view>__<feature>` of each entity, and when its state was so.

        That is `<view>__known_at`: null where the entity is unknown or its state too old, and then
        all features of the view are null.

        Args:
            entities: a column for each key of any view; a null is of no entity.
            at: an instant without a zone is UTC.

        Raises:
            UsageError: a key is missing, or a value has another type than it.
            ServiceUnavailable: the online store is away, locked or not filled.
        """
        num_rows = len(next(iter(entities.values()), ()))
        asked = [_entities(view, entities, num_rows) for view in self._views]
        known = [[each for each in some if each is not None] for some in asked]
        views = [view.name for view in self._views]
        found = self._rows.read(list(zip(views, known, strict=True)))
        answer: dict[str, list[Any]] = {}
        moment = packed.micros(at)
        for view, columns, some, rows in zip(self._views, self._columns, asked, found, strict=True):
            taken = iter(rows)
            spread = [None if each is None else next(taken) for each in some]
            answer |= _columns(view, columns, spread, moment)
        return answer

    def close(self) -> None:
        """End the connection."""
        self._rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def reader(
    settings: Settings,
    case: str,
    service: str,
    *,
    online_after: timedelta = timedelta(0),
    timeout_seconds: float = _TIMEOUT_SECONDS,
) -> Reader:
    """A reader of a case's feature service as it is defined now.

    Args:
        online_after: `Model.online_after_minutes` of the model that asks.
        timeout_seconds: how long one answer of the online store may take.

    Raises:
        UsageError: there is no such service.
    """
    views = views_of(feast.store(settings, case), service)
    rows = feast.online_rows(settings, case, timeout_seconds=timeout_seconds)
    return Reader(rows, views, online_after)


def views_of(target: "FeatureStore", service: str) -> list[View]:
    """What a service asks of each view.

    Raises:
        UsageError: there is no such service.
    """
    from feast.errors import FeatureServiceNotFoundException

    try:
        found = target.get_feature_service(service)
    except FeatureServiceNotFoundException as error:
        there = ", ".join(each.name for each in target.list_feature_services())
        raise UsageError(f"no feature service {service}; there is {there or 'none yet'}") from error
    return [_view(target, projection) for projection in found.feature_view_projections]


def _view(target: "FeatureStore", projection: Any) -> View:
    from pipelines.stores.feast_online import keys_of, typed

    view, renamed = target.get_feature_view(projection.name), projection.join_key_map
    return View(
        name=view.name,
        prefix=projection.name_to_use(),
        keys=[(renamed.get(name, name), kind) for name, kind in keys_of(view)],
        features=typed(projection.features),
        ttl=view.ttl or None,
    )


def _entities(view: View, given: Table, num_rows: int) -> list[bytes | None]:
    """The packed entities of a view; None where a key is null."""
    if missing := [name for name, _ in view.keys if name not in given]:
        raise UsageError(
            f"add the keys of {view.name} to the entities: {', '.join(missing)}; "
            f"there is {', '.join(given)}"
        )
    columns = [_keys(name, kind, given[name]) for name, kind in view.keys]
    rows = zip(*columns, strict=True) if columns else repeat((), num_rows)
    return [None if None in keys else packed.entity(keys) for keys in rows]


def _keys(name: str, kind: str, values: Sequence[Any]) -> list[Any]:
    try:
        return [None if each is None else _key(kind, each) for each in values]
    except TypeError as error:
        raise UsageError(f"the key {name} is of type {kind}: {error}") from error


def _key(kind: str, value: Any) -> Any:
    """A key as it is packed; of another type it would be another entity, silently."""
    if kind in ("INT32", "INT64") and not isinstance(value, bool):
        return index(value)
    if packed.is_instant(kind) and isinstance(value, datetime):
        return packed.micros(value)
    if isinstance(value, _KEYS.get(kind, ())):
        return value
    raise TypeError(f"{value!r} is a {type(value).__name__}")


_KEYS: Mapping[str, type] = {"STRING": str, "BYTES": bytes, "BOOL": bool, "DOUBLE": float}


def _columns(view: View, columns: Columns, found: Sequence[Found], at: int) -> dict[str, list[Any]]:
    oldest = None if view.ttl is None else at - view.ttl // _MICROSECOND
    unknown = [None] * len(view.features)
    known_at, rows = [], []
    for each in found:
        counts = each is not None and each[0] <= at and (oldest is None or oldest <= each[0])
        known_at.append(packed.instant(each[0]) if counts and each else None)
        rows.append(columns.of(each[1]) if counts and each else unknown)
    for place in view.instants:
        rows = [[*row[:place], _instants(row[place]), *row[place + 1 :]] for row in rows]
    values = map(list, zip(*rows, strict=True)) if rows else repeat([])
    return {f"{view.prefix}__known_at": known_at, **dict(zip(view.names, values, strict=False))}


def _instants(found: Any) -> Any:
    if isinstance(found, list):
        return [_instants(each) for each in found]
    return None if found is None else packed.instant(found)
