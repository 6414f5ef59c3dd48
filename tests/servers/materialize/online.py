"""What is online, read as of an instant: a state older than its time to live is unknown."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from pipelines.stores.feast import Definition

if TYPE_CHECKING:
    from feast import FeatureStore

# The join keys of one entity and their values, such as {"carrier": "UA", "origin": "EWR"}.
Entity: TypeAlias = Mapping[str, Any]


def read_online(
    target: "FeatureStore", views: Sequence[str], entities: Sequence[Entity], at: datetime
) -> list[dict[str, Any]]:
    """What is online of some entities as of `at`, a row each, in their order.

    A row has the entity's keys and, of each view, its features as `<view>__<feature>` and the
    state's instant as `<view>__known_at` (UTC, whole seconds). These are None where the entity
    is unknown or its state is older than the view's TTL, which Feast does not check on reading.
    """
    if not entities:
        return []
    definitions = [target.get_feature_view(view) for view in views]
    answer = target.get_online_features(
        features=[f"{view.name}:{field.name}" for view in definitions for field in view.features],
        entity_rows=[dict(entity) for entity in entities],
        full_feature_names=True,
    ).to_dict(include_event_timestamps=True)
    columns = {key: [entity[key] for entity in entities] for key in entities[0]}
    for view in definitions:
        columns |= _usable(answer, view, at)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _usable(answer: dict[str, list[Any]], view: Definition, at: datetime) -> dict[str, list[Any]]:
    names = [f"{view.name}__{field.name}" for field in view.features]
    instants = [datetime.fromtimestamp(seconds, UTC) for seconds in answer[f"{names[0]}__ts"]]
    fresh = [at - view.ttl <= instant <= at for instant in instants]
    columns = {f"{view.name}__known_at": instants, **{name: answer[name] for name in names}}
    return {
        name: [value if usable else None for value, usable in zip(values, fresh, strict=True)]
        for name, values in columns.items()
    }
