"""`millrace run` does what is missing, and only that."""

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from pipelines import use_cases
from pipelines.cli import first_run
from pipelines.cli.first_run import dags, follow, follow_models, plan, watched
from pipelines.core.errors import MillraceError
from pipelines.core.settings import Settings
from pipelines.stores.airflow import DagRun
from pipelines.use_cases import find
from pipelines.use_cases.spec.discovery import BrokenCase, Cases
from pipelines.use_cases.spec.interval import Interval

CASE = find("flight_delays")
LATE = CASE.model("late")
MINUTES = CASE.model("minutes")
YESTERDAY = Interval.parse("2026-11-20")
INSTALLED = date(2026, 11, 21)


def steps(known_until, since=INSTALLED):
    return [(step.dag, step.key) for step in plan(CASE, known_until, YESTERDAY, since)]


def test_from_nothing_90_days_as_one_run_and_then_yesterday():
    assert steps(None) == [
        ("load_history", "2026-08-22/2026-11-19"),
        ("build_features", "2026-11-20"),
    ]
    assert Interval.parse("2026-08-22/2026-11-19").days == 90


def test_a_second_run_does_nothing():
    assert steps(datetime(2026, 11, 21, tzinfo=UTC)) == []


def test_after_a_break_between_the_two_only_yesterday_is_missing():
    assert steps(datetime(2026, 11, 20, tzinfo=UTC)) == [("build_features", "2026-11-20")]


@pytest.mark.parametrize("nights", [1, 5])
def test_nights_since_the_installation_are_the_schedules(nights):
    until = datetime(2026, 11, 21, tzinfo=UTC) - timedelta(days=nights)
    assert steps(until, since=until.date()) == []


def test_consumers_are_unpaused_before_what_they_wait_for():
    """An event that arrives while its consumer is paused is lost."""
    order = dags(CASE)
    assert order.index("watch_drift") < order.index("predict_batch") < order.index("build_features")
    assert order.index("train_model") < order.index("load_history")


def test_an_hourly_case_loads_its_history_up_to_midnight():
    """Its next part is an hour, which the schedule builds."""
    hourly = replace(CASE, grain="hour")
    found = [(step.dag, step.key) for step in plan(hourly, None, YESTERDAY, INSTALLED)]
    assert found == [("load_history", "2026-08-22/2026-11-20")]


def test_a_case_without_a_model_has_the_dags_of_its_data_alone():
    assert dags(replace(CASE, models=())) == ("build_features", "load_history")


def test_each_model_has_dags_of_its_own_and_all_consumers_come_before_the_data():
    own = ("watch_drift", "predict_batch", "train_model")
    expected = [f"{prefix}{dag}" for dag in own for prefix in ("", "minutes_")]
    assert dags(CASE) == (*expected, "build_features", "load_history")


@pytest.mark.parametrize(
    ("key", "newest"),
    [
        ("2026-08-22/2026-11-19", "2026-11-13/2026-11-19"),
        ("2026-11-18/2026-11-19", "2026-11-18/2026-11-19"),
        ("2026-11-20", "2026-11-20"),
    ],
)
def test_the_watched_days_are_the_newest_of_the_interval_and_no_other(key, newest):
    assert watched(LATE, key) == newest


@dataclass
class _Airflow:
    """Runs end at once, in the state that is said; notes what was asked."""

    ends: str = "success"
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def _run(self, how: str, dag_id: str, key: str) -> DagRun:
        self.asked.append((how, dag_id.removeprefix("flight_delays."), key))
        return DagRun(dag_id, "run 1", key)

    def trigger(self, dag_id: str, key: str) -> DagRun:
        return self._run("trigger", dag_id, key)

    def await_run(self, dag_id: str, key: str) -> DagRun:
        return self._run("await", dag_id, key)

    def state(self, _: DagRun) -> str:
        return self.ends

    def tasks(self, _: DagRun) -> dict[str, str]:
        return {"extract": "success", "ingest": "failed"}


def test_a_run_that_failed_ends_the_first_run_and_names_task_and_log():
    run = DagRun("flight_delays.load_history", "run 1", "2026-11-20")
    with pytest.raises(MillraceError, match=r"failed in ingest; its log is .* run run 1"):
        follow(_Airflow("failed"), run)
    follow(_Airflow("success"), run)


KEY, WEEK = "2026-08-22/2026-11-19", "2026-11-13/2026-11-19"
FOLLOWED = [("await", "predict_batch", KEY), ("await", "train_model", KEY)]
MADE = {"model_version": 2, "until": "2026-11-20T00:00:00+00:00"}


