"""Validation on the real servers: what passes is published, what fails is not, and why."""

import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import select

from expectations.rules import Between, Matches, Rule
from pipelines.core import journal, registry, runner
from pipelines.core.errors import CheckFailed
from pipelines.core.outcomes import Ingested, Outcome
from pipelines.core.registry import INGEST
from pipelines.core.settings import Settings
from pipelines.core.stage import Context
from pipelines.stores import delta, gx_docs, objects
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Column, EntityState, Feed, Layer, UseCase

pytestmark = pytest.mark.usefixtures("great_expectations")

A, B = Interval.parse("2026-11-18"), Interval.parse("2026-11-19")

READINGS = Feed(
    name="readings",
    description="What sensors measured",
    format="csv",
    columns=(
        Column("sensor", "string", "its name"),
        Column("celsius", "double", "temperature"),
        Column("event_at", "timestamp", "measured"),
        Column("known_at", "timestamp", "published"),
    ),
    key=("sensor", "event_at"),
)
RULES: tuple[Rule, ...] = (
    Between("celsius", -50, 60, because="weather on Earth"),
    Matches("sensor", "s[0-9]+", because="sensors are numbered"),
)
BRONZE = (
    "sensor string, celsius double, event_at timestamp, known_at timestamp, "
    "ingested_at timestamp, source_file string, source_line int, known_date date"
)
QUARANTINE = (
    "reasons array<string>, raw string, known_at timestamp, ingested_at timestamp, "
    "source_file string, source_line int, known_date date"
)
Reading = tuple[str, float | None, int]


@pytest.fixture
def case(settings: Settings, spark: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[UseCase]:
    """A case of one feed, one silver table and one entity state, with tables of its own."""
    name = f"t_{random.SystemRandom().randrange(16**10):x}"
    contract = ModuleType(f"expectations.{name}")
    contract.row_rules = lambda: {"readings": RULES}  # type: ignore[attr-defined]
    contract.table_rules = dict  # type: ignore[attr-defined]
    contract.table_keys = dict  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, contract.__name__, contract)
    made = UseCase(
        name=name,
        description="Sensors",
        feeds=(READINGS,),
        silver=("readings",),
        entity_states=(
            EntityState(name="sensor_states", keys=("sensor",), step_minutes=720, ttl_minutes=720),
        ),
        quarantine_rate_max=0.1,
    )
    yield made
    layers: tuple[Layer, ...] = ("bronze", "quarantine", "silver", "gold")
    for layer in layers:
        for table in made.tables(layer):
            if spark.catalog.tableExists(made.table(layer, table)):
                spark.sql(f"drop view {made.table(layer, table)}")
            spark.sql(f"drop table if exists {made.build_table(layer, table)}")


