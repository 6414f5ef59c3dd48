"""OpenLineage events through the stage runner and a real PostgreSQL."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from pipelines.core import runner
from pipelines.core.errors import CheckFailed, NothingDue
from pipelines.core.journal import validations
from pipelines.core.outcomes import Ingested, Outcome
from pipelines.core.registry import INGEST, VALIDATE_RAW, Stage
from pipelines.core.settings import Settings
from pipelines.core.stage import Context
from pipelines.insight.lineage import events
from pipelines.use_cases.flight_delays import FLIGHT_DELAYS
from pipelines.use_cases.spec.interval import Interval
from tests.openlineage_events import parsed

CASE = replace(FLIGHT_DELAYS, name="told")
DAY = Interval.parse("2026-11-20")


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def stage(
    monkeypatch: pytest.MonkeyPatch, journal: Engine, like: Stage[Any], work: Any
) -> Stage[Any]:
    """A stage whose work is `work` for this test; no engine is started for it."""
    module = ModuleType("stage_of_the_test")
    module.run = work  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(events, "_documentation", lambda _module: "A stage of a test")
    monkeypatch.setattr(runner.services, "ensure", lambda *_: None)
    monkeypatch.setattr(runner.journal, "engine", lambda _settings: journal)
    return replace(like, module=module.__name__)


def sent(home: Settings) -> list[dict[str, Any]]:
    files = (home.home / "lineage").glob("*.jsonl")
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_a_stage_tells_what_it_read_and_wrote(
    home: Settings, journal: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(context: Context) -> Outcome[Any]:
        files = {"weather": {"told/weather/2026-11-20/weather.csv": "0" * 64}}
        return Outcome(
            rows={"weather_kept": 70, "weather_quarantined": 2},
            writes={"bronze.told_weather": 4, "quarantine.told_weather": 3},
            details=Ingested(files=files),
        )

    made = stage(monkeypatch, journal, INGEST, work)
    monkeypatch.setenv("MILLRACE_AIRFLOW_RUN", "told.build_features/r1/ingest")
    result = runner.run(home, CASE, made, DAY)
    start, end = sent(home)
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == end["run"]["runId"]
    tags = {tag["key"]: tag["value"] for tag in end["run"]["facets"]["tags"]["tags"]}
    assert tags["attempt"] == str(result["attempt"])
    assert end["run"]["facets"]["parent"]["job"]["name"] == "told.build_features.ingest"
    [landing] = end["inputs"]
    assert landing["namespace"] == "file"
    assert landing["name"] == f"{home.objects.landing}/told_weather"
    assert landing["inputFacets"]["subset"]["inputCondition"]["locations"] == [
        f"{home.objects.landing}/told/weather/2026-11-20/weather.csv"
    ]
    found = {each["name"]: each for each in end["outputs"]}
    bronze, quarantine = found["bronze.told_weather"], found["quarantine.told_weather"]
    assert bronze["facets"]["version"]["datasetVersion"] == "4"
    assert bronze["outputFacets"]["outputStatistics"]["rowCount"] == 70
    assert quarantine["outputFacets"]["outputStatistics"]["rowCount"] == 2
    lineage = bronze["facets"]["columnLineage"]["fields"]["humidity_percent"]["inputFields"]
    assert [(each["field"], each["transformations"][0]["type"]) for each in lineage] == [
        ("humidity_percent", "DIRECT")
    ]
    types = {each["name"]: each["type"] for each in bronze["facets"]["schema"]["fields"]}
    assert types["humidity_percent"] == "double"
    for values in (start, end):
        parsed(values)


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (CheckFailed("3 rows are bad"), "FAIL", "CheckFailed: 3 rows are bad"),
        (NothingDue("not tonight"), "ABORT", "not tonight"),
    ],
)
def test_a_failing_stage_tells_its_error_and_its_checks(
    home: Settings,
    journal: Engine,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    state: str,
    said: str,
) -> None:
    def work(context: Context) -> Outcome[Any]:
        finding = {
            "expectation": "expect_column_values_to_not_be_null",
            "column": "origin",
            "success": False,
            "severity": "critical",
            "observed": "3 of 9 bad",
            "because": "a flight leaves from somewhere",
            "error": None,
        }
        row = insert(validations).values(
            case_name=CASE.name,
            layer="bronze",
            table_name="bronze.told_schedule",
            interval=DAY.key,
            attempt=context.attempt,
            passed="failed",
            statistics={"version": 9},
            results=[finding],
        )
        with journal.begin() as connection:
            connection.execute(row)
        raise error

    made = stage(monkeypatch, journal, VALIDATE_RAW, work)
    with pytest.raises(type(error)):
        runner.run(home, CASE, made, DAY)
    end = sent(home)[-1]
    assert end["eventType"] == state
    assert end["run"]["facets"]["errorMessage"]["message"] == said
    [checked] = end["inputs"]
    assert checked["facets"]["version"]["datasetVersion"] == "9"
    [assertion] = checked["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert (assertion["column"], assertion["success"]) == ("origin", False)
    assert assertion["actual"] == "3 of 9 bad"
    assert end["outputs"] == []
