"""The run's key is checked in words, and a stage's exit code becomes the task's state."""

import contextlib
import dataclasses
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

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
        ({"day": "2026-11-20", "hour": 7, "minute": 0}, None, "2026-11-20T0700"),
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


class _Hook:
    """Stands in for the child process of a stage: notes its call, ends as it is told."""

    exit_code, output = 0, '{"stage": "train"}'

    def __init__(self):
        self.calls, self.terminated = [], 0

    def run_command(self, command, env):
        self.calls.append((command, env))
        return self

    def send_sigterm(self):
        self.terminated += 1


class _Events(dict):
    """Airflow's outlet events: which partitions each asset was given."""

    def __missing__(self, outlet):
        keys = self[outlet] = []
        return SimpleNamespace(add_partitions=keys.extend)


@pytest.fixture
def ended(stages, monkeypatch):
    """Run a stage of flight_delays whose process ends so; the operator, its hook and events."""
    from pipelines.use_cases import find

    def run(exit_code=0, output='{"stage": "train"}', params=None, key="2026-11-20", stage="train"):
        hook = _Hook()
        hook.exit_code, hook.output = exit_code, output
        monkeypatch.setattr(stages, "SubprocessHook", lambda: hook)
        case = find("flight_delays")
        outlet = stages.asset(case, "features")
        operator = stages.stage(stage, case, outlets=[outlet])
        events = _Events()
        context = {
            "params": params or {},
            "partition_key": key,
            "ti": _Instance,
            "outlet_events": events,
        }
        return operator, hook, events, lambda: operator.execute(context)

    return run


@pytest.mark.parametrize(
    ("exit_code", "error"),
    [(99, AirflowSkipException), (2, AirflowFailException), (1, AirflowException)],
)
def test_an_exit_code_says_skipped_or_failed_and_whether_to_retry(ended, exit_code, error):
    _, _, events, execute = ended(
        exit_code, "the last line", params={"day": "2026-11-20"}, key=None
    )
    with pytest.raises(error, match="the last line") as told:
        execute()
    # Each by its own kind: Airflow retries an AirflowException, and neither of the others.
    assert type(told.value) is error
    assert events == {}


def test_a_run_of_the_form_emits_its_event_with_the_key(ended):
    """An unkeyed event would leave the next Dag asleep in silence."""
    operator, _, events, execute = ended(params={"day": "2026-11-20"}, key=None)
    assert execute() == {"stage": "train"}
    assert [list(keys) for keys in events.values()] == [["2026-11-20"]]
    assert list(events) == list(operator.outlets)


def test_the_event_of_a_keyed_run_gets_its_key_from_airflow_once(ended):
    _, _, events, execute = ended()
    execute()
    assert events == {}


def test_a_stage_is_called_by_an_argument_list_with_what_the_form_asks(ended):
    for forced, flags in ((True, ["--forced"]), (False, [])):
        params = {"day": None, "forced": forced}
        _, hook, _, execute = ended(params=params, stage="due_training")
        execute()
        ((command, _),) = hook.calls
        called = ["due_training", "flight_delays", "--interval", "2026-11-20"]
        assert command == [sys.executable, "-m", "pipelines", *called, *flags]


@pytest.mark.parametrize("given", ['["stub", "a b"]', "stub 'a b'"])
def test_what_starts_a_stage_is_a_setting_that_is_asked_when_the_task_runs(
    ended, monkeypatch, given
):
    _, hook, _, execute = ended()
    monkeypatch.setenv("MILLRACE_STAGE_COMMAND", given)
    execute()
    ((command, _),) = hook.calls
    assert command == ["stub", "a b", "train", "flight_delays", "--interval", "2026-11-20"]


def test_a_killed_task_ends_its_stage(ended):
    operator, hook, _, execute = ended()
    operator.on_kill()
    execute()
    operator.on_kill()
    assert hook.terminated == 1


def test_a_stage_keeps_the_lineage_backend_of_its_environment(stages, monkeypatch):
    given = {"OPENLINEAGE_URL": "http://x", "OPENLINEAGE__TRANSPORT__TYPE": "http"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    environment = stages._environment({"ti": _Instance})
    assert {name: environment[name] for name in given} == given


def _after(stages, monkeypatch, stage, hook, key="2026-11-20"):
    """The links of a task that has run, by name; one that failed as well."""
    from pipelines.use_cases import find

    monkeypatch.setattr(stages, "SubprocessHook", lambda: hook)
    operator = stages.stage(stage, find("flight_delays"))
    context = {"params": {}, "partition_key": key, "ti": _Instance}
    with contextlib.suppress(AirflowException):
        operator.execute(context)
    return {
        link.name: link.get_link(operator, ti_key=None) for link in operator.operator_extra_links
    }


PAGE = "/plugin/millrace/millrace"
OF_THE_DAY = "case=flight_delays&interval=2026-11-20"
LINKS = {
    "extract": {},
    "ingest": {"Quarantined rows": f"{PAGE}/quarantine?{OF_THE_DAY}"},
    "validate_raw": {"Validation": f"{PAGE}/validation?{OF_THE_DAY}"},
    "promote": {"Gate": f"{PAGE}/models?{OF_THE_DAY}"},
    "leaks": {"Leaks": f"{PAGE}/models?{OF_THE_DAY}"},
    "monitor": {"Drift": f"{PAGE}/drift?{OF_THE_DAY}"},
}


@pytest.mark.parametrize("stage", LINKS)
def test_a_task_leads_to_what_it_made(stages, monkeypatch, stage):
    assert _after(stages, monkeypatch, stage, _Hook()) == LINKS[stage]


def test_a_task_that_failed_leads_to_the_page_that_says_why(stages, monkeypatch):
    hook = _Hook()
    hook.exit_code, hook.output = 1, "CheckFailed: a table was not published"
    assert _after(stages, monkeypatch, "validate_raw", hook) == LINKS["validate_raw"]


def test_a_task_without_an_interval_has_no_link(stages, monkeypatch):
    assert _after(stages, monkeypatch, "validate_raw", _Hook(), key=None) == {"Validation": ""}


def test_a_training_leads_to_its_run_in_mlflow(stages, monkeypatch):
    monkeypatch.setenv("MILLRACE_MLFLOW_URL", "https://mlflow.test")
    hook = _Hook()
    hook.output = '{"stage": "train", "details": {"run_id": "d38b"}}'
    links = _after(stages, monkeypatch, "train", hook)
    assert links["MLflow run"] == "https://mlflow.test/#/runs/d38b"
    hook.exit_code, hook.output = 99, "nothing due"
    assert _after(stages, monkeypatch, "train", hook)["MLflow run"] == ""


def test_airflow_keeps_the_links_of_every_stage_apart(stages):
    from pipelines.core.registry import STAGES
    from pipelines.use_cases import find

    for stage in STAGES:
        links = stages.stage(stage, find("flight_delays")).operator_extra_links
        assert len({link.xcom_key for link in links}) == len(links), stage
