"""The run's key is checked in words, and a stage's exit code becomes the task's state."""

import dataclasses
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException

DAGS = Path(__file__).resolve().parents[2] / "dags"


@pytest.fixture
def stages(monkeypatch):
    monkeypatch.syspath_prepend(str(DAGS))
    import _stages

    return _stages


@pytest.mark.parametrize(
    ("params", "partition_key", "key"),
    [
        ({"day": "2026-11-20"}, None, "2026-11-20"),
        ({"day": None}, "2026-11-19", "2026-11-19"),
        ({"day": "2026-11-19"}, "2026-11-19", "2026-11-19"),
        ({"day": "2026-11-20", "hour": 7}, None, "2026-11-20T07"),
        ({"first_day": "2026-01-01", "last_day": "2026-03-31"}, None, "2026-01-01/2026-03-31"),
    ],
)
def test_the_key_comes_from_the_form_or_the_run(stages, params, partition_key, key):
    assert stages.interval_key({"params": params, "partition_key": partition_key}) == key


@pytest.mark.parametrize(
    ("params", "partition_key", "words"),
    [
        ({"day": None}, None, "choose the day in the trigger form"),
        ({"day": "2026-11-20"}, "2026-11-19", "give one"),
        ({"first_day": "2026-01-01", "last_day": None}, None, "choose both"),
        ({"day": None}, "2026-8-3", "is not a day"),
        ({"day": None}, "2026-02-30", "not a day of the calendar"),
        ({"day": None}, "x'; DROP TABLE gold.flights; --", "is not a day"),
        ({"day": None}, "{{ conn.postgres.password }}", "is not a day"),
        ({"day": None}, "../../etc/passwd", "is not a day"),
    ],
)
def test_b22_a_bad_key_is_refused_in_words(stages, params, partition_key, words):
    with pytest.raises(AirflowFailException, match=words):
        stages.interval_key({"params": params, "partition_key": partition_key})


def test_a_range_belongs_to_load_history(stages):
    check = stages.check_key.function
    context = {"params": {}, "partition_key": "2026-01-01/2026-03-31"}
    assert check(True, **context) == "2026-01-01/2026-03-31"
    with pytest.raises(AirflowFailException, match="load_history"):
        check(False, **context)


class _Instance:
    dag_id, run_id, task_id = "a", "b", "c"


def test_a_wrong_call_fails_the_task_without_a_retry(stages):
    from pipelines.use_cases import find

    unknown = dataclasses.replace(find("flight_delays"), name="nobody")
    operator = stages.stage("extract", unknown)
    context = {"params": {}, "partition_key": "2026-11-20", "ti": _Instance}
    with pytest.raises(AirflowFailException, match="no use case 'nobody'; there is"):
        operator.execute(context)


def test_s01_airflow_secrets_do_not_reach_a_stage(stages, monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://canary")
    environment = stages._environment({"ti": _Instance})
    assert not [name for name, value in environment.items() if "canary" in value]
    assert environment["MILLRACE_AIRFLOW_RUN"] == "a/b/c"
