"""Feast's view of each entity state, made of what is said of it already.

Names, types and descriptions are those of the dbt YAML of its gold table, keys and TTL those of
the use case's `EntityState`. Online, a bigint is exact and an instant keeps its microseconds; of
these Feast's own client, whose protobuf has no more, gives whole seconds.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from feast import Entity, FeatureView, Field
from feast.types import (
    Array,
    Bool,
    FeastType,
    Float64,
    Int32,
    Int64,
    String,
    UnixTimestamp,
)

from pipelines.core.errors import MillraceError
from pipelines.stores import dbt_project
from pipelines.stores.feast_source import PublishedTable
from pipelines.use_cases.spec.use_case import EntityState, UseCase

# By the type that a dbt YAML gives a column.
TYPES: Mapping[str, FeastType] = {
    "string": String,
    "boolean": Bool,
    "int": Int32,
    "bigint": Int64,
    "double": Float64,
    "timestamp": UnixTimestamp,
    "array<string>": Array(String),
    "array<double>": Array(Float64),
}


def views(case: UseCase) -> list[FeatureView]:
    """A view of each entity state, in the case's order.

    Raises:
        MillraceError: a state's table has no YAML, or one without a key or with another type.
    """
    return [_view(case, state) for state in case.entity_states]


def entities(found: Sequence[FeatureView]) -> list[Entity]:
    """The entities of views, each once."""
    return list({key.name: _entity(key) for view in found for key in view.entity_columns}.values())


def _view(case: UseCase, state: EntityState) -> FeatureView:
    described = dbt_project.described(case.name, "gold", state.name)
    fields = {
        column["name"]: _field(described["name"], column)
        for column in described["columns"]
        if column["name"] not in dbt_project.NO_FEATURES
    }
    if missing := [key for key in state.keys if key not in fields]:
        raise MillraceError(f"{described['name']}: its YAML lacks the keys {', '.join(missing)}")
    return FeatureView(
        name=described["name"],
        entities=[_entity(fields[key]) for key in state.keys],
        ttl=timedelta(minutes=state.ttl_minutes),
        description=" ".join(described["description"].split()),
        source=PublishedTable(name=case.table("gold", state.name), timestamp_field="known_at"),
        schema=list(fields.values()),
    )


def _field(table: str, column: Mapping[str, Any]) -> Field:
    kind = TYPES.get(column["data_type"])
    if kind is None:
        raise MillraceError(
            f"{table}: a feature of type {column['data_type']} ({column['name']}) can't be served; "
            f"make it one of {', '.join(TYPES)}"
        )
    return Field(name=column["name"], dtype=kind, description=column["description"])


def _entity(key: Field) -> Entity:
    """An entity whose join key is the column of the same name."""
    return Entity(name=key.name, value_type=key.dtype.to_value_type(), description=key.description)
