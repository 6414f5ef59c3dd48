"""What each stage's datasets are: by its name, and what the journal says of the run."""

from dataclasses import replace
from typing import Any

import pytest
from openlineage.client.serde import Serde

from pipelines.core import journal, registry
from pipelines.core.outcomes import Validated
from pipelines.insight.lineage.case import CaseLineage, Node
from pipelines.insight.lineage.datasets import Describer, Noted, Places
from pipelines.insight.lineage.edges import Field, How, Relation, Source, Value
from pipelines.use_cases.flight_delays import FLIGHT_DELAYS
from pipelines.use_cases.spec.interval import Interval

CASE = replace(FLIGHT_DELAYS, name="toy")
PLACES = Places("millrace", "/lake/landing", "http://127.0.0.1:5000")


def node(name: str, source: Field | None = None, how: How = How.IDENTITY) -> Node:
    found = Value(frozenset({Source(source, how)}) if source else frozenset())
    rows = found.via(How.FILTER).sources
    return Node(
        name=name,
        kind="model" if name.startswith("models.") else "table",
        title=f"All of {name}",
        columns={"x": "double"},
        relation=Relation({"x": found}, rows),
    )


LINEAGE = CaseLineage(
    "toy",
    [
        node("gold.toy_origin_states", Field("landing.toy_weather", "x"), How.AGGREGATION),
        node("features.toy_origin_states", Field("gold.toy_origin_states", "x")),
        node("gold.toy_training_set", Field("features.toy_origin_states", "x")),
        node("models.toy.late", Field("gold.toy_training_set", "x")),
        node("gold.toy_predictions", Field("models.toy.late", "x"), How.TRANSFORMATION),
    ],
)


# As each stage's outcome has them in the journal.
_TRAINED = {"run_id": "r", "interval": "2026-11-20", "fingerprint": "f", "digest": "d"}
DETAILS: dict[str, dict[str, Any]] = {
    "extract": {"parts": 2, "new_parts": 2},
    "transform": {"compiled": "c"},
    "materialize": {"definitions_applied": False, "left_alone": []},
    "assemble": {"digest": "d", "split": {}},
    "train": {**_TRAINED, "cutoff": "2026-11-21T00:00:00+00:00", "reused": False},
    "promote": {"decision": "kept", "reason": "r"},
    "predict": {"model_version": 7},
    "monitor": {"drifted": False, "due": False, "reason": "r", "page": None, "quality": {}},
    "rollback": {"before": 8},
    "validate_predictions": vars(Validated(states={}, warnings=[])),
}


def described(
    name: str, interval: str = "2026-11-20", details: dict[str, Any] | None = None, **result: Any
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    stage = registry.find(name)
    outcome = journal.parsed(stage, {"details": {**DETAILS[name], **(details or {})}, **result})
    noted = Noted(outcome=outcome, published={"gold.toy_predictions": 9})
    found = Describer(CASE, LINEAGE, PLACES, stage, Interval.parse(interval), noted, "late")
    return [Serde.to_dict(each) for each in found.inputs()], [
        Serde.to_dict(each) for each in found.outputs()
    ]


def named(dataset: dict[str, Any]) -> tuple[str, str, str | None]:
    version = dataset["facets"].get("version", {}).get("datasetVersion")
    return dataset["namespace"], dataset["name"], version


def test_extract_writes_the_parts_of_each_feed() -> None:
    inputs, outputs = described("extract", "2026-11-19/2026-11-20", rows={"weather": 144})
    assert inputs == []
    [landing] = outputs
    assert named(landing) == ("file", "/lake/landing/toy_weather", None)
    own = landing["outputFacets"]
    assert own["outputStatistics"]["rowCount"] == 144
    parts = own["subset"]["outputCondition"]["partitions"]
    assert [part["dimensions"] for part in parts] == [
        {"part": "2026-11-19"},
        {"part": "2026-11-20"},
    ]


def test_materialize_brings_views_online() -> None:
    online = {"online_as_of": {"origin_states": "2026-11-21T00:00:00+00:00"}}
    inputs, outputs = described("materialize", reads={"gold.toy_origin_states": 3}, details=online)
    assert [named(each) for each in inputs] == [("millrace", "gold.toy_origin_states", "3")]
    assert [named(each) for each in outputs] == [
        ("millrace", "features.toy_origin_states", "2026-11-21T00:00:00+00:00")
    ]


def test_train_makes_a_version_of_the_model_from_a_version_of_the_training_set() -> None:
    inputs, outputs = described("train", reads={"gold.toy_training_set": 4}, details={"number": 7})
    assert [named(each) for each in inputs] == [("millrace", "gold.toy_training_set", "4")]
    [model] = outputs
    assert named(model) == ("http://127.0.0.1:5000", "toy.late", "7")
    assert "storage" not in model["facets"]
    lineage = model["facets"]["columnLineage"]
    assert lineage["fields"]["x"]["inputFields"] == [
        {
            "namespace": "millrace",
            "name": "gold.toy_training_set",
            "field": "x",
            "transformations": [{"type": "DIRECT", "subtype": "IDENTITY"}],
        }
    ]
    assert lineage["dataset"][0]["transformations"] == [{"type": "INDIRECT", "subtype": "FILTER"}]


@pytest.mark.parametrize(
    ("stage", "details"),
    [
        ("predict", {"model_version": 7}),
        ("monitor", {"model_version": 7}),
        ("promote", {"version": 7}),
        ("rollback", {"version": 7}),
    ],
)
def test_who_uses_a_model_reads_its_version(stage: str, details: dict[str, int]) -> None:
    inputs, _ = described(stage, details=details)
    assert [named(each) for each in inputs] == [("http://127.0.0.1:5000", "toy.late", "7")]


@pytest.mark.parametrize(
    ("stage", "table", "rows", "expected"),
    [
        ("predict", "gold.toy_predictions", {"decisions": 12, "new": 5}, 5),
        ("assemble", "gold.toy_training_set", {"training": 8, "evaluation": 2}, 10),
        ("transform", "gold.toy_origin_states", {"gold.toy_origin_states": 96}, 96),
        ("validate_predictions", "gold.toy_predictions", {}, 9),
    ],
)
def test_the_rows_of_an_output_are_those_that_the_stage_wrote(
    stage: str, table: str, rows: dict[str, int], expected: int
) -> None:
    _, [output] = described(stage, rows=rows, writes={table: 6})
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == expected
    assert named(output) == ("millrace", table, "6")
    schema = output["facets"]["schema"]["fields"]
    assert [(each["name"], each["type"]) for each in schema] == [("x", "double")]
    # A check publishes what another stage made.
    assert ("columnLineage" in output["facets"]) == (stage != "validate_predictions")
