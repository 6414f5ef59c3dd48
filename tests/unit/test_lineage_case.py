"""A small case from landing to answers, every edge of a few columns written by hand."""

from typing import Any

import pyarrow as pa
import pytest

from models.tasks import Binary
from pipelines.core.errors import UsageError
from pipelines.insight.lineage import lake, learning, walk
from pipelines.insight.lineage.case import CaseLineage
from pipelines.stores.compiled import CompiledModel, keep, project_digest, read
from pipelines.stores.objects import Objects
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import Column, EntityState, Feed, UseCase

CASE = UseCase(
    name="toy",
    description="Will it rain?",
    feeds=(
        Feed(
            name="days",
            description="One row a day",
            format="csv",
            columns=(
                Column("town", "string", "name"),
                Column("rain", "double", "inches"),
                Column("event_at", "timestamp", "when"),
                Column("known_at", "timestamp", "when known"),
            ),
            key=("town",),
        ),
    ),
    silver=("days",),
    entity_states=(EntityState(name="states", keys=("town",), step_minutes=60, ttl_minutes=60),),
    gold=("decisions", "labels"),
    models=(Model(name="wet", task="binary", family="trees", row_key=("town",), label="is_wet"),),
)
MODELS = [
    # Out of order: lineage puts each after what it reads.
    CompiledModel(
        "gold.toy_states",
        "State of a town",
        "select town, known_at, avg(rain) as rain_mean, count(*) as num_days"
        " from build.silver_toy_days where rain >= 0 group by town, known_at",
        {"town": "string", "known_at": "timestamp", "rain_mean": "double", "num_days": "bigint"},
    ),
    CompiledModel(
        "silver.toy_days",
        "Clean days",
        "select lower(town) as town, rain, event_at, known_at"
        " from build.bronze_toy_days version as of 3",
        {"town": "string", "rain": "double", "event_at": "timestamp", "known_at": "timestamp"},
    ),
    CompiledModel(
        "gold.toy_decisions",
        "When to ask",
        "select town, known_at, true as is_batch, rain from build.silver_toy_days",
        {"town": "string", "known_at": "timestamp", "is_batch": "boolean", "rain": "double"},
    ),
    CompiledModel(
        "gold.toy_labels",
        "What came",
        "select town, known_at, rain > 0 as is_wet from build.silver_toy_days",
        {"town": "string", "known_at": "timestamp", "is_wet": "boolean"},
    ),
]
INPUTS = ("rain", "states__rain_mean", "rain_gain")


def derive(table: Any) -> Any:
    gain = pa.compute.subtract(table["rain"], table["states__rain_mean"])
    return table.append_column("rain_gain", gain)


@pytest.fixture(scope="module")
def toy() -> CaseLineage:
    nodes = [*lake.landed(CASE), *lake.ingested(CASE), *lake.transformed(CASE, MODELS)]
    views = {"states": ["rain_mean", "num_days"]}
    nodes += learning.offered(CASE, views, {node.name: node for node in nodes})
    tables = {node.name: node for node in nodes}
    known = learning.known_at_decisions(CASE, tables, derive)
    made = learning.learned(CASE, CASE.model(), tables, known, INPUTS, Binary().answer)
    return CaseLineage("toy", [*nodes, *made])


def edges(lineage: CaseLineage, column: str) -> set[str]:
    found = (edge for edge in lineage.edges if str(edge.target) == column)
    return {f"{edge.source} {edge.how}" for edge in found}


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("bronze.toy_days.town", {"landing.toy_days.town IDENTITY"}),
        ("bronze.toy_days.rain", {"landing.toy_days.rain TRANSFORMATION"}),
        ("bronze.toy_days.source_file", set()),
        ("quarantine.toy_days.reasons",
         {f"landing.toy_days.{c} CONDITIONAL" for c in ("town", "rain", "event_at", "known_at")}),
        ("silver.toy_days.town", {"bronze.toy_days.town TRANSFORMATION"}),
        ("gold.toy_states.rain_mean", {"silver.toy_days.rain AGGREGATION"}),
        ("gold.toy_states.num_days", set()),
        ("gold.toy_labels.is_wet", {"silver.toy_days.rain TRANSFORMATION"}),
        ("features.toy_states.rain_mean", {"gold.toy_states.rain_mean IDENTITY"}),
        ("gold.toy_training_set.rain", {"gold.toy_decisions.rain IDENTITY"}),
        ("gold.toy_training_set.states__rain_mean",
         {"features.toy_states.rain_mean IDENTITY", "gold.toy_decisions.town JOIN",
          "gold.toy_decisions.known_at JOIN"}),
        ("gold.toy_training_set.rain_gain",
         {"gold.toy_decisions.rain TRANSFORMATION", "features.toy_states.rain_mean TRANSFORMATION",
          "gold.toy_decisions.town JOIN", "gold.toy_decisions.known_at JOIN"}),
        ("gold.toy_training_set.is_wet",
         {"gold.toy_labels.is_wet AGGREGATION", "gold.toy_labels.known_at SORT"}),
        ("models.toy.wet.rain_gain", {"gold.toy_training_set.rain_gain IDENTITY"}),
        ("models.toy.wet.probability",
         {f"gold.toy_training_set.{c} AGGREGATION" for c in (*INPUTS, "is_wet")}
         | {"gold.toy_training_set.part CONDITIONAL"}),
        ("gold.toy_predictions.decided_at", {"gold.toy_decisions.known_at IDENTITY"}),
        ("gold.toy_predictions.probability",
         {"models.toy.wet.probability TRANSFORMATION", "gold.toy_decisions.rain TRANSFORMATION",
          "features.toy_states.rain_mean TRANSFORMATION", "gold.toy_decisions.town JOIN",
          "gold.toy_decisions.known_at JOIN"}),
    ],
)  # fmt: skip
def test_a_column_comes_from(toy: CaseLineage, column: str, expected: set[str]) -> None:
    assert edges(toy, column) == expected


