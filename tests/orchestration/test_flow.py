"""A night goes from Dag to Dag by keyed events; in order, once, and no further than it should."""

from datetime import timedelta

from tests.orchestration.conftest import NOTHING_DUE
from tests.orchestration.flow import CHECK, dag, emitted, in_turn, keyed, of_key, settle, succeed
from tests.stages import DATA, FLOWS, PREDICTION, TRAINED, WATCH

DUE, DUE_DRIFT = TRAINED[0], WATCH[-1]
BACKFILL = "backfill__"


def test_a_night_passes_every_dag_by_its_key_and_what_is_not_due_is_skipped(client, stub):
    key = "2026-03-01"
    states = succeed(client, keyed(client, "build_features", key))
    assert states == dict.fromkeys((CHECK, *DATA), "success")
    training = client.await_run(dag("train_model"), key)
    assert succeed(client, training) == {
        CHECK: "success",
        **dict.fromkeys(TRAINED, "skipped"),
    }
    assert succeed(client, client.await_run(dag("predict_batch"), key)) == dict.fromkeys(
        (CHECK, *PREDICTION), "success"
    )
    watching = succeed(client, client.await_run(dag("watch_drift"), key))
    assert watching == {CHECK: "success", WATCH[0]: "success", DUE_DRIFT: "skipped"}
    settle(client, key)
    calls = stub.calls(key)
    built = [call for call in calls if call.stage in DATA]
    assert [call.stage for call in built] == list(DATA)
    assert in_turn(built)
    assert sorted(call.stage for call in calls) == sorted((*DATA, DUE, *PREDICTION, *WATCH))
    assert all(call.flags == [] for call in calls)
    # A failed or skipped task says nothing to the next Dag; drift was not emitted.
    assert [emitted(client, name, key) for name in FLOWS] == [1, 0, 0, 1, 0]


def test_a_further_model_goes_its_own_way(client, stub):
    """By its own Dags, told which model; what is due for one is not for the other."""
    key = "2026-03-05"
    succeed(client, keyed(client, "build_features", key))
    for name in ("train_model", "predict_batch", "watch_drift"):
        succeed(client, client.await_run(dag(f"minutes_{name}"), key))
    settle(client, key)
    of_minutes = [call for call in stub.calls(key, model="minutes") if call.stage not in DATA]
    assert {call.model for call in of_minutes} == {"minutes"}
    assert sorted(call.stage for call in of_minutes) == sorted((DUE, *PREDICTION, *WATCH))
    assert all(call.task.startswith(dag("minutes_")) for call in of_minutes)
    assert emitted(client, "minutes_predict_batch", key) == 1


def test_a_task_tells_its_stage_where_it_belongs(client, stub):
    key = "2026-03-02"
    run = keyed(client, "build_features", key)
    succeed(client, run)
    tasks = [call.task for call in stub.calls(key) if call.stage in DATA]
    assert tasks == [f"{run.dag_id}/{run.run_id}/{stage}" for stage in DATA]


def test_drift_trains_exactly_once(client, stub):
    key = "2026-03-03"
    stub.rule(DUE_DRIFT, key, exits=[0])
    stub.rule(DUE, key, exits=[NOTHING_DUE, 0])
    succeed(client, keyed(client, "build_features", key))
    succeed(client, client.await_run(dag("watch_drift"), key))
    settle(client, key)
    asked_by_drift, asked_by_features = of_key(client, "train_model", key)
    assert client.tasks(asked_by_features)["train"] == "skipped"
    assert set(client.tasks(asked_by_drift).values()) == {"success"}
    assert emitted(client, "watch_drift", key) == 1
    trained = [call for call in stub.calls(key) if call.stage in TRAINED]
    assert [call.stage for call in trained] == [DUE, *TRAINED]
    assert in_turn(trained)


def test_days_as_one_run_pass_every_dag_by_their_range(client, stub):
    key = "2026-01-01/2026-02-28"
    succeed(client, keyed(client, "load_history", key))
    for name in ("train_model", "predict_batch", "watch_drift"):
        succeed(client, client.await_run(dag(name), key))
    assert set(stub.stages(key)) == {*DATA, DUE, *PREDICTION, *WATCH}


def test_nobody_predicts_and_watches_without_a_champion(client, stub):
    key = "2026-03-04"
    stub.rule(PREDICTION[0], key, exits=[NOTHING_DUE])
    succeed(client, keyed(client, "build_features", key))
    states = succeed(client, client.await_run(dag("predict_batch"), key))
    assert states == {CHECK: "success", **dict.fromkeys(PREDICTION, "skipped")}
    settle(client, key)
    assert of_key(client, "watch_drift", key) == []


def test_a_backfill_runs_its_days_in_order_and_each_flows_on(client, stub, settings):
    # Up to yesterday: Airflow's schedule goes on from the last day of a backfill.
    yesterday = settings.yesterday().last_date
    days = [str(yesterday - timedelta(days=back)) for back in (2, 1, 0)]
    body = {
        "dag_id": dag("build_features"),
        "from_date": f"{days[0]}T00:00:00Z",
        "to_date": f"{days[-1]}T00:00:00Z",
        "max_active_runs": 1,
        "reprocess_behavior": "none",
    }
    answer = client.http.post("/backfills", json=body)
    assert answer.is_success, answer.text
    # Of the newest day Airflow also makes a scheduled run.
    runs = [run for day in days for run in of_key(client, "build_features", day)]
    backfilled = [run for run in runs if run.run_id.startswith(BACKFILL)]
    assert [run.key for run in backfilled] == days
    for run in backfilled:
        succeed(client, run)
    built = [call for call in stub.calls(*days) if f"/{BACKFILL}" in call.task]
    assert [(call.interval, call.stage) for call in built] == [
        (day, stage) for day in days for stage in DATA
    ]
    assert in_turn(built)
    settle(client, *days)
    built_runs = [len(of_key(client, "build_features", day)) for day in days]
    assert built_runs[:-1] == [1] * (len(days) - 1)
    for name in ("train_model", "predict_batch", "watch_drift"):
        assert [len(of_key(client, name, day)) for day in days] == built_runs, name
