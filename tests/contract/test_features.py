"""The features of each case are those of its spec, and of its dbt YAML."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from pipelines.core import cases
from pipelines.core.settings import ROOT
from pipelines.stores import feast
from pipelines.use_cases import load
from pipelines.use_cases.spec.use_case import EntityState, UseCase

STATES = [(case, state) for case in load().found.values() for state in case.entity_states]
NAMES = [f"{case.name}_{state.name}" for case, state in STATES]
# Feast's types, by Spark's.
FEAST_TYPES = {
    "double": "Float64",
    "int": "Int32",
    "bigint": "Int64",
    "string": "String",
    "boolean": "Bool",
    "timestamp": "UnixTimestamp",
}


def _of_kind(case: UseCase, kind: str) -> dict[str, object]:
    feast.load()
    return {each.name: each for each in cases.features(case.name) if type(each).__name__ == kind}


def _dbt_columns(case: UseCase, state: EntityState) -> Mapping[str, str]:
    table = f"{case.name}_{state.name}"
    path = Path(ROOT, "pipelines/data/transform/dbt/models", case.name, "gold", f"{table}.yml")
    assert path.exists(), f"the gold table {table} has no YAML yet: write {path}"
    (model,) = [
        each for each in yaml.safe_load(path.read_text())["models"] if each["name"] == table
    ]
    return {column["name"]: column["data_type"] for column in model["columns"]}


@pytest.mark.parametrize(("case", "state"), STATES, ids=NAMES)
def test_a_view_has_the_keys_ttl_and_source_of_its_entity_state(case, state):
    views = _of_kind(case, "FeatureView")
    name = f"{case.name}_{state.name}"
    assert name in views, f"features/{case.name}.py lacks the view {name} of the spec"
    view = views[name]
    assert tuple(view.entities) == state.keys
    assert view.ttl.total_seconds() == state.ttl_minutes * 60
    assert view.batch_source.table == case.table("gold", state.name)
    assert view.batch_source.timestamp_field == "known_at"
    assert not view.batch_source.date_partition_column
    assert view.description


@pytest.mark.parametrize(("case", "state"), STATES, ids=NAMES)
def test_a_view_has_the_columns_of_its_dbt_yaml(case, state):
    expected = {
        name: FEAST_TYPES.get(spark_type, f"no Feast type for {spark_type}")
        for name, spark_type in _dbt_columns(case, state).items()
        if name not in {"known_at", "known_date"}
    }
    view = _of_kind(case, "FeatureView")[f"{case.name}_{state.name}"]
    fields = [*view.entity_columns, *view.features]
    defined = {field.name: str(field.dtype) for field in fields}
    assert len(defined) == len(fields), "a column is listed twice"
    missing = sorted(set(expected) - set(defined))
    unknown = sorted(set(defined) - set(expected))
    assert not missing, f"{view.name}: add {missing} to features/{case.name}.py"
    assert not unknown, f"{view.name}: {unknown} are in no column of the dbt YAML"
    assert defined == expected


@pytest.mark.parametrize("case", load().found.values(), ids=lambda case: case.name)
def test_nothing_else_is_defined_and_the_first_service_has_every_view(case):
    views = _of_kind(case, "FeatureView")
    assert sorted(views) == sorted(f"{case.name}_{state.name}" for state in case.entity_states)
    keys = {key for state in case.entity_states for key in state.keys}
    assert set(_of_kind(case, "Entity")) == keys
    service = _of_kind(case, "FeatureService")[f"{case.name}_v1"]
    assert {part.name for part in service.feature_view_projections} == set(views)


def test_feast_is_imported_without_torch():
    """What `load` is for; in a process of its own, as others here may have imported torch."""
    import subprocess
    import sys

    code = (
        "import sys, typeguard\n"
        "before = typeguard.typechecked\n"
        "from pipelines.stores import feast\n"
        "feast.load()\n"
        "assert 'torch' not in sys.modules and typeguard.typechecked is before\n"
        "import torch, feast as library\n"
        "assert library.FeatureStore\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
