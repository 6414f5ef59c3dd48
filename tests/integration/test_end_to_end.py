"""The promise through the real Airflow: history, a backfill in order, the same day twice.

One story on one lake, told in order: each test builds on the one before it.
"""

import os
from datetime import timedelta
from itertools import pairwise

import pytest

from pipelines import first_run, status
from pipelines.errors import MillraceError
from pipelines.stores import airflow, delta
from pipelines.use_cases import find

pytestmark = pytest.mark.integration

CASE = find("flight_delays")
BUILD, HISTORY = f"{CASE.name}.build_features", f"{CASE.name}.load_history"
HISTORY_DAYS = 2
# A day takes one to two minutes here: `make soak` plays five of them, `make test` two.
BACKFILL_DAYS = 5 if "MILLRACE_TEST_SEEDS" in os.environ else 2


@pytest.fixture(scope="module")
def client(airflow_part):
    with airflow.connect(airflow_part) as connected:
        for dag in (BUILD, HISTORY):
            connected.unpause(dag)
        yield connected


@pytest.fixture(scope="module")
def days(settings):
    """The days of the story, oldest first; the last is yesterday."""
    yesterday = settings.yesterday().start.date()
    count = HISTORY_DAYS + BACKFILL_DAYS
    return [yesterday - timedelta(days=back) for back in reversed(range(count))]


def digests(spark, journal):
    """Every published table's digest: equal tables, equal digests."""
    tables = status.case_status(journal, CASE)["tables"]
    return {name: delta.digest(spark, name) for name in sorted(tables)}


def test_history_of_several_days_is_one_run(client, days, journal):
    run = client.trigger(HISTORY, f"{days[0]}/{days[HISTORY_DAYS - 1]}")
    first_run.follow(client, run)
    assert client.tasks(run) == dict.fromkeys(
        (
            "check_key",
            "extract",
            "ingest",
            "validate_raw",
            "transform",
            "validate_features",
            "materialize",
        ),
        "success",
    )
    found = status.case_status(journal, CASE)
    assert found["features_known_until"] == f"{days[HISTORY_DAYS]}T00:00:00+00:00"
    assert found["tables"]["gold.flight_delays_labels"]["rows"] > 0


def test_a_backfill_of_past_days_runs_in_order(client, days, journal):
    wanted = days[HISTORY_DAYS:]
    body = {
        "dag_id": BUILD,
        "from_date": f"{wanted[0]}T00:00:00Z",
        "to_date": f"{wanted[-1]}T00:00:00Z",
        "max_active_runs": 1,
        "reprocess_behavior": "none",
    }
    answer = client.http.post("/backfills", json=body)
    assert answer.is_success, answer.text
    runs = sorted(_backfilled(client), key=lambda run: run.key)
    assert [run.key for run in runs] == [day.isoformat() for day in wanted]
    for run in runs:
        first_run.follow(client, run)
    times = [_times(client, run) for run in runs]
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(times))
    until = status.case_status(journal, CASE)["features_known_until"]
    assert until == f"{wanted[-1] + timedelta(days=1)}T00:00:00+00:00"


def _backfilled(client):
    """Of the first backfill's newest night Airflow also makes a scheduled run: not asked here."""
    return [run for run in client.runs(BUILD) if run.run_id.startswith("backfill__")]


def _times(client, run):
    found = client.http.get(f"/dags/{run.dag_id}/dagRuns/{run.run_id}").json()
    return found["start_date"], found["end_date"]


def test_yesterday_again_by_the_form_leaves_every_table_equal(client, days, spark, journal):
    for run in client.runs(BUILD, state=("queued", "running")):
        first_run.follow(client, run)
    before = digests(spark, journal)
    body = {"logical_date": None, "conf": {"day": days[-1].isoformat()}}
    answer = client.http.post(f"/dags/{BUILD}/dagRuns", json=body)
    assert answer.is_success, answer.text
    first_run.follow(client, airflow.DagRun(BUILD, answer.json()["dag_run_id"], str(days[-1])))
    assert digests(spark, journal) == before
    event = client.http.get("/assets/events", params={"source_dag_id": BUILD}).json()
    newest = max(event["asset_events"], key=lambda event: event["timestamp"])
    assert newest["partition_key"] == days[-1].isoformat()


@pytest.mark.parametrize("key", ["2026-8-3", "x'; DROP TABLE gold.flights; --"])
def test_b22_a_bad_key_reaches_no_stage(client, key):
    answer = client.http.post(
        f"/dags/{HISTORY}/dagRuns", json={"logical_date": None, "partition_key": key}
    )
    if answer.is_client_error:
        return
    run = airflow.DagRun(HISTORY, answer.json()["dag_run_id"], key)
    with pytest.raises(MillraceError, match="check_key"):
        first_run.follow(client, run)
    assert client.tasks(run)["extract"] == "upstream_failed"


def test_b22_the_form_takes_only_dates(client):
    body = {"logical_date": None, "conf": {"day": "yesterday'; DROP TABLE gold.flights"}}
    answer = client.http.post(f"/dags/{BUILD}/dagRuns", json=body)
    assert answer.status_code == 400
    assert "day" in answer.text


def test_the_journal_knows_what_each_stage_did(journal, days):
    from sqlalchemy import select

    from pipelines.stores.postgres import runs

    with journal.connect() as connection:
        done = connection.execute(
            select(runs).where(runs.c.case_name == CASE.name, runs.c.state == "done")
        ).all()
    ingested = [run for run in done if run.stage == "ingest"]
    history = f"{days[0]}/{days[HISTORY_DAYS - 1]}"
    assert {run.interval for run in ingested} == {history, *map(str, days[HISTORY_DAYS:])}
    for run in ingested:
        rows = run.result["rows"]
        for feed in CASE.feeds:
            parts = ("kept", "quarantined", "duplicates")
            assert rows[f"{feed.name}_in"] == sum(rows[f"{feed.name}_{part}"] for part in parts)
    for run in done:
        assert run.wall_seconds > 0
        assert run.peak_memory_mib > 0
        assert run.code_version.startswith("0.1.0")
        assert run.airflow_run.startswith((BUILD, HISTORY))


def test_a_second_first_run_has_nothing_to_do(settings, journal, client):
    before = client.runs(BUILD), client.runs(HISTORY)
    text = first_run.run(settings)
    assert "features known until" in text
    assert settings.airflow_api in text
    assert (client.runs(BUILD), client.runs(HISTORY)) == before