@pytest.mark.parametrize(
    ("champion", "predictions", "then"),
    [
        (None, None, []),  # the gate promoted nobody: there is nothing to wait for
        ({"version": 2}, MADE, [("await", "watch_drift", KEY)]),
        *(
            (
                {"version": 2},
                made,
                [("trigger", "predict_batch", WEEK), ("await", "watch_drift", WEEK)],
            )
            for made in (
                None,
                {**MADE, "model_version": 1},  # by the champion of before
                {**MADE, "until": "2026-11-19T00:00:00+00:00"},
            )
        ),
    ],
)
def test_the_newest_days_are_answered_by_the_champion_that_there_is(
    monkeypatch, champion, predictions, then
):
    monkeypatch.setattr(first_run.status, "champion", lambda *_: champion)
    monkeypatch.setattr(first_run.status, "predictions", lambda *_: predictions)
    client = _Airflow()
    follow_models(client, None, CASE, KEY)
    both = [
        (how, f"{model.prefix}{dag}", key) for model in CASE.models for how, dag, key in FOLLOWED
    ]
    # All are asked before one is waited for.
    asked = sorted(then, key=lambda each: each[0] == "await")
    both += [(how, f"{m.prefix}{dag}", key) for how, dag, key in asked for m in CASE.models]
    assert client.asked == both


@pytest.fixture
def two_cases(monkeypatch):
    """The flights and a case without a model, and what is asked of Airflow for them."""
    client, unpaused, models = _Airflow(), [], []
    client.unpause = unpaused.append
    plain = replace(CASE, name="plain", models=())
    cases = Cases({CASE.name: CASE, "plain": plain}, {})
    monkeypatch.setattr(use_cases, "load", lambda: cases)
    monkeypatch.setattr(first_run.services, "start", lambda _: None)
    monkeypatch.setattr(first_run.services, "schedule_since", lambda _: INSTALLED)
    monkeypatch.setattr(first_run.journal, "engine", lambda _: None)
    monkeypatch.setattr(first_run.airflow, "connect", lambda _: nullcontext(client))
    known = {"flight_delays": None, "plain": datetime(2026, 11, 20, tzinfo=UTC)}
    monkeypatch.setattr(first_run.status, "known_until", lambda _, case: known[case.name])
    monkeypatch.setattr(first_run, "follow_models", lambda *given: models.append(given[2:]))
    monkeypatch.setattr(first_run.summary, "summary", lambda *_: "where to look")
    return client, unpaused, models, cases


SETTINGS = Settings(now=datetime(2026, 11, 21, 9, tzinfo=UTC))


def test_each_case_is_unpaused_triggered_and_followed_to_its_model_if_it_has_one(two_cases):
    client, unpaused, models, cases = two_cases
    assert first_run.run(SETTINGS) == "where to look"
    assert client.asked == [
        ("trigger", "load_history", "2026-08-22/2026-11-19"),
        ("trigger", "build_features", "2026-11-20"),
        ("trigger", "plain.build_features", "2026-11-20"),
    ]
    days = ("2026-08-22/2026-11-19", "2026-11-20")
    assert [(case, key) for case, key in models if case.models] == [(CASE, key) for key in days]
    assert unpaused == [f"{name}.{d}" for name, case in cases.found.items() for d in dags(case)]


def test_a_case_that_can_not_be_loaded_is_said_when_the_others_are_done(
    two_cases, monkeypatch, caplog
):
    client, unpaused, _, cases = two_cases
    broken = BrokenCase("loans", "pipelines/use_cases/loans.py", 3, "ValueError: no")
    there = Cases(cases.found, {"loans": broken})
    monkeypatch.setattr(use_cases, "load", lambda: there)
    said = r"loans can't be loaded: pipelines/use_cases/loans\.py, line 3: ValueError: no"
    with caplog.at_level("INFO"), pytest.raises(MillraceError, match=said):
        first_run.run(SETTINGS)
    assert len(client.asked) == 3
    assert "where to look" in caplog.text
    assert not [dag for dag in unpaused if dag.startswith("loans")]


@pytest.mark.parametrize("fails", ["unpause", "trigger"])
def test_a_case_that_fails_does_not_keep_the_others_from_theirs(two_cases, monkeypatch, fails):
    client, _, models, _ = two_cases
    plain = getattr(client, fails)

    def refuse(dag_id, *key):
        if dag_id.startswith("flight_delays"):
            raise MillraceError(f"{dag_id} did not load")
        return plain(dag_id, *key)

    monkeypatch.setattr(client, fails, refuse)
    with pytest.raises(MillraceError, match=r"flight_delays\.\w+ did not load"):
        first_run.run(SETTINGS)
    assert client.asked == [("trigger", "plain.build_features", "2026-11-20")]
    assert [case.name for case, _ in models] == ["plain"]
