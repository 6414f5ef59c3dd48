"""The platform in containers: a day through it, a restart, and each server's death (R7-R25).

The tests follow one another on one project, in this order.
"""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import first_run
from pipelines.services.secrets import NAMES
from pipelines.stores import airflow
from pipelines.use_cases import find
from tests.compose.conftest import SERVICES, Stack, wait_until

CASE = find("flight_delays")
CONTENTS, ASK = (Path(__file__).with_name(name) for name in ("contents.py", "ask.py"))
# Airflow has to notice that its database is away.
AWAY_SECONDS = 45


@pytest.fixture
def client(stack: Stack) -> Iterator[airflow.Airflow]:
    with airflow.connect(stack.settings()) as connected:
        for dag in ("build_features", "load_history"):
            connected.unpause(f"{CASE.name}.{dag}")
        yield connected


@pytest.fixture(scope="session")
def first(stack: Stack) -> dict[str, Any]:
    """What is there after the first day; filled by the first test, compared by the others."""
    return {}


def test_s09_nothing_runs_as_root_or_may_become_it(stack):
    for service in (*SERVICES, "secrets", "state"):
        known = stack.container(service)
        assert known["Config"]["User"] == "10001:10001", service
        host = known["HostConfig"]
        assert host["CapDrop"] == ["ALL"], service
        assert host["SecurityOpt"] == ["no-new-privileges:true"], service
        assert not host["Privileged"], service
        assert host["Memory"] > 0, service
        assert not [mount for mount in known["Mounts"] if "docker.sock" in mount["Source"]]


def test_s02_only_pages_are_published_and_on_loopback(stack):
    published = {}
    for service in SERVICES:
        for port, where in stack.container(service)["NetworkSettings"]["Ports"].items():
            for place in where or []:
                assert place["HostIp"] == "127.0.0.1"
                published.setdefault(service, set()).add(port)
    assert published == {
        "airflow-api": {"8080/tcp"},
        "mlflow": {"5000/tcp"},
        "spark": {"4040/tcp"},
    }


def test_s01_no_secret_is_in_the_image_or_in_what_docker_shows(stack):
    each = "for file in /var/lib/millrace/secrets/*; do cat $file; echo; done"
    secrets = stack.compose("exec", "-T", "airflow-api", "sh", "-c", each).split()
    assert len(secrets) == len(NAMES)
    assert min(map(len, secrets)) >= 16
    state = ["docker", "run", "--rm", "millrace:0.1.0", "find", "/var/lib/millrace", "-type", "f"]
    assert subprocess.run(state, check=True, capture_output=True, text=True).stdout == ""
    for service in SERVICES:
        shown = str(stack.container(service))
        listed = stack.compose("top", service)
        assert not [secret for secret in secrets if secret in shown + listed], service


def test_s08_the_engine_and_the_store_refuse_who_has_no_credential(stack):
    nobody = (
        "from pyspark.sql.connect.session import SparkSession\n"
        "SparkSession.builder.remote('sc://spark:15002').getOrCreate().sql('select 1').collect()"
    )
    words = ("exec", "-T", "airflow-scheduler", "sh", "-c", f'python -c "{nobody}" 2>&1 || true')
    assert "UNAUTHENTICATED" in stack.compose(*words)
    refused = stack.compose("exec", "-T", "redis", "sh", "-c", "redis-cli keys '*' 2>&1")
    assert "NOAUTH" in refused


def test_a_day_goes_through_the_same_dags(stack, client, first):
    yesterday = stack.settings().yesterday()
    run = client.trigger(f"{CASE.name}.load_history", yesterday.key)
    first_run.follow(client, run)
    assert set(client.tasks(run).values()) == {"success"}
    first |= stack.python(CONTENTS)
    assert first["known_until"] == yesterday.end.isoformat()
    assert first["rows_as_published"]
    assert first["published_twice_by_one_attempt"] == 0
    assert min(first["online"]["served"].values()) > 0
    assert first["online"]["different"] == 0


def test_a_restart_finds_everything_again(stack, first):
    before = stack.settings().secret("airflow_admin")
    stack.compose("down")
    stack.compose("up", "-d")
    stack.wait_until_healthy()
    assert stack.settings().secret("airflow_admin") == before
    assert stack.python(CONTENTS) == first


def test_r07_r09_r18_r25_each_server_dies_under_a_day_and_nothing_is_lost_or_done_twice(
    stack, client, first
):
    """R25, R7, R9, R18: the engine, the scheduler, the database, the online store, one by one."""
    key = stack.settings().yesterday().key
    run = client.trigger(f"{CASE.name}.build_features", key)
    _await(client, run, "ingest", "running")
    time.sleep(3)
    stack.kill("spark")
    _await(client, run, "ingest", "success")
    _await(client, run, "transform", "running")
    stack.kill("airflow-scheduler")
    _await(client, run, "validate_features", "running")
    stack.compose("stop", "postgres")
    stack.compose("stop", "redis")
    time.sleep(AWAY_SECONDS)
    stack.compose("start", "postgres")
    stack.wait_until_healthy("postgres", "airflow-api")
    _await(client, run, "materialize", "up_for_retry")
    asked = stack.python(ASK)
    assert asked["failed"] == "ServiceUnavailable"
    assert asked["seconds"] < 30
    stack.compose("start", "redis")
    first_run.follow(client, run)
    stack.wait_until_healthy()
    assert set(client.tasks(run).values()) == {"success"}
    restarted = {name for name in SERVICES if stack.container(name)["RestartCount"]}
    assert {"spark", "airflow-scheduler"} <= restarted
    assert stack.python(ASK)["failed"] is None
    assert stack.python(CONTENTS) == first


def _await(client: airflow.Airflow, run: airflow.DagRun, task: str, state: str) -> None:
    """While a server is away, Airflow may be, too: then it is asked again."""

    def reached() -> bool:
        try:
            return client.tasks(run).get(task) == state
        except Exception as error:
            print(f"{task}: {error}")
            return False

    wait_until(reached, 900)
