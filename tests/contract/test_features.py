"""Feast's definitions of each case: made of its dbt YAML and its spec."""

import pytest

from pipelines.core import cases
from pipelines.core.errors import MillraceError
from pipelines.stores import dbt_project, feast
from pipelines.use_cases import load
from pipelines.use_cases.spec.use_case import EntityState, UseCase

CASES = load().found.values()
STATES = [(case, state) for case in CASES for state in case.entity_states]
NAMES = [f"{case.name}_{state.name}" for case, state in STATES]


def _of_kind(case: UseCase, kind: str) -> dict[str, object]:
    return {each.name: each for each in cases.features(case) if type(each).__name__ == kind}


@pytest.mark.parametrize(("case", "state"), STATES, ids=NAMES)
def test_the_yaml_of_a_state_has_its_keys_and_its_instant(case, state):
    columns = {each["name"]: each for each in _described(case, state)["columns"]}
    for key in (*state.keys, "known_at", "known_date"):
        assert key in columns, f"{case.name}_{state.name}.yml lacks the column {key}"


def _described(case: UseCase, state: EntityState):
    return dbt_project.described(case.name, "gold", state.name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_first_service_offers_every_view(case):
    service = _of_kind(case, "FeatureService")[f"{case.name}_v1"]
    assert {part.name for part in service.feature_view_projections} == {
        f"{case.name}_{state.name}" for state in case.entity_states
    }


def test_a_view_says_what_yaml_and_spec_say():
    """Written out once by hand, of one state that has every type."""
    case = load().found["flight_delays"]
    view = _of_kind(case, "FeatureView")["flight_delays_tail_states"]
    assert view.entities == ["tail_number"]
    assert view.ttl.days == 3
    assert view.batch_source.table == "gold.flight_delays_tail_states"
    assert view.batch_source.timestamp_field == "known_at"
    assert view.description.startswith("State of each aircraft whenever one of its movements")
    assert [(field.name, str(field.dtype)) for field in view.features] == [
        ("last_flight_id", "String"),
        ("last_movement", "String"),
        ("last_movement_at", "UnixTimestamp"),
        ("last_origin", "String"),
        ("last_destination", "String"),
        ("last_scheduled_departure_at", "UnixTimestamp"),
        ("last_scheduled_arrival_at", "UnixTimestamp"),
        ("last_departure_delay_minutes", "Int32"),
        ("last_arrival_delay_minutes", "Int32"),
        ("last_air_time_minutes", "Int32"),
        ("last_planned_duration_minutes", "Float64"),
        ("last_expected_arrival_at", "UnixTimestamp"),
        ("num_departures_3d", "Int64"),
        ("departure_delay_minutes_mean_3d", "Float64"),
        ("arrival_delay_minutes_mean_3d", "Float64"),
    ]
    assert view.features[0].description == "The aircraft's last flight known to have moved"
    key = _of_kind(case, "Entity")["tail_number"]
    assert (key.join_key, key.value_type.name) == ("tail_number", "STRING")
    assert key.description == "The aircraft's registration, upper case"


def _case(*keys: str) -> UseCase:
    state = EntityState(name="states", keys=keys, step_minutes=60, ttl_minutes=60)
    return UseCase(name="toy", description="Made up", feeds=(), silver=(), entity_states=(state,))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ([], "toy_states: its YAML lacks the keys place"),
        (
            [{"name": "place", "data_type": "map<int,int>", "description": "A map"}],
            r"toy_states: a feature of type map<int,int> \(place\) can't be served; make it one of",
        ),
    ],
)
def test_what_a_yaml_lacks_is_said_in_words(monkeypatch, columns, said):
    described = {"name": "toy_states", "description": "Made up", "columns": columns}
    monkeypatch.setattr(dbt_project, "described", lambda *_: described)
    feast.load()
    from pipelines.stores import feast_views

    with pytest.raises(MillraceError, match=said):
        feast_views.views(_case("place"))


def test_a_state_without_yaml_names_the_file_to_write():
    with pytest.raises(MillraceError, match=r"models/toy/gold/toy_states.yml: write it"):
        dbt_project.described("toy", "gold", "states")


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
