"""A whole platform of its own on a copy of the project, in which there is one case more.

The case is made by `millrace new` from a CSV and edited as a person would; flight_delays is there,
too. Nothing here is shared with the other tests: their platform has no Airflow that would idle.
"""

import csv
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from runpy import run_path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine

from benchmarks.harness import own_platform
from pipelines.core import journal
from pipelines.core.settings import Settings
from pipelines.use_cases.spec.use_case import UseCase
from tests.platform.browsing import FLAGS, PICTURES, chromium
from tests.project import copy_of_the_project

HISTORY_DAYS, CALM_DAYS, DRIFTED_DAYS = 30, 2, 3
ROWS_A_DAY = 150
SEED = 20261121
# In the first day, after the case was made: a row that breaks the contract made from the others.
BROKEN = {"loan": "broken", "amount": "<b>plenty</b>"}
# What a person edits in the generated file: retrain weekly, and a gate for few rows.
EDITS = {
    'cadence="nightly"': 'cadence="weekly"',
    "watch=Watch(": "watch=Watch(num_drifted=2, num_verdicts=2, drifted_share_max=0.95, ",
}


@dataclass(frozen=True)
class Loans:
    """The case made from a CSV; its newest day is yesterday."""

    project: Path
    case: UseCase
    history: list[date]
    calm: list[date]
    drifted: list[date]
    rows_a_day: int = ROWS_A_DAY


def rows(days: list[date]) -> Iterator[dict[str, Any]]:
    """A loan is late when its amount is high; in the last days all amounts are."""
    print(f"seed {SEED}")
    dice = random.Random(SEED)  # noqa: S311
    for number_of_day, day in enumerate(days):
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        shift = 400 if day in days[-DRIFTED_DAYS:] else 0
        for number in range(ROWS_A_DAY):
            amount = dice.gauss(500 + shift, 100)
            yield {
                "loan": f"{number_of_day:03d}-{number:04d}",
                "asked_at": (start + timedelta(seconds=dice.randrange(86_000))).isoformat(),
                "segment": dice.choice(["shop", "car", "home"]),
                "amount": round(amount, 2),
                "income": round(dice.gauss(3000, 500), 2),
                "late": "yes" if dice.gauss(amount, 60) > 540 else "no",
            }


def write(table: list[dict[str, Any]], source: Path) -> None:
    source.parent.mkdir()
    with source.open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)


@pytest.fixture(scope="session")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Loans:
    """A copy of the project with one more case in it, made by the command and edited by hand."""
    project = copy_of_the_project(tmp_path_factory.mktemp("own") / "project")
    count = HISTORY_DAYS + CALM_DAYS + DRIFTED_DAYS
    days = [datetime.now(UTC).date() - timedelta(days=back) for back in range(count, 0, -1)]
    source = project / "data" / "loans.csv"
    write(list(rows(days)), source)
    words = ["--from", str(source), "--key", "loan", "--event-time", "asked_at"]
    words += ["--label", "late", "--positive", "yes", "--into", str(project)]
    subprocess.run([sys.executable, "-m", "pipelines", "new", "loans", *words], check=True)
    made = project / "pipelines" / "use_cases" / "loans.py"
    with source.open("a", newline="") as file:
        row = {**next(rows(days)), **BROKEN}
        csv.DictWriter(file, row).writerow(row)
    text = made.read_text()
    for old, new in EDITS.items():
        assert old in text
        text = text.replace(old, new)
    made.write_text(text)
    wild = HISTORY_DAYS + CALM_DAYS
    return Loans(
        project=project,
        case=run_path(str(made))["LOANS"],
        history=days[:HISTORY_DAYS],
        calm=days[HISTORY_DAYS:wild],
        drifted=days[wild:],
    )


@pytest.fixture(scope="session")
def started(loans: Loans) -> Iterator[tuple[Settings, dict[str, str]]]:
    """Everything up on the copy, and the environment of commands that use it."""
    roots = json.dumps([str(loans.project)])
    with own_platform() as (settings, theirs):
        ours = {"PYTHONPATH": str(loans.project), "MILLRACE_DATA_ROOTS": roots}
        environment = {**os.environ, **theirs, **ours}
        start = [sys.executable, "-m", "pipelines", "start"]
        subprocess.run(start, cwd=loans.project, env=environment, check=True)
        yield settings, environment
        journal.engine.cache_clear()


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest) -> Settings:
    """The one on the copy; for the docs' pictures, the one that is up."""
    return Settings() if PICTURES else request.getfixturevalue("started")[0]


@pytest.fixture(scope="session")
def engine(platform: Settings) -> Engine:
    return journal.engine(platform)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def token(platform: Settings) -> str:
    login = {"username": "admin", "password": platform.secret("airflow_admin")}
    answer = httpx.post(f"{platform.airflow_api}/auth/token", json=login, timeout=30)
    return str(answer.json()["access_token"])
