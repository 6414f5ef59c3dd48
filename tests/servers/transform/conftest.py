"""The models of flight_delays under another name, on tables of their own."""

import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from pipelines.core.settings import Settings
from pipelines.stores import dbt
from pipelines.use_cases import find
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import UseCase
from tests.servers.lakes import Lake, Row

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

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
    shutil.copytree(dbt.PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    for path in sorted(project.rglob("*flight_delays*"), reverse=True):
        path.rename(path.with_name(path.name.replace("flight_delays", NAME)))
    for path in (path for path in project.rglob("*") if path.is_file()):
        path.write_text(path.read_text().replace("flight_delays_", f"{NAME}_"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt, "PROJECT", project)
        yield replace(find("flight_delays"), name=NAME)


@pytest.fixture(scope="session")
def lake(settings: Settings, spark: "SparkSession", journal: Engine, case: UseCase) -> Lake:
    return Lake(settings, spark, journal, case, HISTORY)


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
