"""Feast: one project a case, its registry on Postgres, its online store on SQLite or Redis."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from datetime import datetime
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from sqlalchemy import func, select

from pipelines.core import journal
from pipelines.core.settings import Settings
from pipelines.stores import objects
from pipelines.stores.online_redis import RedisRows
from pipelines.stores.online_rows import Rows, instant
from pipelines.stores.online_sqlite import SqliteRows

if TYPE_CHECKING:
    from feast import FeatureStore
    from pyspark.sql import DataFrame

    from pipelines.stores.feast_jobs import PointInTimeJob

# An Entity, FeatureView or FeatureService: Feast has no common class for them.
Definition: TypeAlias = Any


def load() -> None:
    """Import Feast the quick way: 1.1 s instead of 5.2 s.

    Feast tries to import torch for an output format of its own (1.6 s; it goes on without), and
    has typeguard rewrite its classes from source to check argument types (2.5 s). Neither is used
    here, so both are away while it is imported.
    """
    if "feast" not in sys.modules:
        _import_light()


def _import_light() -> None:
    import typeguard

    check_types = typeguard.typechecked
    torch_loaded = "torch" in sys.modules
    typeguard.typechecked = lambda decorated: decorated  # type: ignore[assignment]
    if not torch_loaded:
        sys.modules["torch"] = None  # type: ignore[assignment]  # Python's way to say: not there
    try:
        import feast  # noqa: F401
    finally:
        typeguard.typechecked = check_types
        if not torch_loaded:
            del sys.modules["torch"]


def sqlite_path(settings: Settings, case: str) -> Path:
    """The file of a case's online store; one a case, so that cases never wait for each other."""
    return settings.home / "online" / f"{case}.db"


def configuration(
    settings: Settings,
    case: str,
    *,
    creates: bool = False,
    pinned: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The settings of a case's feature store: what a `feature_store.yaml` has.

    Args:
        creates: makes the registry's tables.
        pinned: versions to read, by the published name; of other tables what is published.
    """
    return {
        "project": case,
        "provider": "local",
        "registry": {
            "registry_type": "sql",
            "path": settings.database("feast").render_as_string(hide_password=False),
            "cache_ttl_seconds": 60,
            "schema_mode": "auto" if creates else "skip",
            # Without it, readers are refused while a view is written, or was when its writer died.
            "serve_features_while_materializing": True,
        },
        "offline_store": {
            "type": "pipelines.stores.feast_offline.PublishedOfflineStore",
            "warehouse": objects.warehouse(settings).address_of_root,
            "journal": settings.database("millrace").render_as_string(hide_password=False),
            "pinned": dict(pinned or {}),
        },
        "online_store": _online_store(settings, case),
        "batch_engine": {"type": "pipelines.stores.feast_engine.PackedComputeEngine"},
    }


def store(settings: Settings, case: str, **options: Any) -> "FeatureStore":
    """The feature store of a case; the options are those of `configuration`."""
    load()
    from feast import FeatureStore, RepoConfig

    return FeatureStore(config=RepoConfig(**configuration(settings, case, **options)))


def _online_store(settings: Settings, case: str) -> dict[str, str]:
    stores = "pipelines.stores.feast_online"
    if settings.online_store == "redis":
        address = settings.redis_connection()
        return {"type": f"{stores}.PackedRedisOnlineStore", "connection_string": address}
    path = str(sqlite_path(settings, case))
    return {"type": f"{stores}.PackedSqliteOnlineStore", "path": path}


def online_rows(settings: Settings, case: str, **options: Any) -> Rows:
    """The online store of a case, below Feast; close it. The options are those of its class."""
    if settings.online_store == "redis":
        return RedisRows(settings.redis_connection(), case, **options)
    return SqliteRows(sqlite_path(settings, case), **options)


@contextmanager
def applied(
    settings: Settings,
    case: str,
    definitions: Sequence[Definition],
    *,
    pinned: Mapping[str, int],
) -> Iterator[tuple["FeatureStore", bool]]:
    """The case's store with its registry and online tables equal to `definitions`.

    The flag says that they were changed or made anew, so that every view has to be filled; only
    when the block has done so do they count as applied, and a killed attempt is taken up again.
    Feast's own apply costs seconds also when nothing changed, so a digest is kept in the registry.
    """
    with journal.engine(settings).begin() as connection:
        # Of all cases: Feast makes its tables at the first call, and does not lock them.
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("millrace:feast"))))
        target = store(settings, case, creates=True, pinned=pinned)
        digest = _digest(definitions)
        changed = digest != applied_digest(target) or not _is_ready(settings, case)
        if changed:
            _note_digest(target, "unfinished")
            target.apply(list(definitions), _removed(target, definitions), partial=False)
    yield target, changed
    if changed:
        _note_digest(target, digest)


def _digest(definitions: Sequence[Definition]) -> str:
    """Of the definitions as written: Feast fills in more when it applies them."""
    return sha256(b"".join(_as_written(definition) for definition in definitions)).hexdigest()


def _as_written(definition: Definition) -> bytes:
    """A definition without the instant at which Python made its source."""
    spec = definition.to_proto().spec
    for part in (spec, *getattr(spec, "features", ())):
        if "batch_source" in part.DESCRIPTOR.fields_by_name:
            part.batch_source.ClearField("meta")
    written: bytes = spec.SerializeToString(deterministic=True)
    return written


def applied_digest(target: "FeatureStore") -> str | None:
    """Of the definitions that the registry holds; None: `applied` never ended."""
    tags = (project.tags for project in target.list_projects() if project.name == target.project)
    return next(tags, {}).get("definitions_sha256")


def _note_digest(target: "FeatureStore", digest: str) -> None:
    from feast import Project

    noted = Project(name=target.project, tags={"definitions_sha256": digest})
    target.registry.apply_project(noted, commit=True)


def _is_ready(settings: Settings, case: str) -> bool:
    """An online store that was lost, or that another version wrote, is made anew, and filled."""
    with closing(online_rows(settings, case)) as rows:
        return rows.is_ready()


def online_mark(settings: Settings, case: str, view: str) -> datetime | None:
    """As of when a view was filled, as the online store itself knows it."""
    with closing(online_rows(settings, case)) as rows:
        mark = rows.mark(view)
    return None if mark is None else instant(mark)


def _removed(target: "FeatureStore", definitions: Sequence[Definition]) -> list[Definition]:
    kept = {(type(definition), definition.name) for definition in definitions}
    known: list[Definition] = [
        *target.list_feature_services(),
        *target.list_feature_views(),
        *target.list_entities(),
    ]
    return [found for found in known if (type(found), found.name) not in kept]


def point_in_time(target: "FeatureStore", asked: "DataFrame") -> "PointInTimeJob":
    """Rows with all features known at their `event_timestamp`, named `<view>__<feature>`.

    Of entities that the rows name: others, such as items to choose from, are no row's own.
    """
    named = set(asked.columns)
    views = [
        view
        for view in target.list_feature_views()
        if named.issuperset(key.name for key in view.entity_columns)
    ]
    job = target.get_historical_features(
        entity_df=cast("Any", asked),
        features=[f"{view.name}:{field.name}" for view in views for field in view.features],
        full_feature_names=True,
    )
    return cast("PointInTimeJob", job)


def materialize(target: "FeatureStore", view: str, start: datetime, end: datetime) -> None:
    """Write each entity's newest state of [start, end] online; both ends belong to it."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):  # a bar of progress
        target.materialize(start, end, [view])
