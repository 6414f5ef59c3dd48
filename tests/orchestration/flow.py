"""Runs of the Dags: started, followed and awaited as the tests need it."""

import itertools
import time
from collections.abc import Callable

from pipelines.cli import first_run
from pipelines.core.errors import MillraceError
from pipelines.stores import airflow
from tests.orchestration.conftest import CASE, Call

CHECK = "check_key"
WITHIN_SECONDS = 300


def dag(name: str) -> str:
    return f"{CASE.name}.{name}"


def form(client: airflow.Airflow, name: str, **fields: object) -> airflow.DagRun:
    """A run by the trigger form, with no key of its own."""
    body = {"logical_date": None, "conf": fields}
    answer = client.http.post(f"/dags/{dag(name)}/dagRuns", json=body)
    assert answer.is_success, answer.text
    return airflow.DagRun(dag(name), answer.json()["dag_run_id"], "")


def keyed(client: airflow.Airflow, name: str, key: str) -> airflow.DagRun:
    """A run of that key, also where one is under way already."""
    body = {"logical_date": None, "partition_key": key}
    answer = client.http.post(f"/dags/{dag(name)}/dagRuns", json=body)
    assert answer.is_success, answer.text
    return airflow.DagRun(dag(name), answer.json()["dag_run_id"], key)


def succeed(client: airflow.Airflow, run: airflow.DagRun) -> dict[str, str]:
    """Wait for a run that is to succeed; its tasks' states."""
    first_run.follow(client, run)
    return client.tasks(run)


def fail(client: airflow.Airflow, run: airflow.DagRun) -> dict[str, str]:
    """Wait for a run that is to fail; its tasks' states."""
    try:
        first_run.follow(client, run)
    except MillraceError:
        return client.tasks(run)
    raise AssertionError(f"{run} succeeded")


def of_key(client: airflow.Airflow, name: str, key: str) -> list[airflow.DagRun]:
    return [run for run in client.runs(dag(name)) if run.key == key]


def wait_until(reached: Callable[[], object], what: str, seconds: float = WITHIN_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.5)


def settle(client: airflow.Airflow, *keys: str) -> None:
    """Wait until no run of these keys is under way, nor about to be made by an event."""

    def busy() -> bool:
        states = ("queued", "running")
        runs = [run for name in first_run.dags(CASE) for run in client.runs(dag(name), states)]
        return any(run.key in keys for run in runs)

    quiet_since = time.monotonic()
    deadline = quiet_since + WITHIN_SECONDS
    while time.monotonic() - quiet_since < 5:
        assert time.monotonic() < deadline, "the Dags do not come to rest"
        if busy():
            quiet_since = time.monotonic()
        time.sleep(0.5)


def in_turn(calls: list[Call]) -> bool:
    """Whether each call began after the one before had ended."""
    return all(a.ended and a.ended <= b.began for a, b in itertools.pairwise(calls))


def emitted(client: airflow.Airflow, name: str, key: str) -> int:
    """How many events of that key a Dag's tasks emitted."""
    found = client.http.get("/assets/events", params={"source_dag_id": dag(name), "limit": 200})
    return sum(event["partition_key"] == key for event in found.json()["asset_events"])
