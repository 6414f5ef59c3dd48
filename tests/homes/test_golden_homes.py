"""A home that an earlier version left opens with today's code, says the same, and goes on.

`tests/golden/homes/make.py` packed each. They are opened where they were made, one at a time.
"""

import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sqlalchemy import create_engine, select, text

from pipelines.core import journal, migrations, registry
from pipelines.core.settings import Settings
from pipelines.learning import champion
from pipelines.stores import lake, mlflow
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase
from tests.golden.homes import case, place
from tests.golden.homes.place import NAME
from tests.project import copy_of_the_project
from tests.stages import DATA, PREDICTION, TRAINING, WATCH

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

PACKED = sorted(place.HERE.glob("*.tar.xz"))
# What the one model of a case is called since a case may have several.
MODEL = "model"
# The chain of one more day, up to what would be trained on.
TRAINING_SET = TRAINING[: TRAINING.index(registry.TRAIN.name)]
CHAIN = (*DATA, *PREDICTION, *WATCH, *TRAINING_SET)
# Of running attempts alone: an upgrade may empty it.
NOT_KEPT = {"fences"}


@dataclass(frozen=True)
class Opened:
    """A home, opened by today's code; `told` is what the version that made it said."""

    settings: Settings
    project: Path
    environment: Mapping[str, str]
    told: Mapping[str, Any]

    def millrace(self, *words: str, allowed: tuple[int, ...] = (0,)) -> str:
        """One command of today's, by the copy that has the home's case; what it printed."""
        command = [sys.executable, "-m", "pipelines", *words]
        ended = subprocess.run(
            command,
            cwd=self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode in allowed, f"{words} exited {ended.returncode}: {ended.stderr}"
        return ended.stdout

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.millrace("status", "--json"))
        return found


def as_told(case: Mapping[str, Any]) -> dict[str, Any]:
    """A case of one model, as it was told when no case had several."""
    model = case["models"].get(MODEL) or next(iter(case["models"].values()))
    return {**case, **{name: _as_told(value) for name, value in model.items()}}


