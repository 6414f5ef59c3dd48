"""A project of Feast's over random tables, materialized as the stage does it, and killed."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.data.materialize import Mark, Publication, fill
from pipelines.stores import feast, feast_engine
from pipelines.stores import online_rows as packed
from pipelines.stores.online import Reader, views_of
from pipelines.stores.online_rows import Rows
from tests.online_world import Entity, State, Table

PROJECT = "t_online"


class Killed(BaseException):
    """As a signal would end it: no `except Exception` sees it."""


class Project:
    """Tables, their publications and marks; what the journal would know.

    Args:
        online: the part `online_store` of Feast's settings.
    """

    def __init__(self, folder: Path, online: dict[str, str], tables: Sequence[Table]) -> None:
        self.folder, self.online, self.tables = folder, online, list(tables)
        self.marks: dict[str, Mark] = {}
        self.publications: dict[str, list[Publication]] = {table.name: [] for table in tables}
        self.redefined = {table.name for table in tables}
        self.version = 0

    def store(self) -> Any:
        """As a process of its own has it."""
        feast.load()
        from feast import FeatureStore, RepoConfig

        config = RepoConfig(
            project=PROJECT,
            provider="local",
            registry=str(self.folder / "registry.db"),
            offline_store={
                "type": "pipelines.stores.feast_offline.PublishedOfflineStore",
                "warehouse": str(self.folder),
            },
            online_store=self.online,
            batch_engine={"type": "pipelines.stores.feast_engine.PackedComputeEngine"},
        )
        return FeatureStore(config=config)

    def rows(self, store: Any) -> Rows:
        rows: Rows = store._get_provider().online_store.rows(store.config)
        return rows

    def apply(self) -> None:
        from feast import FeatureService

        store = self.store()
        objects = [each for table in self.tables for each in table.definition()]
        views = [each for each in objects if type(each).__name__ == "FeatureView"]
        store.apply([*{each.name: each for each in objects}.values()])
        store.apply([FeatureService(name="all", features=views)])
        self.rows(store).close()

    def publish(self, table: Table, start: datetime, end: datetime) -> None:
        table.write(str(self.folder))
        self.version += 1
        self.publications[table.name].append(Publication(start, end, self.version))

    def materialize(self, table: Table, end: datetime) -> datetime | None:
        """As the stage: what is needed, then the mark; the instant as of which it wrote."""
        store, mark = self.store(), self.marks.get(table.name)
        rows = self.rows(store)
        noted = rows.mark(table.name)
        anew = table.name in self.redefined or noted != (mark and packed.micros(mark.until))
        needed = fill(end, table.ttl, mark, self.publications[table.name], anew=anew)
        try:
            if needed:
                feast.materialize(store, table.name, needed.start, needed.until)
                self.marks[table.name] = Mark(needed.until, self.version)
        finally:
            rows.close()
        self.redefined.discard(table.name)
        return needed and needed.until

    def read(
        self,
        table: Table,
        entities: Sequence[Entity],
        at: datetime,
        online_after: timedelta = timedelta(0),
    ) -> list[State]:
        """By our reader, of all views; of one table those entities."""
        store = self.store()
        views = [view for view in views_of(store, "all") if view.name == table.name]
        columns = [list(column) for column in zip(*entities, strict=True)]
        asked = dict(zip(table.keys, columns, strict=True)) or {"nobody": [None] * len(entities)}
        with Reader(self.rows(store), views, online_after) as reader:
            answer = reader.read(asked, at)
        names = ["known_at", *table.features]
        columns = [answer[f"{table.name}__{name}"] for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def kill_at_a_chunk(patch: pytest.MonkeyPatch, rng: random.Random, rows: type) -> None:
    """The writing ends before, or right after, some chunk of it."""
    left, whole, gone = rng.randrange(4), rows.put, rows.remove  # type: ignore[attr-defined]

    def dying(write: Any) -> Any:
        def written(self: Any, view: str, some: Any, *given: Any) -> None:
            nonlocal left
            if left == 0:
                write(self, view, some[: rng.randrange(len(some) + 1)], *given)
                raise Killed
            left -= 1
            write(self, view, some, *given)

        return written

    patch.setattr(rows, "put", dying(whole))
    patch.setattr(rows, "remove", dying(gone))


def small_chunks(patch: pytest.MonkeyPatch) -> None:
    """So that a few states are many chunks."""
    patch.setattr(feast_engine, "_ROWS_AT_ONCE", 3)