@pytest.fixture
def write(
    settings: Settings, case: UseCase, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Run a stage that writes, as ingest and transform do: reset, replace the interval, note it."""

    def run(interval: Interval, layer: Layer, name: str, rows: list[Any], schema: str) -> None:
        def stage(context: Context) -> Outcome[Ingested]:
            context.reset_build(layer, (name,), replaces=True)
            frame = context.spark.createDataFrame(rows, schema)
            table = case.build_table(layer, name)
            delta.replace_interval(context.spark, frame, table, interval)
            version = context.built(layer, name)
            return Outcome(writes={case.table(layer, name): version}, details=Ingested())

        module = ModuleType("stage_of_the_test")
        module.run = stage  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        runner.run(settings, case, replace(INGEST, module=module.__name__), interval)

    return run


@pytest.fixture
def ingest(write: Callable[..., None]) -> Callable[..., None]:
    def run(interval: Interval, readings: list[Reading], num_quarantined: int = 0) -> None:
        day, start = interval.start.date(), interval.start
        kept = [
            (sensor, celsius, at, at, start, "f", line, day)
            for line, (sensor, celsius, minute) in enumerate(readings)
            for at in [start + timedelta(minutes=minute)]
        ]
        bad = [(["bad"], "x", start, start, "f", line, day) for line in range(num_quarantined)]
        write(interval, "bronze", "readings", kept, BRONZE)
        write(interval, "quarantine", "readings", bad, QUARANTINE)

    return run


@pytest.fixture
def validate(settings: Settings, case: UseCase) -> Callable[..., dict[str, Any]]:
    def run(interval: Interval, layer: str = "raw") -> dict[str, Any]:
        return runner.run(settings, case, registry.find(f"validate_{layer}"), interval)

    return run


def sensors(spark: Any, case: UseCase) -> set[str]:
    """The sensors that readers see."""
    return {row.sensor for row in spark.table(case.table("bronze", "readings")).collect()}


def test_what_passes_is_published_at_exactly_the_proven_version(
    settings: Settings, spark: Any, case: UseCase, ingest: Any, validate: Any
) -> None:
    ingest(A, [("s1", 3.5, 0), ("s2", None, 1)])
    result = validate(A)
    table = case.table("bronze", "readings")
    spark.sql(f"delete from {case.build_table('bronze', 'readings')}")  # a later, unproven version
    assert sensors(spark, case) == {"s1", "s2"}
    assert result["details"]["states"] == {
        table: "passed",
        case.table("quarantine", "readings"): "passed",
    }
    rows = kept_verdicts(settings, case)
    assert [row.passed for row in rows] == ["passed", "passed"]
    reasons = {found["because"] for found in rows[0].results}
    assert "weather on Earth" in reasons
    reports = objects.reports(settings)
    assert not any(reports.exists(row.page) for row in rows)  # nobody has asked for Data Docs
    gx_docs.build(reports, gx_docs.Kept(case.name, A))
    assert all(reports.exists(row.page) for row in rows)


def kept_verdicts(settings: Settings, case: UseCase) -> list[Any]:
    table = journal.validations
    query = select(table).where(table.c.case_name == case.name).order_by(table.c.id)
    with journal.engine(settings).connect() as connection:
        return list(connection.execute(query))


def test_a_failed_interval_is_not_published_and_the_old_rows_stay(
    spark: Any, case: UseCase, ingest: Any, validate: Any
) -> None:
    ingest(A, [("s1", 3.5, 0)])
    validate(A)
    ingest(B, [("s2", 61.0, 0)])
    with pytest.raises(CheckFailed, match=r"celsius.*1 of 1 bad, such as 61\.0.*weather on Earth"):
        validate(B)
    assert sensors(spark, case) == {"s1"}


def test_rows_of_a_failed_interval_are_never_published_by_the_next_one(
    spark: Any, case: UseCase, ingest: Any, validate: Any
) -> None:
    """The hole of write-audit-publish: A is written into the table that B then proves."""
    ingest(A, [("s1", 3.5, 0), ("s1", 3.5, 0)])
    with pytest.raises(CheckFailed, match="compound_columns_to_be_unique"):
        validate(A)
    ingest(B, [("s2", 4.0, 0)])
    validate(B)
    assert sensors(spark, case) == {"s2"}


def test_the_work_of_another_interval_is_refused(case: UseCase, ingest: Any, validate: Any) -> None:
    ingest(A, [("s1", 3.5, 0)])
    with pytest.raises(CheckFailed, match=f"holds the work of {A}, not of {B}"):
        validate(B)


@pytest.mark.parametrize(
    ("num_kept", "num_quarantined", "proven"),
    [
        (9, 1, None),
        (9, 2, None),  # 18 %, but 11 rows prove 3 % only
        (9, 4, "0.11"),
        (0, 1, "1"),  # nothing is left
    ],
)
def test_the_quarantine_gate_trips_where_the_counts_prove_a_rate_above_its_limit(
    num_kept: int, num_quarantined: int, proven: str | None, ingest: Any, validate: Any
) -> None:
    ingest(A, [(f"s{i}", 1.0, i) for i in range(num_kept)], num_quarantined)
    if proven is None:
        validate(A)
    else:
        said = rf"quarantine_rate_at_least\) observed {proven}.*{num_quarantined} of"
        with pytest.raises(CheckFailed, match=said):
            validate(A)


def test_b16_no_rows_where_data_was_due_is_a_warning(
    spark: Any, case: UseCase, ingest: Any, validate: Any
) -> None:
    ingest(A, [])
    result = validate(A)
    assert result["details"]["states"][case.table("quarantine", "readings")] == "warned"
    assert "num_parts_without_rows" in result["details"]["warnings"][0]
    assert sensors(spark, case) == set()


def test_validating_twice_publishes_the_same_version(
    spark: Any, case: UseCase, ingest: Any, validate: Any
) -> None:
    ingest(A, [("s1", 3.5, 0)])
    first, second = validate(A), validate(A)
    assert first["writes"] == second["writes"]
    assert sensors(spark, case) == {"s1"}


STATES = (
    "sensor string, known_at timestamp, num_readings bigint, late_rate_1h double, known_date date"
)
SILVER = "sensor string, celsius double, event_at timestamp, known_at timestamp, known_date date"
State = tuple[str, float, int, float]


@pytest.fixture
def transform(write: Callable[..., None]) -> Callable[..., None]:
    def run(interval: Interval, states: list[State]) -> None:
        start, day = interval.start, interval.start.date()
        gold = [
            (sensor, start + timedelta(hours=hours), count, rate, day)
            for sensor, hours, count, rate in states
        ]
        write(interval, "silver", "readings", [("s1", 1.0, start, start, day)], SILVER)
        write(interval, "gold", "sensor_states", gold, STATES)

    return run


def test_entity_states_of_every_instant_up_to_the_end_pass(
    spark: Any, case: UseCase, transform: Any, validate: Any
) -> None:
    transform(A, [("s1", 12, 1, 0.0), ("s1", 24, 2, 1.0)])
    result = validate(A, "features")
    assert set(result["details"]["states"].values()) == {"passed"}
    assert spark.table(case.table("gold", "sensor_states")).count() == 2


def test_a_missing_instant_warns(case: UseCase, transform: Any, validate: Any) -> None:
    transform(A, [("s1", 12, 1, 0.0)])
    result = validate(A, "features")
    assert result["details"]["states"][case.table("gold", "sensor_states")] == "warned"


def test_states_off_the_grid_of_the_day_before_twice_or_breaking_their_names_fail(
    settings: Settings, case: UseCase, transform: Any, validate: Any
) -> None:
    wrong = [("s1", 0, 1, 0.0), ("s1", 13.5, 1, 0.0), ("s2", 24, -1, 0.0), ("s2", 24, 1, 1.5)]
    transform(A, wrong)
    with pytest.raises(CheckFailed, match="was not published"):
        validate(A, "features")
    gold = next(row for row in kept_verdicts(settings, case) if row.layer == "gold")
    broken = {(found["expectation"], found["column"]) for found in gold.results}
    broken -= {
        (found["expectation"], found["column"]) for found in gold.results if found["success"]
    }
    between = "expect_column_values_to_be_between"
    assert broken == {
        ("expect_compound_columns_to_be_unique", "sensor, known_at"),
        ("expect_column_unique_value_count_to_be_between", "known_at"),  # three, two are due
        (between, "known_at"),
        (between, "seconds_off_grid"),
        (between, "num_readings"),
        (between, "late_rate_1h"),
    }