def _as_told(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Then a model had one metric, and its value was called by it."""
    if value is None or "metric" not in value:
        return dict(value) if value else None
    plain = {key: found for key, found in value.items() if key not in ("metric", "value")}
    return {**plain, value["metric"]: value["value"]}


def next_day(told: Mapping[str, Any]) -> date:
    """The first day that the home has not seen."""
    known_until = told["status"]["cases"][NAME]["features_known_until"]
    return date.fromisoformat(known_until[:10])


@pytest.fixture(scope="module", params=PACKED, ids=lambda path: path.name.partition(".")[0])
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opened]:
    """Unpacked at its place, its databases restored before anything of ours has read them."""
    assert not place.PLACE.exists(), f"{place.PLACE} is there: end its platform, and remove it"
    with tarfile.open(request.param) as file:
        file.extractall(place.PLACE, filter="data")
    told = json.loads(place.TOLD.read_text())
    project = copy_of_the_project(tmp_path_factory.mktemp("own") / "project")
    case.add(project)
    now = place.instant((next_day(told) + timedelta(days=1)).isoformat())
    try:
        with place.platform(project, now) as (settings, environment):
            home = Opened(settings, project, environment, told)
            home.millrace("start", "postgres")
            for name in place.DATABASES:
                dump = str(place.DUMPS / f"{name}.dump")
                words = ("--exit-on-error", "--single-transaction", dump)
                place.postgres("pg_restore", settings, name, *words)
            home.millrace("start", "postgres", "spark", "mlflow")
            yield home
            journal.engine.cache_clear()
    finally:
        shutil.rmtree(place.PLACE)


def test_the_journal_is_upgraded_and_keeps_its_rows(opened: Opened) -> None:
    then = opened.told
    # The first command that reads the journal is what upgrades it.
    opened.status()
    now = place.journal(opened.settings)
    kept = {table: rows for table, rows in then["rows"].items() if table not in NOT_KEPT}
    assert kept["runs"] > 0
    assert {table: now["rows"][table] for table in kept} == kept
    assert now["verdict"] == then["verdict"]
    engine = create_engine(opened.settings.database("millrace"))
    with engine.connect() as connection:
        revision = connection.scalar(text("select version_num from ops.alembic_version"))
        runs = connection.execute(select(journal.runs).where(journal.runs.c.state == "done")).all()
    assert revision == migrations.revisions()[-1]
    # What earlier stages noted is read back by today's types.
    assert {NAME} == {run.case_name for run in runs}
    for run in runs:
        journal.parsed(registry.find(run.stage), run.result)
    now_champion = champion.current(engine, NAME, MODEL)
    engine.dispose()
    assert now_champion is not None
    assert now_champion.version == then["status"]["cases"][NAME]["champion"]["version"]


def test_status_says_the_same(opened: Opened) -> None:
    then, now = opened.told["status"], opened.status()
    assert now["services"] == then["services"]
    for name, said in then["cases"].items():
        # It may say more by now.
        case = as_told(now["cases"][name])
        assert {key: case[key] for key in said} == said


def test_every_published_table_is_what_it_was(opened: Opened) -> None:
    then = opened.told["digests"]
    assert set(then) == set(opened.told["status"]["cases"][NAME]["tables"])
    assert place.digests(opened.settings, then) == then


def test_the_champion_answers_as_it_did(opened: Opened) -> None:
    version = opened.told["status"]["cases"][NAME]["champion"]["version"]
    session = place.spark(opened.settings)
    said = session.sql(f"select * from gold.{NAME}_predictions where model_version = {version}")
    answers = said.toArrow()
    session.stop()
    assert answers.num_rows == opened.told["status"]["cases"][NAME]["predictions"]["rows"]
    model = Model(name=MODEL, task="binary", family="tabular_net", row_key=("loan",), label="late")
    case = UseCase(name=NAME, description="", feeds=(), silver=(), entity_states=())
    scored = champion.load(opened.settings, case, model, version).score(answers)["probability"]
    found, said_then = scored.to_numpy(), answers["probability"].to_numpy()
    np.testing.assert_allclose(found, said_then, rtol=0, atol=1e-6)


def test_its_registered_versions_live_on_under_the_models_name(opened: Opened) -> None:
    """As `models:/loans.model@champion`, which the first stage that asks for it has renamed."""
    then = opened.told["status"]["cases"][NAME]["champion"]["version"]
    client = mlflow.connect(opened.settings)
    found = client.get_model_version_by_alias(f"{NAME}.{MODEL}", "champion")
    assert int(found.version) == then
    assert not [each for each in client.search_registered_models() if each.name == NAME]


def test_a_day_that_had_landed_stays_as_it_is(opened: Opened) -> None:
    day = (next_day(opened.told) - timedelta(days=1)).isoformat()
    done = json.loads(opened.millrace("extract", NAME, "--interval", day))
    assert done["details"]["parts"] == 1
    assert done["details"]["new_parts"] == 0


def test_the_next_day_is_built_on_top(opened: Opened) -> None:
    day, then = next_day(opened.told), opened.told["status"]["cases"][NAME]
    num_rows = place.SOURCE.read_text().count(f",{day}T")
    assert num_rows
    for stage in CHAIN:
        # Whether drift asks for a training is the verdict's to say, below.
        allowed = (0, 99) if stage == registry.DUE_DRIFT.name else (0,)
        opened.millrace(stage, NAME, "--interval", day.isoformat(), allowed=allowed)
    now = as_told(opened.status()["cases"][NAME])
    until = f"{day + timedelta(days=1)}T00:00:00+00:00"
    assert now["features_known_until"] == until
    assert now["predictions"]["until"] == until
    assert now["drift"]["interval"] == day.isoformat()
    assert now["champion"] == then["champion"]
    for table in (f"bronze.{NAME}_rows", f"gold.{NAME}_labels", f"gold.{NAME}_decisions"):
        assert now["tables"][table]["rows"] == then["tables"][table]["rows"] + num_rows
    assert now["predictions"]["rows"] == then["predictions"]["rows"] + num_rows


@pytest.fixture
def session(opened: Opened) -> "Iterator[SparkSession]":
    """It ends before the server does, also where a test fails."""
    made = place.spark(opened.settings)
    yield made
    made.stop()


def test_every_reader_opens_what_that_day_wrote(opened: Opened, session: "SparkSession") -> None:
    """Earlier versions wrote the tables made from frames in a way that only Spark reads."""
    then = opened.told["status"]["cases"][NAME]["tables"]
    now = opened.status()["cases"][NAME]["tables"]
    assert set(now) == set(then)
    for name, seen in now.items():
        assert seen["version"] > then[name]["version"]
        build = f"build.{name.replace('.', '_')}"
        table = lake.of(opened.settings).table(build, seen["version"])
        num_rows = table.to_pyarrow_dataset().count_rows()
        assert num_rows == seen["rows"] == session.table(name).count(), name


def test_the_rows_that_were_joined_night_by_night_are_gone(
    opened: Opened, session: "SparkSession"
) -> None:
    joined = f"build.gold_{NAME}_joined"
    assert not session.catalog.tableExists(joined)
    assert lake.of(opened.settings).newest(joined) is None
