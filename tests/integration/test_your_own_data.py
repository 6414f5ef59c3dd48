"""A case made by `millrace new` from a CSV, through the real Airflow: the whole promise, told once.

History trains the first champion; a backfill of five days runs in order; three of them drift, which
retrains the model exactly once; the newest day again, by the form, leaves every table equal.
"""

import csv
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from benchmarks.harness import own_platform
from pipelines import first_run, status
from pipelines.settings import ROOT, Settings
from pipelines.stores import airflow, delta, postgres, spark
from pipelines.use_cases.spec import UseCase

pytestmark = pytest.mark.integration

NAME = "loans"
HISTORY_DAYS, CALM_DAYS, DRIFTED_DAYS = 30, 2, 3
ROWS_A_DAY = 150
# What a person edits in the generated file: retrain weekly, and a gate for few rows.
EDITS = {
    'cadence="nightly"': 'cadence="weekly"',
    "watch=Watch(": "watch=Watch(num_drifted=2, num_verdicts=2, drifted_share_max=0.95, ",
}
DAGS = ("load_history", "build_features", "train_model", "predict_batch", "watch_drift")


def rows(today: datetime, seed: int) -> Iterator[dict[str, Any]]:
    """A loan is late when its amount is high; in the last days all amounts are."""
    dice = random.Random(seed)  # noqa: S311
    days = HISTORY_DAYS + CALM_DAYS + DRIFTED_DAYS
    for day in range(days):
        start = today - timedelta(days=days - day)
        shift = 400 if day >= HISTORY_DAYS + CALM_DAYS else 0
        for number in range(ROWS_A_DAY):
            amount = dice.gauss(500 + shift, 100)
            yield {
                "loan": f"{day:03d}-{number:04d}",
                "asked_at": (start + timedelta(seconds=dice.randrange(86_000))).isoformat(),
                "segment": dice.choice(["shop", "car", "home"]),
                "amount": round(amount, 2),
                "income": round(dice.gauss(3000, 500), 2),
                "late": "yes" if dice.gauss(amount, 60) > 540 else "no",
            }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with one more case in it, made by the command and edited by hand."""
    folder = tmp_path_factory.mktemp("own") / "project"
    for part in ("dags", "pipelines", "features", "models", "expectations", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    seed = 20261121
    print(f"seed {seed}")
    table = list(rows(today, seed))
    source = folder / "data" / "loans.csv"
    source.parent.mkdir()
    with source.open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
    words = ["--from", str(source), "--key", "loan", "--event-time", "asked_at"]
    words += ["--label", "late", "--positive", "yes", "--into", str(folder)]
    subprocess.run([sys.executable, "-m", "pipelines", "new", NAME, *words], check=True)
    made = folder / "pipelines" / "use_cases" / f"{NAME}.py"
    text = made.read_text()
    for old, new in EDITS.items():
        assert old in text
        text = text.replace(old, new)
    made.write_text(text)
    return folder


@pytest.fixture(scope="module")
def case(project: Path) -> UseCase:
    found: UseCase = run_path(str(project / f"pipelines/use_cases/{NAME}.py"))["LOANS"]
    return found


@pytest.fixture(scope="module")
def started(project: Path) -> Iterator[tuple[Settings, dict[str, str]]]:
    """Everything up on the copy, and the environment of commands that use it."""
    ours = {"PYTHONPATH": str(project), "MILLRACE_DATA_ROOTS": json.dumps([str(project)])}
    with own_platform() as (settings, theirs):
        environment = {**os.environ, **theirs, **ours}
        start = [sys.executable, "-m", "pipelines", "start"]
        subprocess.run(start, cwd=project, env=environment, check=True)
        yield settings, environment
        postgres.engine.cache_clear()


@pytest.fixture(scope="module")
def platform(started: tuple[Settings, dict[str, str]]) -> Settings:
    return started[0]


@pytest.fixture(scope="module")
def client(platform: Settings, case: UseCase) -> Iterator[airflow.Airflow]:
    with airflow.connect(platform) as connected:
        for dag in first_run.dags(case):
            connected.unpause(f"{NAME}.{dag}")
        yield connected


@pytest.fixture(scope="module")
def engine(platform: Settings) -> Engine:
    return postgres.engine(platform)


@pytest.fixture(scope="module")
def days() -> list[date]:
    """All days of the data, oldest first; the last is yesterday."""
    count = HISTORY_DAYS + CALM_DAYS + DRIFTED_DAYS
    return [datetime.now(UTC).date() - timedelta(days=back) for back in range(count, 0, -1)]


def settle(client: airflow.Airflow) -> None:
    """Wait until no run of the case is under way, nor about to be made by an event."""
    quiet_since = time.monotonic()
    deadline = quiet_since + 900
    while time.monotonic() - quiet_since < 8:
        assert time.monotonic() < deadline, "the Dags do not come to rest"
        for dag in DAGS:
            if client.runs(f"{NAME}.{dag}", state=("queued", "running")):
                quiet_since = time.monotonic()
        time.sleep(1)


def trained(client: airflow.Airflow) -> list[str]:
    """The keys of the runs of train_model in which a model was trained, oldest first."""
    runs = reversed(client.runs(f"{NAME}.train_model"))
    return [run.key for run in runs if client.tasks(run).get("train") == "success"]


def test_history_trains_the_first_champion(
    client: airflow.Airflow, engine: Engine, case: UseCase, days: list[date]
) -> None:
    key = f"{days[0]}/{days[HISTORY_DAYS - 1]}"
    run = client.trigger(f"{NAME}.load_history", key)
    first_run.follow(client, run)
    assert set(client.tasks(run).values()) == {"success"}
    first_run.follow(client, client.await_run(f"{NAME}.train_model", key))
    settle(client)
    assert trained(client) == [key]
    found = status.case_status(engine, case)
    assert found["champion"]["version"] == 1
    assert found["champion"]["cutoff"] == f"{days[HISTORY_DAYS]}T00:00:00+00:00"
    # The data are made so: the amount tells most of it.
    assert found["champion"]["roc_auc"] > 0.85
    assert found["quarantined"] == 0


def test_a_backfill_runs_in_order_and_drift_retrains_once(
    client: airflow.Airflow, engine: Engine, case: UseCase, days: list[date]
) -> None:
    wanted = days[HISTORY_DAYS:]
    body = {
        "dag_id": f"{NAME}.build_features",
        "from_date": f"{wanted[0]}T00:00:00Z",
        "to_date": f"{wanted[-1]}T00:00:00Z",
        "max_active_runs": 1,
        "reprocess_behavior": "none",
    }
    answer = client.http.post("/backfills", json=body)
    assert answer.is_success, answer.text
    runs = sorted(backfilled(client), key=lambda run: run.key)
    assert [run.key for run in runs] == [day.isoformat() for day in wanted]
    for run in runs:
        first_run.follow(client, run)
    settle(client)
    times = [started_and_ended(client, run) for run in runs]
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(times))
    verdicts = drifted(engine)
    calm, wild = wanted[:CALM_DAYS], wanted[CALM_DAYS:]
    assert [verdicts[str(day)] for day in calm] == [False] * CALM_DAYS
    assert [verdicts[str(day)] for day in wild[:2]] == [True, True]
    # Not by the cadence, five days after the last; not in calm; and not again while it rests.
    assert trained(client)[1:] == [str(wild[1])]
    assert status.case_status(engine, case)["features_known_until"].startswith(
        str(days[-1] + timedelta(days=1))
    )


def backfilled(client: airflow.Airflow) -> list[airflow.DagRun]:
    """Of the backfill's newest night Airflow also makes a scheduled run: not asked here."""
    runs = client.runs(f"{NAME}.build_features")
    return [run for run in runs if run.run_id.startswith("backfill__")]


