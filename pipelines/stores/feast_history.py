"""Feast's point-in-time join: what was known of each entity at each instant of decision."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from pipelines.core.errors import CheckFailed
from pipelines.stores.feast import Definition, own_parser, read_from

if TYPE_CHECKING:
    from feast import FeatureStore
    from pyspark.sql import DataFrame


def point_in_time(
    target: "FeatureStore", sources: Mapping[str, str], decisions: "DataFrame"
) -> "DataFrame":
    """Each decision with the states that were known at its `known_at`, as `<view>__<feature>`.

    Args:
        sources: by the name of each view what its states are read from, as SQL names it.

    The answer is read lazily and Feast has made its temporary views by then: take it before the
    next call. Its rows are those of `decisions`, which the caller should count.

    Raises:
        CheckFailed: keys that Feast would take for one another.
    """
    from feast.infra.provider import get_provider

    definitions = [read_from(target, view, source) for view, source in sources.items()]
    for view in definitions:
        _require_distinct_ids(view, decisions)
    # Not by the store's own method, which takes the views, and so their sources, from the registry.
    # The Spark store takes and gives frames, which Feast's own types don't say.
    job: Any = get_provider(target.config).get_historical_features(
        config=target.config,
        feature_views=definitions,
        feature_refs=[
            f"{view.name}:{field.name}" for view in definitions for field in view.features
        ],
        entity_df=cast("Any", decisions.withColumnRenamed("known_at", "event_timestamp")),
        registry=target.registry,
        project=target.project,
        full_feature_names=True,
    )
    with own_parser():
        found: DataFrame = job.to_spark_df()
    return found.withColumnRenamed("event_timestamp", "known_at")


def _require_distinct_ids(view: Definition, decisions: "DataFrame") -> None:
    """Feast names an entity by its keys in a row, with nothing between: 1, 12 is 11, 2 to it."""
    keys = view.join_keys
    if not keys[1:]:
        return
    joined = f"concat({', '.join(f'cast(`{key}` as string)' for key in keys)})"
    names = ", ".join(f"`{key}`" for key in keys)
    entities = decisions.selectExpr(*(f"`{key}`" for key in keys), f"{joined} as id").distinct()
    clash = entities.groupBy("id").count().where("count > 1 and id is not null").limit(1).collect()
    if clash:
        raise CheckFailed(
            f"{view.name}: two values of ({names}) both read {clash[0]['id']!r} when written "
            "together, which Feast does; give the keys a fixed width, or a separator"
        )
