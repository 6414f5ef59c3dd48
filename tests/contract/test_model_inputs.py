"""What a model reads is what its decisions, its entity states and `derive` have."""

import pyarrow as pa
import pytest
import yaml

from models.tasks.bootstrap import ConfidenceInterval
from pipelines.core import cases
from pipelines.learning import gate
from pipelines.stores.dbt_project import PROJECT
from pipelines.use_cases import load

CASES = [pytest.param(case, id=case.name) for case in load().found.values() if case.models]
MODELS = [
    pytest.param(case, model, id=f"{case.name}.{model.name}")
    for case in load().found.values()
    for model in case.models
]
ARROW = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "array<string>": pa.list_(pa.string()),
    "array<double>": pa.list_(pa.float64()),
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


@pytest.mark.parametrize(("case", "model"), MODELS)
def test_every_input_of_the_model_is_there(case, model):
    table = cases.models(case.name).derive(as_known(case).empty_table())
    read = cases.model(case.name, model).columns
    missing = sorted(set(read.inputs) - set(table.column_names))
    assert not missing, f"models/{case.name}.py reads {missing}, which nothing computes"
    for name in read.categorical:
        assert str(table.schema.field(name).type) in {"string", "int32", "int64", "bool"}, name


@pytest.mark.parametrize(("case", "model"), MODELS)
def test_decisions_and_labels_have_what_the_stages_join_by(case, model):
    decisions, labels = columns(case, "decisions"), columns(case, "labels")
    # A state that no model reads is no row's own, such as that of items to choose from.
    read = cases.model(case.name, model).columns.inputs
    states = [s for s in case.entity_states if any(n.startswith(f"{s.name}__") for n in read)]
    keys = {key for state in states for key in state.keys}
    needed = {*model.row_key, *keys, "known_at", "is_batch", "known_date"}
    assert needed <= set(decisions), f"decisions lack {sorted(needed - set(decisions))}"
    assert {*model.row_key, model.label, "known_at"} <= set(labels)
    assert model.label not in decisions


@pytest.mark.parametrize(("case", "model"), MODELS)
def test_a_label_of_its_type_is_one_that_the_task_takes(case, model):
    task, kind = cases.model(case.name, model).task, columns(case, "labels")[model.label]
    assert task.encode(model.label, pa.chunked_array([], kind)).size == 0


@pytest.mark.parametrize(("case", "model"), MODELS)
def test_the_gate_knows_what_is_enough(case, model):
    """Also where it asks for a metric in the label's unit, of which nobody but the case knows."""
    metric = gate.metric_of(model.gate, cases.model(case.name, model).task)
    good = ConfidenceInterval(0.0, 0.0, 0.0, model.gate.confidence)
    seen = gate.Seen(metric, model.gate.num_rows_min, "", good, good)
    assert gate.verdict(model.gate, seen, has_champion=True)
