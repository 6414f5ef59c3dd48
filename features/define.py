"""The few words that feature definitions are written in."""

import warnings
from collections.abc import Sequence
from datetime import timedelta

from feast import Entity, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.types import Bool, FeastType, Float64, Int32, Int64, String, UnixTimestamp


def key(name: str, description: str) -> Entity:
    """An entity whose join key is the column of the same name."""
    return Entity(name=name, value_type=ValueType.STRING, description=description)


def floats(*names: str) -> list[Field]:
    """Columns of type double."""
    return _fields(Float64, names)


def ints(*names: str) -> list[Field]:
    """Columns of type int."""
    return _fields(Int32, names)


def bigints(*names: str) -> list[Field]:
    """Columns of type bigint, exact up to 2^53: Feast moves them through pandas."""
    return _fields(Int64, names)


def strings(*names: str) -> list[Field]:
    """Columns of type string."""
    return _fields(String, names)


def flags(*names: str) -> list[Field]:
    """Columns of type boolean."""
    return _fields(Bool, names)


def instants(*names: str) -> list[Field]:
    """Columns of type timestamp, UTC; online they keep whole seconds."""
    return _fields(UnixTimestamp, names)


def _fields(dtype: FeastType, names: Sequence[str]) -> list[Field]:
    return [Field(name=name, dtype=dtype) for name in names]


def state_view(
    name: str, *, keys: Sequence[Entity], ttl: timedelta, description: str, schema: list[Field]
) -> FeatureView:
    """The view `name` of the published table `gold.<name>`, whose instant is `known_at`."""
    with warnings.catch_warnings():
        # Feast says of every Spark source that its interface may change; the version is pinned.
        warnings.simplefilter("ignore", RuntimeWarning)
        # Not the partition column: Feast would compare dates of its own making, and lose a state at
        # midnight. Delta skips files by the smallest and largest `known_at` in them.
        source = SparkSource(table=f"gold.{name}", timestamp_field="known_at")
    return FeatureView(
        name=name,
        entities=list(keys),
        ttl=ttl,
        description=description,
        source=source,
        schema=[*strings(*(entity.join_key for entity in keys)), *schema],
    )
