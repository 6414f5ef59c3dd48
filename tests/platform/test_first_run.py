"""What `millrace run` leaves behind: history as one run, a champion, yesterday, what drift asks."""

import time

from pipelines.cli import first_run
from pipelines.core import journal
from pipelines.core.registry import LEAKS
from pipelines.insight import status
from tests.loans import NAME, ROWS_A_DAY
from tests.stages import DATA, FLOWS, PREDICTION, TRAINED, WATCH

CHECK = "check_key"


def settle(client):
    """Wait until no run is under way, nor about to be made by an event."""
    quiet_since = time.monotonic()
    deadline = quiet_since + 600
    while time.monotonic() - quiet_since < 8:
        assert time.monotonic() < deadline, "the Dags do not come to rest"
        for flow in FLOWS:
            if client.runs(f"{NAME}.{flow}", state=("queued", "running")):
                quiet_since = time.monotonic()
        time.sleep(1)


def tasks(client, flow):
    """The tasks' states of each run, oldest first."""
    return [client.tasks(run) for run in reversed(client.runs(f"{NAME}.{flow}"))]


def test_history_and_yesterday_pass_every_dag_and_drift_retrains_once(client, made, engine):
    settle(client)
    done = {flow: dict.fromkeys((CHECK, *stages), "success") for flow, stages in FLOWS.items()}
    assert tasks(client, "load_history") == [done["load_history"]]
    assert tasks(client, "build_features") == [done["build_features"]]
    by_history, by_night, by_drift = tasks(client, "train_model")
    assert by_history == done["train_model"]
    # The SQL is the same, and was looked at after the first training.
    assert by_drift == {**done["train_model"], LEAKS.name: "skipped"}
    # Weekly: it is asked, and not due.
    assert set(by_night.values()) - {"success"} == {"skipped"}
    skipped, *predicted = tasks(client, "predict_batch")
    assert skipped[PREDICTION[0]] == "skipped"
    assert predicted == [done["predict_batch"]] * len(predicted)
    assert done["watch_drift"] in tasks(client, "watch_drift")
    found = status.case_status(engine, made.case)
    assert found["models"][made.case.model().name]["drift"]["drifted"] is True
    assert found["quarantined"] == 1


def test_features_predictions_and_champion_are_of_yesterday(platform, client, made, engine):
    settle(client)
    found = status.case_status(engine, made.case)
    yesterday = platform.yesterday()
    assert found["features_known_until"] == yesterday.end.isoformat()
    model = found["models"][made.case.model().name]
    assert model["predictions"]["until"] == yesterday.end.isoformat()
    assert model["predictions"]["rows"] >= ROWS_A_DAY
    assert model["challenger"]["version"] == 2
    table = journal.promotions
    with engine.connect() as connection:
        first = connection.execute(table.select().order_by(table.c.id)).first()
    assert (first.version, first.decision) == (1, "promoted")
    # The data are made so: the amount tells most of it.
    assert (first.metric, first.value > 0.85) == ("roc_auc", True)
    assert first.cutoff == yesterday.start


def test_the_journal_knows_each_stage_and_the_task_that_ran_it(client, engine):
    settle(client)
    table = journal.runs
    with engine.connect() as connection:
        done = connection.execute(table.select().where(table.c.state == "done")).all()
    assert {run.stage for run in done} == {*DATA, *TRAINED, *PREDICTION, *WATCH}
    for run in done:
        assert run.wall_seconds > 0
        assert run.peak_memory_mib > 0
        assert run.airflow_run.startswith(f"{NAME}.")
        assert run.airflow_run.endswith(f"/{run.stage}")


def test_a_second_first_run_has_nothing_to_do(client, started, made):
    settle(client)
    flows = first_run.dags(made.case)
    before = {flow: client.runs(f"{NAME}.{flow}") for flow in flows}
    text = started.call("run")
    assert "features known until" in text
    assert started.settings.airflow_api in text
    assert {flow: client.runs(f"{NAME}.{flow}") for flow in flows} == before