def started_and_ended(client: airflow.Airflow, run: airflow.DagRun) -> tuple[str, str]:
    found = client.http.get(f"/dags/{run.dag_id}/dagRuns/{run.run_id}").json()
    return found["start_date"], found["end_date"]


def drifted(engine: Engine) -> dict[str, bool | None]:
    """The newest verdict of each interval."""
    table = postgres.verdicts
    with engine.connect() as connection:
        rows = connection.execute(select(table).order_by(table.c.id)).all()
    return {row.interval: row.drifted for row in rows}


def test_the_newest_day_again_by_the_form_leaves_every_table_equal(
    client: airflow.Airflow, platform: Settings, engine: Engine, case: UseCase, days: list[date]
) -> None:
    session = spark.connect(platform)
    predictions = case.table("gold", "predictions")
    # The new champion answers the day as well: what was said before must still be there.
    said = f"(select * from {predictions} where model_version = 1)"
    tables = sorted({*status.case_status(engine, case)["tables"], said} - {predictions})
    before = {name: delta.digest(session, name) for name in tables}
    assert len(before) == 8
    dag = f"{NAME}.build_features"
    body = {"logical_date": None, "conf": {"day": str(days[-1])}}
    answer = client.http.post(f"/dags/{dag}/dagRuns", json=body)
    assert answer.is_success, answer.text
    first_run.follow(client, airflow.DagRun(dag, answer.json()["dag_run_id"], str(days[-1])))
    settle(client)
    assert {name: delta.digest(session, name) for name in tables} == before
    session.stop()
    event = client.http.get("/assets/events", params={"source_dag_id": dag}).json()
    newest = max(event["asset_events"], key=lambda event: event["timestamp"])
    assert newest["partition_key"] == str(days[-1])


