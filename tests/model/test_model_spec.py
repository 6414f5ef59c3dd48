"""A spec refuses what can't work, in words, and survives a file."""

import json
from dataclasses import replace

import pytest

from models.architecture import Architecture
from models.checkpoint import Checkpoints
from models.columns import Columns
from models.flight_delays import MODEL
from models.optimisation import Optimisation
from models.preprocess import Preprocessing
from models.spec import ModelSpec


@pytest.mark.parametrize("spec", [MODEL, ModelSpec(name="toy", columns=Columns(numeric=("x",)))])
def test_a_spec_survives_a_file(spec: ModelSpec) -> None:
    assert ModelSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Columns(numeric=()), "Columns.numeric: .* is empty; name at least one"),
        (lambda: Columns(numeric=("a", "b"), categorical=("a",)), r"\['a'\] occur twice"),
        (lambda: Columns(numeric=("a",), label="a"), r"\['a'\] occur twice"),
        (lambda: Architecture(num_members=0), "Architecture.num_members: 0 is below 1; give"),
        (lambda: Preprocessing(num_bins=0), "Preprocessing.num_bins: 0 is below 1; give"),
        (lambda: Optimisation(batch_rows=0), "Optimisation.batch_rows: 0 is no use; give 1"),
        (lambda: Optimisation(learning_rate=float("nan")), "learning_rate: nan is no use"),
        (lambda: Optimisation(hidden_numeric_rate=1), "hidden_numeric_rate: 1 is no use"),
        (lambda: replace(MODEL, name="Flight delays"), "'Flight delays' is not a lower-case"),
        (lambda: Checkpoints(None, 0), "Checkpoints.every_steps: 0 is below 1"),  # type: ignore[arg-type]
    ],
)
def test_a_value_that_cannot_work_is_named(make, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=says):
        make()


def test_an_unknown_or_missing_field_of_a_file_is_named() -> None:
    values = MODEL.to_json()
    with pytest.raises(ValueError, match=r"Optimisation: fields \['dropout'\] are missing or"):
        ModelSpec.from_json({**values, "optimisation": {**values["optimisation"], "dropout": 1}})
    del values["columns"]
    with pytest.raises(ValueError, match=r"ModelSpec: fields \['columns'\] are missing or"):
        ModelSpec.from_json(values)


def test_the_learning_rate_rises_then_falls_to_nothing() -> None:
    options = Optimisation(learning_rate=1.0, warmup_steps=4, max_epochs=2)
    rates = [options.learning_rate_at(step, 8) for step in range(16)]
    assert rates[0] == pytest.approx(0.25)
    assert max(rates) == rates[3] == pytest.approx(0.9157, abs=1e-4)
    assert rates[-1] == pytest.approx(0.0096, abs=1e-4)
