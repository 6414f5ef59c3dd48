"""The dbt project of each case: what the spec names is there, described and keyed; no server."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.data.transform.run import LAYERS, PROJECT
from pipelines.scaffold.names import UNITS
from pipelines.use_cases import USE_CASES
from pipelines.use_cases.spec.use_case import EntityState, Layer, UseCase

CASES = list(USE_CASES.values())
TABLES = [(case, layer, name) for case in CASES for layer in LAYERS for name in case.tables(layer)]
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
