"""A case's code is found by its name, and what is missing or broken is named by its file."""

import sys
from dataclasses import replace

import pytest

import expectations
import models
from pipelines.core import cases
from pipelines.core.errors import MillraceError
from pipelines.use_cases import load
from pipelines.use_cases.spec.use_case import UseCase

NOPE = UseCase(name="nope", description="a test", feeds=(), silver=(), entity_states=())


@pytest.fixture
def rooms(tmp_path, monkeypatch):
    """A folder in which files of `expectations` and `models` are found, too."""
    for package in (expectations, models):
        folder = tmp_path / package.__name__
        folder.mkdir()
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    yield tmp_path
    for name in [name for name in sys.modules if name.endswith(".made_up_loans")]:
        del sys.modules[name]


def test_the_code_of_the_flights_is_found():
    assert callable(cases.source("flight_delays").source)
    assert "movements" in cases.contract("flight_delays").row_rules()
    assert callable(cases.models("flight_delays").derive)
    flights = load().found["flight_delays"]
    for model in flights.models:
        assert cases.model("flight_delays", model).task.name == model.task
    assert "flight_delays_v1" in {each.name for each in cases.features(flights)}


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        (cases.source, "pipelines/data/extract/sources/nope.py"),
        (cases.contract, "expectations/nope.py"),
        (lambda _: cases.features(NOPE), "features/nope.py"),
        (cases.models, "models/nope.py"),
    ],
)
def test_a_missing_file_is_named_with_how_to_write_it(kind, file):
    with pytest.raises(MillraceError) as refused:
        kind("nope")
    assert str(refused.value) == (
        f"nope has no {file}: write it; docs/add_a_use_case.md says what it holds"
    )


@pytest.mark.parametrize(
    ("kind", "written", "said"),
    [
        (
            cases.contract,
            "def row_rules(): return {}\n",
            "expectations/made_up_loans.py lacks table_rules, table_keys: add it",
        ),
        (cases.models, "MODELS = 1\n", "models/made_up_loans.py lacks derive: add it"),
        (
            cases.models,
            "x = 1\nimport nothing_of_this_name\n",
            "models/made_up_loans.py, line 2: ModuleNotFoundError: No module named",
        ),
        (
            cases.contract,
            "x = 1\ny = (\n",
            "expectations/made_up_loans.py, line 2: SyntaxError: '(' was never closed; mend",
        ),
        (
            cases.models,
            "\n\nfrom models.columns import Columns\nCOLUMNS = Columns(numeric=())\n",
            "models/made_up_loans.py, line 4: ValueError: Columns: there are none; name",
        ),
    ],
)
def test_a_broken_file_of_one_case_hurts_no_other(rooms, kind, written, said):
    (rooms / said.split("/", maxsplit=1)[0] / "made_up_loans.py").write_text(written)
    with pytest.raises(MillraceError) as refused:
        kind("made_up_loans")
    assert str(refused.value).startswith(said)
    assert kind("flight_delays")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "early"}, "models/flight_delays.py: MODELS lacks 'early': add it"),
        ({"task": "regression"}, "'late' is binary by tabular_net, its use case says regression"),
        ({"family": "trees"}, "its use case says binary by trees: let both say the same"),
    ],
)
def test_use_case_and_file_say_the_same_of_a_model(changes, said):
    late = load().found["flight_delays"].model("late")
    with pytest.raises(MillraceError, match=said):
        cases.model("flight_delays", replace(late, **changes))
