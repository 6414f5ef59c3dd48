"""Airflow by its public REST API: unpause a Dag, trigger it by key, follow a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from pipelines.core.errors import ServiceUnavailable
from pipelines.core.settings import Settings

# For its first task the api server makes things that took 45 s on a busy machine.
_ANSWERS_WITHIN_SECONDS = 120


class _NotYet(ServiceUnavailable):
    """Asked again for a while: a new Dag file has to be parsed, an asset event's run be made."""


_await = retry(
    retry=retry_if_exception_type(_NotYet),
    stop=stop_after_delay(120),
    wait=wait_fixed(1),
    reraise=True,
)


@dataclass(frozen=True)
class DagRun:
    """One run: its Dag, its id, and the interval it works on."""

    dag_id: str
    run_id: str
    key: str


@dataclass(frozen=True)
class Airflow:
    """A client with a login; make one by `connect`."""

    http: httpx.Client

    @_await
    def unpause(self, dag_id: str) -> None:
        """Let a Dag run, as soon as Airflow knows it.

        Raises:
            ServiceUnavailable: it is not there after two minutes, or does not load.
        """
        answer = self.http.patch(f"/dags/{quote(dag_id)}", json={"is_paused": False})
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise _NotYet(
                f"Airflow does not know the Dag {dag_id}; its import errors: {self.import_errors()}"
            )
        answer.raise_for_status()

    def import_errors(self) -> list[str]:
        """What Airflow says about Dag files that it could not load."""
        found = self._get("/importErrors")["import_errors"]
        return [f"{error['filename']}: {error['stack_trace'][-300:]}" for error in found]

    def trigger(self, dag_id: str, key: str) -> DagRun:
        """Start a run of that key, or join the one that is at work on it already."""
        for run in self.runs(dag_id, state=("queued", "running")):
            if run.key == key:
                return run
        body = {"logical_date": None, "partition_key": key}
        answer = self.http.post(f"/dags/{quote(dag_id)}/dagRuns", json=body)
        if answer.is_error:
            raise ServiceUnavailable(f"Airflow refused {dag_id} of {key}: {answer.text}")
        return DagRun(dag_id, answer.json()["dag_run_id"], key)

    @_await
    def await_run(self, dag_id: str, key: str) -> DagRun:
        """The newest run of that key, which an asset event is about to make.

        Raises:
            ServiceUnavailable: none was made within two minutes.
        """
        for run in self.runs(dag_id):
            if run.key == key:
                return run
        raise _NotYet(
            f"no run of {dag_id} was made for {key}; is the Dag paused, or its asset's event "
            "missing? See Assets in the Airflow UI"
        )

    def runs(self, dag_id: str, state: tuple[str, ...] = ()) -> list[DagRun]:
        """The Dag's runs, newest first."""
        query = {"order_by": "-run_after", "state": list(state), "limit": 100}
        found = self._get(f"/dags/{quote(dag_id)}/dagRuns", query)["dag_runs"]
        return [DagRun(dag_id, run["dag_run_id"], run["partition_key"] or "") for run in found]

    def state(self, run: DagRun) -> str:
        """queued, running, success or failed."""
        return str(self._get(_path(run))["state"])

    def tasks(self, run: DagRun) -> dict[str, str]:
        """Each task's state, in the order in which they started."""
        found = self._get(f"{_path(run)}/taskInstances")["task_instances"]
        started = sorted(found, key=lambda task: task["start_date"] or "9")
        return {task["task_id"]: task["state"] or "none" for task in started}

    def _get(self, path: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.http.get(path, params=query)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _path(run: DagRun) -> str:
    return f"/dags/{quote(run.dag_id)}/dagRuns/{quote(run.run_id)}"


@contextmanager
def connect(settings: Settings) -> Iterator[Airflow]:
    """Log in as the administrator whose password was made at first start.

    Raises:
        ServiceUnavailable: nothing answers, or the login is refused.
    """
    login = {"username": "admin", "password": settings.secret("airflow_admin")}
    try:
        with httpx.Client(
            timeout=_ANSWERS_WITHIN_SECONDS, transport=httpx.HTTPTransport(retries=3)
        ) as http:
            answer = http.post(f"{settings.airflow_api}/auth/token", json=login)
            answer.raise_for_status()
            http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            http.base_url = httpx.URL(f"{settings.airflow_api}/api/v2")
            yield Airflow(http)
    except httpx.HTTPError as error:
        raise ServiceUnavailable(f"Airflow at {settings.airflow_api}: {error}") from error
