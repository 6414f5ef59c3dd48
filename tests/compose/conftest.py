"""The shipped docker-compose.yaml, built and started as a project and on ports of its own."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness import free_ports
from pipelines.core.settings import ROOT, Settings

SERVICES = (
    *("postgres", "redis", "spark", "mlflow"),
    *("airflow-api", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"),
)
PROJECT = "millrace-test"
PORTS = ("MILLRACE_AIRFLOW_PORT", "MILLRACE_MLFLOW_PORT", "MILLRACE_SPARK_UI_PORT")


@dataclass(frozen=True)
class Stack:
    """The running project."""

    environment: dict[str, str]
    home: Path  # what this side needs of the platform's state: the login

    def compose(self, *words: str, given: str | None = None) -> str:
        """The standard output of a command of compose's, which has to succeed."""
        ended = subprocess.run(
            [ROOT / "scripts" / "compose.sh", *words],
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr[-3000:]
        return ended.stdout

    def python(self, path: Path) -> Any:
        """Run a script of ours where the stages run; what it printed last, as JSON."""
        words = ("exec", "-T", "airflow-scheduler", "python", "-")
        return json.loads(self.compose(*words, given=path.read_text()).splitlines()[-1])

    def container(self, service: str) -> dict[str, Any]:
        """What Docker knows of a service's container, also of one that has ended."""
        name = self.compose("ps", "-a", "-q", service).strip()
        found = subprocess.run(["docker", "inspect", name], capture_output=True, check=True)
        (known,) = json.loads(found.stdout)
        return dict(known)

    def kill(self, service: str) -> None:
        """Kill its processes as the kernel does when memory ends: the engine was not asked."""
        os.kill(self.container(service)["State"]["Pid"], signal.SIGKILL)

    def wait_until_healthy(self, *services: str, seconds: float = 240) -> None:
        def healthy() -> bool:
            states = [self.container(service)["State"] for service in services or SERVICES]
            return all(state.get("Health", {}).get("Status") == "healthy" for state in states)

        wait_until(healthy, seconds)

    def settings(self) -> Settings:
        """For a client on this side: Airflow alone is published to it."""
        port = self.environment["MILLRACE_AIRFLOW_PORT"]
        secret = self.home / "secrets" / "airflow_admin"
        secret.parent.mkdir(exist_ok=True)
        words = ("exec", "-T", "airflow-api", "cat", "/var/lib/millrace/secrets/airflow_admin")
        secret.write_text(self.compose(*words))
        return Settings(home=self.home, airflow_url=f"http://127.0.0.1:{port}")


def wait_until(condition: Callable[[], bool], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(1)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Up from nothing; removed with its volumes at the end."""
    ports = {name: str(port) for name, port in free_ports(*PORTS).items()}
    environment = {**os.environ, **ports, "COMPOSE_PROJECT_NAME": PROJECT}
    made = Stack(environment, tmp_path_factory.mktemp("outside"))
    try:
        began = time.monotonic()
        made.compose("build")
        print(f"built in {time.monotonic() - began:.0f} s")
        began = time.monotonic()
        made.compose("up", "-d")
        made.wait_until_healthy()
        print(f"healthy after {time.monotonic() - began:.0f} s")
        yield made
    finally:
        made.compose("down", "-v", "--remove-orphans")
