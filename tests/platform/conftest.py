"""`millrace run` from nothing, on a copy of the project whose only case is made from a CSV.

One month of history, and yesterday, which drifts: all the Dags, with their real stages, once. The
pictures of the docs are taken of the platform that is up instead.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser
from sqlalchemy import Engine

from benchmarks.harness import own_platform
from pipelines.core import journal
from pipelines.core.settings import Settings
from pipelines.stores import airflow
from tests import loans
from tests.browsing import PICTURES, launched, login
from tests.loans import Loans

# Retrain weekly, and for one verdict that says drift, a day after the last training.
EDITS = {
    'cadence="nightly"': 'cadence="weekly"',
    "watch=Watch(": (
        "watch=Watch(num_drifted=1, num_verdicts=1, cool_down_days=1, drifted_share_max=0.95, "
    ),
}
# Its first run would load a quarter of a year: it is put back for those who choose among cases.
OTHER_CASE = "pipelines/use_cases/flight_delays.py"


@dataclass(frozen=True)
class Started:
    """The platform after its first run, which said `text`; `call` runs the command again."""

    settings: Settings
    text: str
    call: Callable[..., str]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Loans:
    folder = tmp_path_factory.mktemp("own")
    found = loans.make(folder, history=30, calm=0, drifted=1, edits=EDITS)
    (found.project / OTHER_CASE).unlink()
    return found


@pytest.fixture(scope="session")
def started(made: Loans) -> Iterator[Started]:
    with own_platform() as (settings, theirs):
        ours = {
            "PYTHONPATH": str(made.project),
            "MILLRACE_DATA_ROOTS": json.dumps([str(made.data)]),
        }

        def call(*words: str) -> str:
            ended = subprocess.run(
                [sys.executable, "-m", "pipelines", *words],
                cwd=made.project,
                env={**os.environ, **theirs, **ours},
                capture_output=True,
                text=True,
                check=False,
            )
            assert ended.returncode == 0, ended.stderr[-4000:]
            return ended.stdout

        yield Started(settings, call("run"), call)
        journal.engine.cache_clear()


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest) -> Settings:
    """The one on the copy; for the docs' pictures, the one that is up."""
    if PICTURES:
        return Settings()
    settings: Settings = request.getfixturevalue("started").settings
    return settings


@pytest.fixture(scope="session")
def client(platform: Settings) -> Iterator[airflow.Airflow]:
    with airflow.connect(platform) as connected:
        yield connected


@pytest.fixture(scope="session")
def engine(platform: Settings) -> Engine:
    return journal.engine(platform)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as started:
        yield started


@pytest.fixture(scope="session")
def token(platform: Settings) -> str:
    return login(platform)
