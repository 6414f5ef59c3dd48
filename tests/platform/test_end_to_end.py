"""flight_delays through the real Airflow: two days as one run, and nothing left to do after it.

What takes many days (backfill, the same day twice, training, drift) is told on a smaller case in
`test_your_own_data.py`.
"""

from datetime import timedelta

import pytest

from pipelines.cli import first_run
from pipelines.core.errors import MillraceError
from pipelines.insight import status
from pipelines.stores import airflow
from pipelines.use_cases import find

pytestmark = pytest.mark.integration

CASE = find("flight_delays")
HISTORY = f"{CASE.name}.load_history"


@pytest.fixture(scope="module")
def client(platform):
    with airflow.connect(platform) as connected:
        for dag in first_run.dags(CASE):
            connected.unpause(f"{CASE.name}.{dag}")
        yield connected


@pytest.fixture(scope="module")
def history(platform):
    """The key of the two newest days."""
    yesterday = platform.yesterday().start.date()
    return f"{yesterday - timedelta(days=1)}/{yesterday}"


def test_days_as_one_run_and_too_few_of_them_to_learn_from(client, history, platform, engine):
    run = client.trigger(HISTORY, history)
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
    found = status.case_status(engine, CASE)
    assert found["features_known_until"] == platform.yesterday().end.isoformat()
    assert found["tables"]["gold.flight_delays_labels"]["rows"] > 0
    training = client.await_run(f"{CASE.name}.train_model", history)
    first_run.follow(client, training)
    states = client.tasks(training)
    assert [states[task] for task in ("due", "assemble", "train")] == [
        "success",
        "skipped",
        "skipped",
    ]
    predicting = client.await_run(f"{CASE.name}.predict_batch", history)
    first_run.follow(client, predicting)
    assert client.tasks(predicting)["predict"] == "skipped"
    assert (found["champion"], found["predictions"]) == (None, None)


def test_a_second_first_run_has_nothing_to_do(platform, engine, client):
    before = {dag: client.runs(f"{CASE.name}.{dag}") for dag in first_run.dags(CASE)}
    text = first_run.run(platform)
    assert "features known until" in text
    assert platform.airflow_api in text
    assert {dag: client.runs(f"{CASE.name}.{dag}") for dag in first_run.dags(CASE)} == before


@pytest.mark.parametrize("key", ["2026-8-3", "x'; DROP TABLE gold.rows; --"])
def test_b22_a_bad_key_reaches_no_stage(client, key):
    body = {"logical_date": None, "partition_key": key}
    answer = client.http.post(f"/dags/{HISTORY}/dagRuns", json=body)
    if answer.is_client_error:
        return
    run = airflow.DagRun(HISTORY, answer.json()["dag_run_id"], key)
    with pytest.raises(MillraceError, match="check_key"):
        first_run.follow(client, run)
    assert client.tasks(run)["extract"] == "upstream_failed"


def test_b22_s03_the_form_takes_only_dates(client):
    body = {"logical_date": None, "conf": {"day": "yesterday'; DROP TABLE gold.rows"}}
    answer = client.http.post(f"/dags/{CASE.name}.build_features/dagRuns", json=body)
    assert answer.status_code == 400
    assert "day" in answer.text
