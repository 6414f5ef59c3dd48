"""The models of flight_delays under another name, on tables of their own."""

import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine

from pipelines.core import runner
from pipelines.core.registry import TRANSFORM, VALIDATE_FEATURES
from pipelines.core.settings import Settings
from pipelines.data.transform import run as stage
from pipelines.stores.lake import of as lake_of
from pipelines.use_cases import find
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Layer, UseCase
from tests.servers.contexts import held_context

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

Row = dict[str, Any]
NAME = "t_transform"
HISTORY = Interval.parse("2026-03-07/2026-03-11")


def _load(name: str) -> ModuleType:
    """A helper module beside this file; tests are no package."""
    spec = spec_from_file_location(f"transform_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    return _load("oracle")


@pytest.fixture(scope="session")
def world() -> ModuleType:
    return _load("world")


@pytest.fixture(scope="session")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UseCase]:
    """A use case that differs from flight_delays in its name only, and its dbt project."""
    project = tmp_path_factory.mktemp("project") / "dbt"
    shutil.copytree(stage.PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    for path in sorted(project.rglob("*flight_delays*"), reverse=True):
        path.rename(path.with_name(path.name.replace("flight_delays", NAME)))
    for path in (path for path in project.rglob("*") if path.is_file()):
        path.write_text(path.read_text().replace("flight_delays_", f"{NAME}_"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "PROJECT", project)
        yield replace(find("flight_delays"), name=NAME)


@dataclass(frozen=True)
class Lake:
    """Writes bronze and runs the stage; every build is published, as after its checks."""

    settings: Settings
    spark: "SparkSession"
    engine: Engine
    case: UseCase
    history: Interval = HISTORY

    def write_bronze(self, feed_name: str, rows: list[Row]) -> list[Row]:
        """Publish these rows as the feed's whole table; returns them as ingest would keep them."""
        feed = self.case.feed(feed_name)
        kept = [
            row
            | {"ingested_at": row["known_at"] + timedelta(hours=1), "source_file": "a.csv"}
            | {"source_line": line, "known_date": row["known_at"].date()}
            for line, row in enumerate(rows, start=2)
        ]
        types = {column.name: column.type for column in feed.columns}
        types |= {"ingested_at": "timestamp", "source_file": "string"}
        types |= {"source_line": "int", "known_date": "date"}
        values = [[row[name] for name in types] for row in kept]
        schema = ", ".join(f"{name} {spark_type}" for name, spark_type in types.items())
        table = self.case.build_table("bronze", feed_name)
        self.spark.sql("create schema if not exists build")
        frame = self.spark.createDataFrame(values, schema)
        frame.write.format("delta").partitionBy("known_date").mode("overwrite").saveAsTable(table)
        self._publish({"bronze": {feed_name: lake_of(self.settings).newest(table) or 0}})
        return kept

    def transform(self, key: str) -> dict[str, Any]:
        """Run the stage for an interval and publish what it built."""
        result = runner.run(self.settings, self.case, TRANSFORM, Interval.parse(key))
        self._publish(
            {
                layer: {
                    name: result["writes"][self.case.table(layer, name)]
                    for name in self.case.tables(layer)
                }
                for layer in stage.LAYERS
            }
        )
        return result

    def rows(self, layer: Layer, name: str) -> list[Row]:
        """All published rows, in a fixed order."""
        table = self.spark.table(self.case.table(layer, name)).toArrow()
        return sorted(table.to_pylist(), key=lambda row: [str(value) for value in row.values()])

    def _publish(self, versions: dict[Layer, dict[str, int]]) -> None:
        arguments = (self.settings, self.engine, self.case, self.history, VALIDATE_FEATURES)
        with held_context(*arguments) as context:
            context.publish(versions)


@pytest.fixture(scope="session")
def lake(settings: Settings, spark: "SparkSession", journal: Engine, case: UseCase) -> Lake:
    return Lake(settings, spark, journal, case)


@pytest.fixture(scope="session")
def bronze(lake: Lake, world: ModuleType) -> dict[str, list[Row]]:
    """The small world, published; the seed is printed when a test fails."""
    seed = 20260307
    print(f"seed {seed}")
    feeds = world.facts(random.Random(seed)) | world.snapshots()  # noqa: S311
    return {name: lake.write_bronze(name, rows) for name, rows in feeds.items()}


@pytest.fixture(scope="session")
def built(lake: Lake, bronze: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """The gold tables of four days, built as one range."""
    lake.transform("2026-03-07/2026-03-10")
    return {name: lake.rows("gold", name) for name in lake.case.tables("gold")}
