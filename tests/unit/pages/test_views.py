"""Rows of the journal as the pages show them: pure functions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace as Row

import pytest
from millrace_pages import charts, data, drift, models, quarantine, runs, site, validation, words

from pipelines import use_cases
from pipelines.use_cases import find
from pipelines.use_cases.spec.discovery import Cases

AT = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
CASE = find("flight_delays")


def run(**changes):
    columns = {
        "attempt": 7,
        "case_name": "flight_delays",
        "model": None,
        "stage": "validate_raw",
        "interval": "2026-08-22/2026-11-19",
        "state": "failed",
        "error": "CheckFailed: no",
        "started_at": AT,
        "wall_seconds": 3.2,
        "peak_memory_mib": 100.0,
        "airflow_run": "flight_delays.load_history/manual__2026-11-21T18:06:43+00:00/validate_raw",
    }
    return Row(**{**columns, **changes})


def test_an_attempt_leads_to_its_report_and_its_task():
    (shown,) = runs.shown([run()])
    assert shown.tone == "bad"
    assert shown.reports == {
        "Validation": "/validation?case=flight_delays&interval=2026-08-22%2F2026-11-19"
    }
    assert shown.task == (
        "/dags/flight_delays.load_history/runs/manual__2026-11-21T18%3A06%3A43%2B00%3A00"
        "/tasks/validate_raw"
    )


@pytest.mark.parametrize(
    ("airflow_run", "address"),
    [
        (None, None),
        ("", None),
        ("dag/task", None),
        ("dag/a/b/task", "/dags/dag/runs/a%2Fb/tasks/task"),
    ],
)
def test_an_attempt_by_hand_has_no_task(airflow_run, address):
    assert runs.task_address(airflow_run) == address


def test_an_unknown_stage_or_state_is_shown_all_the_same():
    (shown,) = runs.shown([run(stage="polish", state="lost", airflow_run=None)])
    assert (shown.reports, shown.tone, shown.task) == ({}, "skipped", None)


def cell(table, interval, number, of_interval, state="passed"):
    return Row(
        table_name=table, interval=interval, id=number, of_interval=of_interval, passed=state
    )


def test_a_strip_has_a_place_for_every_interval_oldest_first():
    rows = [
        cell("gold.a", "2026-11-19", 1, 2),
        cell("bronze.b", "2026-11-19", 2, 2),
        cell("quarantine.c", "2026-11-20", 3, 4),
        cell("gold.a", "2026-11-20", 4, 4, "failed"),
    ]
    intervals, strips = validation.strips(rows)
    assert intervals == ["2026-11-19", "2026-11-20"]
    assert [strip.table for strip in strips] == ["bronze.b", "quarantine.c", "gold.a"]
    assert [[each and each.passed for each in strip.cells] for strip in strips] == [
        ["passed", None],
        [None, "passed"],
        ["passed", "failed"],
    ]


def test_no_validation_gives_no_strip():
    assert validation.strips([]) == ([], [])


def result(**changes):
    found = {
        "expectation": "expect_column_values_to_not_be_null",
        "column": "tail",
        "success": True,
        "severity": "critical",
        "observed": "0 of 3 bad",
        "because": "it names the row",
        "error": None,
    }
    return {**found, **changes}


def test_what_is_broken_comes_first():
    found = validation.findings(
        [
            result(),
            result(success=False, severity="warning"),
            result(success=False, error="no such column"),
            result(success=False),
        ]
    )
    assert [each.state for each in found] == ["failed", "not judged", "warned", "passed"]
    assert found[0].expectation == "column values to not be null"


def test_a_finding_says_its_limits_and_samples():
    limits = {"min_value": -1.5, "or_equal": True, "strict_max": False, "value_set": ["a", "b"]}
    (found,) = validation.findings([result(expected=limits, samples=["-2", "c"])])
    assert found.expected == "min value -1.5, or equal, value set a | b"
    assert found.samples == ("-2", "c")


def test_a_finding_of_an_earlier_version_is_shown_all_the_same():
    (found,) = validation.findings([result()])
    assert (found.expected, found.samples, found.because) == ("", (), "it names the row")


def moved(name, distance, *, drifted):
    return {
        "name": name,
        "distance": distance,
        "drifted": drifted,
        "missing_share_reference": 0.0,
        "missing_share_current": 1.0,
    }


def test_answers_lead_and_what_vanished_moved_most():
    statistics = {
        "answers": [moved("probability", 0.1, drifted=False)],
        "inputs": [
            moved("little", 0.01, drifted=False),
            moved("never", None, drifted=False),
            moved("much", 2.0, drifted=True),
            moved("gone", None, drifted=True),
        ],
    }
    assert [each["name"] for each in drift.moved(statistics)] == [
        "probability",
        "gone",
        "much",
        "little",
        "never",
    ]


def test_a_verdict_on_too_few_rows_has_no_columns_and_no_point():
    assert drift.moved({"num_rows": 3}) == []
    rows = [Row(drifted_share=0.2), Row(drifted_share=None), Row(drifted_share=0.1)]
    assert drift.shares(rows) == [0.1, 0.2]


def test_the_gates_evidence_in_words():
    found = {
        "num_rows": 24119,
        "metric": "roc_auc",
        "value": {"estimate": 0.72169, "low": 0.68907, "high": 0.74894, "level": 0.95},
        "gain": {"estimate": -0.00583, "low": -0.01469, "high": 0.00214, "level": 0.95},
    }
    titles = {"roc_auc": "ROC AUC"}
    assert models.evidence(found, titles) == (
        "24,119 evaluation rows",
        "ROC AUC 0.7217; 95% sure it is between 0.6891 and 0.7489",
        "gain -0.0058; 95% sure it is between -0.0147 and +0.0021",
    )
    assert models.evidence({**found, "value": None, "gain": None}, titles) == (
        "24,119 evaluation rows",
    )
    assert models.evidence(found, {})[1].startswith("roc_auc 0.7217")
    assert models.evidence({}, titles) == ()  # a person rolled back
    refreshed = {"learned": 4, "facts": {"num_new_items": 12, "index_recall": 0.99}}
    assert models.evidence(refreshed, titles) == (
        "learned as version 4",
        "num_new_items 12",
        "index_recall 0.9900",
    )


def test_quality_is_told_metric_by_metric_now_and_when_it_was_promoted():
    statistics = {
        "quality": {"num_rows": 900, "positive_rate": 0.2, "roc_auc": 0.7},
        "quality_of_reference": {"num_rows": 5000, "positive_rate": 0.3, "roc_auc": 0.75},
    }
    assert drift.quality(statistics, {"roc_auc": "ROC AUC"}) == [
        ("positive_rate", 0.2, 0.3),
        ("ROC AUC", 0.7, 0.75),
    ]
    few = {**statistics, "quality": {"num_rows": 3}}
    assert drift.quality(few, {})[1] == ("roc_auc", None, 0.75)


def test_a_version_knows_its_decisions_and_its_places_in_mlflow():
    details = {
        "number": 2,
        "cutoff": "2026-11-21T00:00:00+00:00",
        "evaluation": {"roc_auc": 0.7},
        "run_id": "d38b",
        "interval": "2026-11-20",
        "fingerprint": "f",
        "digest": "d",
        "reused": False,
    }
    row = Row(result={"details": details}, interval="2026-11-20", ended_at=AT, wall_seconds=1.0)
    decided = models.by_version([Row(version=2, decision="kept"), Row(version=2, decision="x")])
    shown = models.version("a case", row, decided[2], 1, "http://127.0.0.1:5000")
    assert shown.decisions == ("kept", "x")
    assert not shown.is_champion
    assert shown.model == "http://127.0.0.1:5000/#/models/a%20case/versions/2"
    assert shown.run == "http://127.0.0.1:5000/#/runs/d38b"


def published(name, rows=10, version=1):
    until = AT - timedelta(hours=18)
    return Row(
        table_name=name,
        rows=rows,
        version=version,
        interval="2026-11-20",
        until=until,
        published_at=AT,
    )


def test_tables_stand_in_the_order_of_the_data_with_their_rows_over_time():
    newest = [published("gold.b", rows=30), published("bronze.a")]
    counts = [Row(table_name="gold.b", rows=rows) for rows in (30, 20, 10)]
    layers = data.tables(newest, counts)
    assert list(layers) == ["bronze", "gold"]
    [(_, without)], [(_, line)] = layers["bronze"], layers["gold"]
    assert without is None
    assert line.label == "rows of gold.b: 3 values, from 10 to 30"


def test_a_line_stands_on_zero():
    assert charts.line([10, 5, 0], "x").points == "3.0,3.0 120.0,24.0 237.0,45.0"
    assert charts.line([0, 0], "x").points == "3.0,45.0 237.0,45.0"
    assert charts.line([1], "x") is None


def test_a_feed_says_what_is_published_and_what_waits():
    name = CASE.table("quarantine", "movements")
    there, build = published(name, rows=4), Row(interval="2026-11-21", version=9)
    states = quarantine.feed_states(CASE, {name: there}, {name: build})
    by_name = {state.name: state for state in states}
    assert list(by_name) == [feed.name for feed in CASE.feeds]
    movements, weather = by_name["movements"], by_name["weather"]
    assert (movements.published, movements.build) == (there, build)
    assert (weather.published, weather.build) == (None, None)


def test_what_is_missing_is_a_dash():
    given = [words.instant, words.count, words.seconds, words.decimal, words.percent, words.plain]
    assert {function(None) for function in given} == {words.NONE}
    assert words.count(1234567) == "1,234,567"
    assert words.plain(0) == "0"


def test_without_a_case_in_the_address_it_is_one_that_does_not_wait(monkeypatch):
    waits = replace(CASE, name="a_waits", on_demand=True)
    found = {"a_waits": waits, "flight_delays": CASE}
    monkeypatch.setattr(use_cases, "load", lambda: Cases(found, {}))
    assert site.case() is CASE
    assert site.case("a_waits") is waits
    monkeypatch.setattr(use_cases, "load", lambda: Cases({"a_waits": waits}, {}))
    assert site.case() is waits
