"""Column lineage of the real cases: their SQL as dbt compiles it, their features, their models."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pipelines.core.settings import Settings
from pipelines.data.transform.run import compiled_models
from pipelines.insight.lineage import kept
from pipelines.insight.lineage.case import CaseLineage
from pipelines.stores import dbt
from pipelines.use_cases import find, load
from pipelines.use_cases.spec.interval import Interval

# Names in a case's SQL that lineage can't place and takes for all columns read: mend the SQL or
# pipelines/insight/lineage/expressions.py before you add one.
UNRESOLVED: dict[str, tuple[str, ...]] = {}


@cache
def compiled(case_name: str) -> CaseLineage:
    """Compiled without a warehouse: no model asks it anything."""
    case = find(case_name)
    with TemporaryDirectory() as home:
        settings, day = Settings(home=Path(home)), Interval.parse("2026-11-20")
        results = dbt.run(settings, ("compile",), case, day, "--no-introspect").results
    return kept.build(case, compiled_models(case, results))


@pytest.fixture(params=sorted(load().found))
def lineage(request: pytest.FixtureRequest) -> CaseLineage:
    return compiled(request.param)


@pytest.fixture
def flight_delays() -> CaseLineage:
    return compiled("flight_delays")


def test_every_name_in_the_sql_is_placed(lineage: CaseLineage) -> None:
    found = {node.name: tuple(node.unresolved) for node in lineage.nodes if node.unresolved}
    assert found == UNRESOLVED


def test_the_tables_are_those_of_the_spec(lineage: CaseLineage) -> None:
    case = find(lineage.case)
    names = {
        case.table(layer, name)
        for layer in ("bronze", "silver", "gold")
        for name in case.tables(layer)
    }
    assert names <= set(lineage.by_name)


def test_every_input_of_a_model_reaches_a_landing_file(lineage: CaseLineage) -> None:
    reached = _reached(lineage)
    for each in find(lineage.case).models:
        model = lineage.by_name[f"models.{lineage.case}.{each.name}"]
        assert [name for name in model.columns if (model.name, name) not in reached] == []


def _reached(lineage: CaseLineage) -> set[tuple[str, str]]:
    """Everything that a column of a landing file goes into."""
    reached = {
        (node.name, name) for node in lineage.nodes if node.kind == "files" for name in node.columns
    }
    for node in lineage.nodes:
        for name, value in node.relation.columns.items():
            if any((each.field.table, each.field.column) in reached for each in value.sources):
                reached.add((node.name, name))
    return reached


def _sources(lineage: CaseLineage, table: str, column: str, *, direct: bool) -> set[str]:
    value = lineage.by_name[f"{table.replace('.', '.flight_delays_')}"].relation.columns[column]
    return {
        f"{each.field.table.replace('flight_delays_', '')}.{each.field.column} {each.how}"
        for each in value.sources
        if each.how.is_direct == direct
    }


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("gold.origin_states", "departure_delay_minutes_mean_3h",
         {"silver.movements.delay_minutes AGGREGATION"}),
        # A count of rows has no value of any column; which rows count is indirect.
        ("gold.origin_states", "num_departures_1h", set()),
        ("gold.origin_states", "overdue_minutes_max",
         {"silver.schedule.scheduled_departure_at AGGREGATION",
          "silver.schedule.known_at TRANSFORMATION",
          "silver.schedule.scheduled_departure_at TRANSFORMATION",
          "silver.movements.known_at AGGREGATION"}),
        ("gold.labels", "is_late", {"silver.movements.delay_minutes TRANSFORMATION"}),
        ("gold.labels", "arrival_delay_minutes", {"silver.movements.delay_minutes IDENTITY"}),
        ("gold.tail_states", "last_origin", {"silver.movements.origin AGGREGATION"}),
        ("gold.flights", "num_seats", {"bronze.planes.num_seats AGGREGATION"}),
        ("gold.flights", "aircraft_age_years",
         {"silver.schedule.local_date TRANSFORMATION", "bronze.planes.year_built AGGREGATION"}),
        ("gold.flights", "rotation_slack_minutes",
         {"silver.schedule.scheduled_departure_at TRANSFORMATION",
          "silver.schedule.scheduled_arrival_at AGGREGATION",
          "silver.schedule.planned_duration_minutes AGGREGATION"}),
        ("gold.origin_weather_states", "wind_gust_mph_max_6h",
         {"silver.weather.wind_gust_mph AGGREGATION"}),
        ("gold.carrier_route_states", "gained_minutes_mean_28d",
         {"silver.movements.delay_minutes AGGREGATION"}),
        ("silver.schedule", "tail_number", {"bronze.schedule.tail_number TRANSFORMATION"}),
        ("silver.schedule", "planned_duration_minutes",
         {"bronze.schedule.scheduled_departure_at TRANSFORMATION",
          "bronze.schedule.scheduled_arrival_at TRANSFORMATION"}),
        ("features.origin_states", "num_overdue", {"gold.origin_states.num_overdue IDENTITY"}),
        ("gold.training_set", "origin_states__num_overdue",
         {"features.origin_states.num_overdue IDENTITY"}),
        ("gold.training_set", "previous_leg_delay_minutes",
         {"features.tail_states.last_arrival_delay_minutes TRANSFORMATION",
          "features.tail_states.last_departure_delay_minutes TRANSFORMATION",
          "features.tail_states.last_flight_id TRANSFORMATION",
          "gold.decisions.known_at TRANSFORMATION",
          "gold.decisions.previous_leg_flight_id TRANSFORMATION",
          "gold.decisions.previous_leg_scheduled_departure_at TRANSFORMATION",
          "gold.decisions.rotation_slack_minutes TRANSFORMATION"}),
    ],
)  # fmt: skip
def test_a_column_becomes_its_value_from(
    flight_delays: CaseLineage, table: str, column: str, expected: set[str]
) -> None:
    assert _sources(flight_delays, table, column, direct=True) == expected


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        # Which movements count in a window: their kind, and when they are known and happened.
        ("gold.origin_states", "departure_delay_minutes_mean_3h",
         {"silver.movements.movement CONDITIONAL", "silver.movements.event_at WINDOW",
          "silver.movements.known_at WINDOW", "silver.movements.origin WINDOW"}),
        ("gold.tail_states", "last_origin", {"silver.movements.event_at SORT"}),
        ("gold.training_set", "origin_states__num_overdue",
         {"gold.decisions.origin JOIN", "gold.decisions.known_at JOIN"}),
    ],
)  # fmt: skip
def test_which_value_it_is_is_decided_by(
    flight_delays: CaseLineage, table: str, column: str, expected: set[str]
) -> None:
    assert expected <= _sources(flight_delays, table, column, direct=False)


def test_no_late_outcome_goes_into_what_predicts(flight_delays: CaseLineage) -> None:
    """Labels go into the training set and the model's weights, never into an input."""
    labels = "gold.flight_delays_labels"
    readers = {edge.target for edge in flight_delays.edges if edge.source.table == labels}
    case = find("flight_delays")
    assert {(each.table, each.column) for each in readers} == {
        (case.table("gold", model.training_set), column)
        for model in case.models
        for column in (model.label, "label_known_at", "part")
    }
