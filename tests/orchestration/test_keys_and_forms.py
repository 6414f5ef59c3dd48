"""What a run is asked for: keys and trigger forms, and what is refused before a stage starts."""

import pytest

from pipelines.stores import airflow
from tests.orchestration.flow import (
    CHECK,
    dag,
    emitted,
    fail,
    form,
    in_turn,
    keyed,
    settle,
    succeed,
)
from tests.stages import DATA, TRAINING

REFUSED = {CHECK: "failed", **dict.fromkeys(DATA, "upstream_failed")}


def test_a_day_of_the_form_flows_on_by_its_key_and_may_be_asked_again(client, stub):
    day = "2026-04-01"
    for times in (1, 2):
        succeed(client, form(client, "build_features", day=day))
        settle(client, day)
        succeed(client, client.await_run(dag("train_model"), day))
        assert emitted(client, "build_features", day) == times
        built = [call.stage for call in stub.calls(day) if call.stage in DATA]
        assert built == [*DATA] * times
        # Coalesced or not: every event is answered.
        assert stub.stages(day).count(TRAINING[0]) == times


def test_r12_the_same_day_triggered_at_once_is_built_one_run_after_the_other(client, stub):
    key = "2026-04-02"
    for run in [keyed(client, "build_features", key) for _ in range(3)]:
        succeed(client, run)
    built = [call for call in stub.calls(key) if call.stage in DATA]
    assert [call.stage for call in built] == [*DATA] * 3
    assert in_turn(built)


def test_a_range_of_the_form_is_one_run(client, stub):
    succeed(client, form(client, "load_history", first_day="2025-12-01", last_day="2025-12-31"))
    key = "2025-12-01/2025-12-31"
    assert [stage for stage in stub.stages(key) if stage in DATA] == list(DATA)
    succeed(client, client.await_run(dag("train_model"), key))


def test_the_form_of_training_hands_on_what_it_was_asked(client, stub):
    day = "2026-04-03"
    succeed(client, form(client, "train_model", day=day, forced=True))
    succeed(client, form(client, "train_model", day=day, forced=False))
    assert [call.flags for call in stub.calls(day)] == [["--forced"], []]


@pytest.mark.parametrize("key", ["2026-8-3", "x'; DROP TABLE gold.rows; --"])
def test_b22_a_bad_key_reaches_no_stage(client, stub, key):
    body = {"logical_date": None, "partition_key": key}
    answer = client.http.post(f"/dags/{dag('load_history')}/dagRuns", json=body)
    if answer.is_client_error:
        return
    run = airflow.DagRun(dag("load_history"), answer.json()["dag_run_id"], key)
    assert fail(client, run) == REFUSED
    assert stub.calls(key) == []


def test_b22_s03_the_form_takes_only_dates(client):
    body = {"logical_date": None, "conf": {"day": "yesterday'; DROP TABLE gold.rows"}}
    answer = client.http.post(f"/dags/{dag('build_features')}/dagRuns", json=body)
    assert answer.status_code == 400
    assert "day" in answer.text


@pytest.mark.parametrize("fields", [{}, {"first_day": "2026-04-04"}])
def test_a_run_without_a_whole_interval_is_refused(client, stub, fields):
    run = form(client, "load_history", **fields)
    assert fail(client, run) == REFUSED
    assert run.run_id not in (stub.folder / "calls.jsonl").read_text()
