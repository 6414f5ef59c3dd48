"""The dbt project of each case: what the spec names is there, described and keyed; no server."""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.core.errors import CheckFailed
from pipelines.core.settings import Settings
from pipelines.data.transform.run import LAYERS
from pipelines.scaffold.names import UNITS
from pipelines.stores import dbt
from pipelines.stores.compiled import project_digest
from pipelines.stores.dbt_project import PROJECT
from pipelines.use_cases import find, load
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import EntityState, Layer, UseCase

CASES = list(load().found.values())
TABLES = [(case, layer, name) for case in CASES for layer in LAYERS for name in case.tables(layer)]
DAY = Interval.parse("2026-11-20")
STATES = [(case, state) for case in CASES for state in case.entity_states]


def folder(case: UseCase) -> Path:
    return PROJECT / "models" / case.name


def sql(case: UseCase, layer: Layer, name: str) -> Path:
    return folder(case) / layer / f"{case.name}_{name}.sql"


def models(case: UseCase, layer: Layer) -> Mapping[str, Mapping[str, Any]]:
    files = sorted((folder(case) / layer).glob("*.yml"))
    found = [model for file in files for model in yaml.safe_load(file.read_text())["models"]]
    return {model["name"].removeprefix(f"{case.name}_"): model for model in found}


def columns(case: UseCase, layer: Layer, name: str) -> Mapping[str, Mapping[str, Any]]:
    return {column["name"]: column for column in models(case, layer)[name]["columns"]}


def keyed(model: Mapping[str, Any]) -> list[str]:
    tests = [test["keyed"] for test in model["data_tests"] if "keyed" in test]
    assert len(tests) == 1, f"{model['name']}: give it one data test `keyed`"
    return list(tests[0]["arguments"]["columns"])


def step_minutes(case: UseCase, name: str) -> int | None:
    found = re.search(r"'step_minutes': (\d+)", sql(case, "gold", name).read_text())
    return int(found[1]) if found else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("layer", LAYERS)
def test_the_models_are_the_tables_of_the_spec(case: UseCase, layer: Layer) -> None:
    expected = set(case.tables(layer))
    files = {
        path.stem.removeprefix(f"{case.name}_") for path in (folder(case) / layer).glob("*.sql")
    }
    assert files == expected, f"models/{case.name}/{layer} has not one .sql for each table"
    assert set(models(case, layer)) == expected, f"models/{case.name}/{layer}: YAML is missing"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_sources_are_the_feeds_of_the_spec(case: UseCase) -> None:
    (bronze,) = yaml.safe_load((folder(case) / "sources.yml").read_text())["sources"]
    assert {table["name"] for table in bronze["tables"]} == {
        f"{case.name}_{feed.name}" for feed in case.feeds
    }


@pytest.mark.parametrize(("case", "layer", "name"), TABLES, ids=[".".join(t[1:]) for t in TABLES])
def test_a_model_says_its_grain_its_key_and_what_each_column_holds(
    case: UseCase, layer: Layer, name: str
) -> None:
    model = models(case, layer)[name]
    assert "Grain: one row" in model["description"]
    listed = [column["name"] for column in model["columns"]]
    assert len(listed) == len(set(listed)), "a column is listed twice"
    assert set(keyed(model)) <= set(listed)
    assert {"known_at", "known_date"} <= set(listed)
    for column in model["columns"]:
        said = column["description"]
        assert column["data_type"], column["name"]
        for part, unit in UNITS.items():
            if re.search(rf"{part}(_|$)", column["name"]):
                assert unit in said, f"{column['name']}: its description must say {unit!r}"
        assert said, column["name"]


@pytest.mark.parametrize(("case", "state"), STATES, ids=lambda each: each.name)
def test_an_entity_state_has_a_model_with_its_keys_and_grid(
    case: UseCase, state: EntityState
) -> None:
    listed = columns(case, "gold", state.name)
    assert keyed(models(case, "gold")[state.name]) == [*state.keys, "known_at"]
    assert listed["known_at"]["data_type"] == "timestamp"
    assert listed["known_date"]["data_type"] == "date"
    assert step_minutes(case, state.name) == state.step_minutes


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_no_grid_state_has_no_step(case: UseCase) -> None:
    assert [name for name in case.gold if step_minutes(case, name)] == []


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The project with a second case, whose YAML, SQL and macros dbt can't read."""
    base = tmp_path_factory.mktemp("dbt")
    project = base / "dbt"
    shutil.copytree(PROJECT, project)
    for path, text in {
        "models/loans/gold/loans_labels.yml": "models:\n  - name: [loans_labels\n",
        "models/loans/gold/loans_labels.sql": "select {{ nothing( }}",
        "macros/loans/loans.sql": "{% macro loans( %}",
    }.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt, "PROJECT", project)
        yield Settings(home=base / "home")


def listed(settings: Settings, case: UseCase) -> set[str]:
    """What dbt reads of a case; no engine is asked."""
    names: Any = dbt.run(settings, ("list",), case, DAY, "--resource-type", "model")
    return {name.rpartition(".")[2] for name in names}


def test_a_mistake_in_one_case_does_not_keep_dbt_from_another(spoilt: Settings) -> None:
    case = find("flight_delays")
    models = {f"{case.name}_{name}" for layer in LAYERS for name in case.tables(layer)}
    assert listed(spoilt, case) == models
    with pytest.raises(CheckFailed, match=r"dbt list: .*loans"):
        listed(spoilt, replace(case, name="loans"))
    assert listed(spoilt, case) == models


def test_without_macros_of_its_own_a_case_has_the_shared_ones(spoilt: Settings) -> None:
    model = dbt.PROJECT / "models" / "plain" / "silver" / "plain_rows.sql"
    model.parent.mkdir(parents=True)
    model.write_text("select {{ mean_of('x') }} as x where {{ known_in_interval() }}")
    assert listed(spoilt, replace(find("flight_delays"), name="plain")) == {"plain_rows"}


def test_the_digest_is_of_the_files_that_dbt_reads_for_the_case(spoilt: Settings) -> None:
    before = project_digest(dbt.PROJECT, "flight_delays")
    (dbt.PROJECT / "macros" / "loans" / "loans.sql").write_text("{% macro mended() %}")
    assert project_digest(dbt.PROJECT, "flight_delays") == before
    for folder in ("macros/shared", "macros/flight_delays", "models/flight_delays"):
        (dbt.PROJECT / folder / "new.sql").write_text("select 1")
        after = project_digest(dbt.PROJECT, "flight_delays")
        assert after != before, folder
        before = after