def test_rows_are_decided_by(toy: CaseLineage) -> None:
    decided = {
        f"{edge.source} {edge.how}"
        for edge in toy.row_edges
        if str(edge.target) == "gold.toy_states.*"
    }
    assert decided == {
        "silver.toy_days.rain FILTER",
        "silver.toy_days.town GROUP_BY",
        "silver.toy_days.known_at GROUP_BY",
        "silver.toy_days.* FILTER",
    }


def test_each_node_comes_after_what_it_reads(toy: CaseLineage) -> None:
    names = [node.name for node in toy.nodes]
    for node in toy.nodes:
        assert all(names.index(read) < names.index(node.name) for read in node.reads), node.name


def test_every_column_has_its_sources(toy: CaseLineage) -> None:
    for node in toy.nodes:
        if node.kind != "files":
            assert set(node.columns) == set(node.relation.columns), node.name


def test_it_survives_being_kept(toy: CaseLineage) -> None:
    kept = CaseLineage.from_json(toy.to_json())
    assert (kept.edges, kept.row_edges) == (toy.edges, toy.row_edges)
    assert [node.columns for node in kept.nodes] == [node.columns for node in toy.nodes]


def test_upstream_ends_at_the_columns_of_landing_files(toy: CaseLineage) -> None:
    step = walk.walk(toy, walk.asked_field(toy, "gold.toy_labels.is_wet"), "upstream")
    assert walk.in_words(step).splitlines() == [
        "gold.toy_labels: is_wet",
        "└─ silver.toy_days: rain",
        "   └─ bronze.toy_days: rain",
        "      └─ landing.toy_days: rain",
    ]


def test_impact_reaches_models_and_predictions(toy: CaseLineage) -> None:
    step = walk.walk(toy, walk.asked_field(toy, "landing.toy_days.rain"), "downstream")
    found = {each["column"]: each["how"] for each in walk.to_json(toy, step)["columns"]}
    assert set(found["models.toy.wet.rain_gain"]) == {"TRANSFORMATION", "AGGREGATION"}
    assert "gold.toy_predictions.probability" in found
    # The filter `rain >= 0` decides which states there are, and so whatever is made of them.
    assert found["gold.toy_states.*"] == ["FILTER"]
    assert found["gold.toy_predictions.*"] == ["FILTER"]
    assert "gold.toy_labels.town" not in found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gold.toy_label.is_wet", "gold.toy_labels"),
        ("gold.toy_labels.is_wett", "is_wet"),
        ("is_wet", "write TABLE.COLUMN"),
    ],
)
def test_a_bad_name_is_refused_with_the_nearest(toy: CaseLineage, name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        walk.asked_field(toy, name)


def test_a_derivation_that_does_more_than_take_columns_has_looked_at_all() -> None:
    types = {"a": "double", "b": "double"}

    def whole(table: Any) -> Any:
        return pa.Table.from_pandas(table.to_pandas()).append_column("c", pa.array([], "double"))

    assert learning.columns_read(whole, types) == ({"a", "b"}, {"c": "double"})

    def arrow(table: Any) -> Any:
        return pa.concat_tables([table]).append_column("c", pa.array([], "double"))

    assert learning.columns_read(arrow, types) == ({"a", "b"}, {"c": "double"})
    assert learning.columns_read(lambda table: table, types) == (set(), {})


def test_compiled_sql_is_kept_by_the_project_it_came_from(tmp_path: Any) -> None:
    project = tmp_path / "dbt"
    (project / "models" / "toy").mkdir(parents=True)
    (project / "models" / "toy" / "a.sql").write_text("select 1")
    first = project_digest(project, "toy")
    store = Objects.at(str(tmp_path / "lineage"))
    keep(store, "toy", first, MODELS)
    assert read(store, "toy", first) == MODELS
    (project / "models" / "toy" / "a.sql").write_text("select 2")
    assert project_digest(project, "toy") != first
    assert read(store, "toy", project_digest(project, "toy")) is None
