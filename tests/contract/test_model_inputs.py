"""What a model reads is what its decisions, its entity states and `derive` have."""

import pyarrow as pa
import pytest
import yaml

from pipelines.core import cases
from pipelines.data.transform.run import PROJECT
from pipelines.use_cases import load

CASES = [pytest.param(case, id=case.name) for case in load().found.values() if case.training]
ARROW = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
}


def columns(case, name):
    path = PROJECT / "models" / case.name / "gold" / f"{case.name}_{name}.yml"
    (model,) = yaml.safe_load(path.read_text())["models"]
    return {column["name"]: ARROW[column["data_type"]] for column in model["columns"]}


def as_known(case):
    """The columns of a training set before `derive`, in Arrow's types."""
    states = {
        f"{state.name}__{name}": kind
        for state in case.entity_states
        for name, kind in columns(case, state.name).items()
        if name not in {*state.keys, "known_at", "known_date"}
    }
    return pa.schema({**columns(case, "decisions"), **states})


@pytest.mark.parametrize("case", CASES)
def test_every_input_of_the_model_is_there(case):
    module = cases.model(case.name)
    table = module.derive(as_known(case).empty_table())
    missing = sorted(set(module.MODEL.columns.inputs) - set(table.column_names))
    assert not missing, f"models/{case.name}.py reads {missing}, which nothing computes"
    assert module.MODEL.columns.label == case.training.label
    for name in module.MODEL.columns.categorical:
        assert str(table.schema.field(name).type) in {"string", "int32", "int64", "bool"}, name


@pytest.mark.parametrize("case", CASES)
def test_decisions_and_labels_have_what_the_stages_join_by(case):
    decisions, labels = columns(case, "decisions"), columns(case, "labels")
    keys = {key for state in case.entity_states for key in state.keys}
    needed = {*case.training.row_key, *keys, "known_at", "is_batch", "known_date"}
    assert needed <= set(decisions), f"decisions lack {sorted(needed - set(decisions))}"
    assert {*case.training.row_key, case.training.label, "known_at"} <= set(labels)
    assert labels[case.training.label] == pa.bool_()
    assert case.training.label not in decisions