def test_every_prediction_is_kept_with_the_version_that_made_it(
    platform: Settings, engine: Engine, case: UseCase, days: list[date]
) -> None:
    session = spark.connect(platform)
    made = session.sql(
        "select decided_date, model_version, count(*) as rows, count(distinct loan) as loans, "
        "min(probability) as low, max(probability) as high "
        f"from {case.table('gold', 'predictions')} "
        "group by decided_date, model_version order by decided_date, model_version"
    ).collect()
    session.stop()
    assert {row["decided_date"] for row in made} == set(days[HISTORY_DAYS:])
    for row in made:
        assert (row["rows"], row["loans"]) == (ROWS_A_DAY, ROWS_A_DAY)
        assert 0 <= row["low"] < row["high"] <= 1


def test_the_journal_knows_what_each_stage_did(engine: Engine, case: UseCase) -> None:
    table = postgres.runs
    with engine.connect() as connection:
        done = connection.execute(select(table).where(table.c.state == "done")).all()
    ingested = {run.interval: run.result["rows"] for run in done if run.stage == "ingest"}
    assert sum(rows["rows_in"] for rows in ingested.values()) == ROWS_A_DAY * (
        HISTORY_DAYS + CALM_DAYS + DRIFTED_DAYS
    )
    for rows in ingested.values():
        parts = ("kept", "quarantined", "duplicates")
        assert rows["rows_in"] == sum(rows[f"rows_{part}"] for part in parts)
    stages = {"extract", "ingest", "validate", "transform", "materialize", "due", "assemble"}
    assert {run.stage for run in done} == stages | {"train", "promote", "predict", "monitor"}
    for run in done:
        assert run.wall_seconds > 0
        assert run.peak_memory_mib > 0
        assert run.airflow_run.startswith(f"{NAME}.")


def test_what_was_joined_night_by_night_equals_one_join(
    project: Path, started: tuple[Settings, dict[str, str]], engine: Engine, days: list[date]
) -> None:
    def assemble() -> tuple[str, str]:
        words = ["assemble", NAME, "--interval", str(days[-1])]
        command = [sys.executable, "-m", "pipelines", *words]
        ended = subprocess.run(
            command, cwd=project, env=started[1], check=True, capture_output=True, text=True
        )
        result = json.loads(ended.stdout.splitlines()[-1])
        return result["details"]["digest"], ended.stdout + ended.stderr

    digest, told = assemble()
    assert f"joined anew from {days[-1]} on" in told
    with engine.begin() as connection:
        forgotten = update(postgres.runs).where(postgres.runs.c.stage == "assemble")
        connection.execute(forgotten.values(state="failed"))
    digest_at_once, told = assemble()
    assert f"joined anew from {days[-1]} on" not in told
    assert digest == digest_at_once
