"""A case made by `millrace new` from a CSV, through the real Airflow: the whole promise, told once.

History trains the first champion; a backfill of five days runs in order; three of them drift, which
retrains the model exactly once; the newest day again, by the form, leaves every table equal. A
stranger with only the browser can then say why.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, Select, Table, select, update

from pipelines.cli import first_run
from pipelines.core import journal
from pipelines.core.settings import Settings
from pipelines.insight import status
from pipelines.stores import airflow, delta
from tests.platform.browsing import SECTION, visit
from tests.platform.conftest import BROKEN

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator
    from pyspark.sql.connect.session import SparkSession

pytestmark = pytest.mark.integration

NAME = "loans"
DAGS = ("load_history", "build_features", "train_model", "predict_batch", "watch_drift")


@pytest.fixture(scope="module")
def client(platform: Settings, loans) -> Iterator[airflow.Airflow]:
    with airflow.connect(platform) as connected:
        for dag in first_run.dags(loans.case):
            connected.unpause(f"{NAME}.{dag}")
        yield connected


@pytest.fixture(scope="module")
def session(platform: Settings) -> "Iterator[SparkSession]":
    """On this platform's server: other tests of the process have one on theirs."""
    from pyspark.sql.connect.session import SparkSession

    created = SparkSession.builder.remote(platform.spark_session()).create()
    yield created
    created.stop()


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


def test_history_trains_the_first_champion(client: airflow.Airflow, engine: Engine, loans) -> None:
    key = f"{loans.history[0]}/{loans.history[-1]}"
    run = client.trigger(f"{NAME}.load_history", key)
    first_run.follow(client, run)
    assert set(client.tasks(run).values()) == {"success"}
    first_run.follow(client, client.await_run(f"{NAME}.train_model", key))
    settle(client)
    assert trained(client) == [key]
    found = status.case_status(engine, loans.case)
    assert found["champion"]["version"] == 1
    assert found["champion"]["cutoff"] == f"{loans.calm[0]}T00:00:00+00:00"
    # The data are made so: the amount tells most of it.
    assert found["champion"]["roc_auc"] > 0.85
    assert found["quarantined"] == 1


def test_a_backfill_runs_in_order_and_drift_retrains_once(
    client: airflow.Airflow, engine: Engine, loans
) -> None:
    wanted = [*loans.calm, *loans.drifted]
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
    assert not any(verdicts[str(day)] for day in loans.calm)
    assert all(verdicts[str(day)] for day in loans.drifted[:2])
    # Not by the cadence, five days after the last; not in calm; and not again while it rests.
    assert trained(client)[1:] == [str(loans.drifted[1])]
    assert status.case_status(engine, loans.case)["features_known_until"].startswith(
        str(loans.drifted[-1] + timedelta(days=1))
    )


def backfilled(client: airflow.Airflow) -> list[airflow.DagRun]:
    """Of the backfill's newest night Airflow also makes a scheduled run: not asked here."""
    runs = client.runs(f"{NAME}.build_features")
    return [run for run in runs if run.run_id.startswith("backfill__")]


def started_and_ended(client: airflow.Airflow, run: airflow.DagRun) -> tuple[str, str]:
    found = client.http.get(f"/dags/{run.dag_id}/dagRuns/{run.run_id}").json()
    return found["start_date"], found["end_date"]


def of_loans(table: Table) -> "Select[Any]":
    return select(table).where(table.c.case_name == NAME)


def drifted(engine: Engine) -> dict[str, bool | None]:
    """The newest verdict of each interval."""
    table = journal.verdicts
    with engine.connect() as connection:
        rows = connection.execute(of_loans(table).order_by(table.c.id)).all()
    return {row.interval: row.drifted for row in rows}


def test_the_newest_day_again_by_the_form_leaves_every_table_equal(
    client: airflow.Airflow, session: "SparkSession", engine: Engine, loans
) -> None:
    newest = str(loans.drifted[-1])
    predictions = loans.case.table("gold", "predictions")
    # The new champion answers the day as well: what was said before must still be there.
    said = f"(select * from {predictions} where model_version = 1)"
    tables = sorted({*status.case_status(engine, loans.case)["tables"], said} - {predictions})
    before = {name: delta.digest(session, name) for name in tables}
    assert len(before) == 8
    dag = f"{NAME}.build_features"
    body = {"logical_date": None, "conf": {"day": newest}}
    answer = client.http.post(f"/dags/{dag}/dagRuns", json=body)
    assert answer.is_success, answer.text
    first_run.follow(client, airflow.DagRun(dag, answer.json()["dag_run_id"], newest))
    settle(client)
    assert {name: delta.digest(session, name) for name in tables} == before
    event = client.http.get("/assets/events", params={"source_dag_id": dag}).json()
    last = max(event["asset_events"], key=lambda event: event["timestamp"])
    assert last["partition_key"] == newest


def test_every_prediction_is_kept_with_the_version_that_made_it(
    session: "SparkSession", loans
) -> None:
    made = session.sql(
        "select decided_date, model_version, count(*) as rows, count(distinct loan) as loans, "
        "min(probability) as low, max(probability) as high "
        f"from {loans.case.table('gold', 'predictions')} "
        "group by decided_date, model_version order by decided_date, model_version"
    ).collect()
    assert {row["decided_date"] for row in made} == {*loans.calm, *loans.drifted}
    for row in made:
        assert (row["rows"], row["loans"]) == (loans.rows_a_day, loans.rows_a_day)
        assert 0 <= row["low"] < row["high"] <= 1


def test_the_journal_knows_what_each_stage_did(engine: Engine, loans) -> None:
    table = journal.runs
    with engine.connect() as connection:
        done = connection.execute(of_loans(table).where(table.c.state == "done")).all()
    ingested = {run.interval: run.result["rows"] for run in done if run.stage == "ingest"}
    num_days = len([*loans.history, *loans.calm, *loans.drifted])
    assert sum(rows["rows_in"] for rows in ingested.values()) == loans.rows_a_day * num_days + 1
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
    started: tuple[Settings, dict[str, str]], engine: Engine, loans
) -> None:
    newest = str(loans.drifted[-1])

    def assemble() -> tuple[str, str]:
        words = ["assemble", NAME, "--interval", newest]
        command = [sys.executable, "-m", "pipelines", *words]
        ended = subprocess.run(
            command, cwd=loans.project, env=started[1], check=True, capture_output=True, text=True
        )
        result = json.loads(ended.stdout.splitlines()[-1])
        return result["details"]["digest"], ended.stdout + ended.stderr

    digest, told = assemble()
    assert f"joined anew from {newest} on" in told
    runs = journal.runs
    with engine.begin() as connection:
        forgotten = update(runs).where(runs.c.case_name == NAME, runs.c.stage == "assemble")
        connection.execute(forgotten.values(state="failed"))
    digest_at_once, told = assemble()
    assert f"joined anew from {newest} on" not in told
    assert digest == digest_at_once


@pytest.fixture
def stranger(browser, platform: Settings, token: str) -> "Iterator[FrameLocator]":
    """Somebody who knows Airflow's address and its password, at the case's overview."""
    with visit(browser, platform, token) as context:
        page = context.new_page()
        page.goto(f"{platform.airflow_api}{SECTION}")
        section = page.frame_locator("iframe[title=Millrace]")
        section.get_by_role("heading", name=NAME).wait_for()
        yield section


def follow_link(section: "FrameLocator", name: str, heading: str) -> None:
    section.get_by_role("link", name=name, exact=True).click()
    section.get_by_role("heading", name=heading, exact=True).wait_for()


def of_the_case(section: "FrameLocator", name: str) -> None:
    """Go to a page of the section, and there to this case."""
    follow_link(section, name, name)
    section.get_by_label("Case").select_option(NAME)
    section.get_by_role("button", name="Show").first.click()
    section.locator(f"option[selected]:text-is('{NAME}')").wait_for(state="attached")


def test_b30_a_stranger_sees_why_a_row_was_quarantined(stranger: "FrameLocator", loans) -> None:
    of_the_case(stranger, "Quarantine")
    (row,) = stranger.locator("ul.rows > li").all()
    assert row.locator(".reasons").inner_text() == "amount: '<b>plenty</b>' is not a double"
    file = f"{NAME}/rows/{loans.history[0]}/rows.csv"
    # After a header, and the rows of that day.
    assert row.locator(".where").inner_text() == f"{file}, line {loans.rows_a_day + 2}"
    raw = row.locator("pre").inner_text()
    assert all(text in raw for text in BROKEN.values())
    assert row.locator("b").count() == 0


def test_a_stranger_sees_which_landing_file_a_prediction_came_from(
    stranger: "FrameLocator", platform: Settings
) -> None:
    of_the_case(stranger, "Lineage")
    follow_link(
        stranger, "What was the newest prediction made of?", "What a prediction was made of"
    )
    said = stranger.locator("pre").inner_text()
    files = re.findall(rf"landing\.{NAME}_rows\S+ .*?({NAME}/\S+) \.\.\. ({NAME}/\S+)", said)
    assert files
    for part, name in (file.rsplit("/", 1) for pair in files for file in pair):
        assert len(list(Path(platform.objects.landing, part).glob(f"*/{name}"))) == 1


def test_a_stranger_sees_why_the_champion_won(
    stranger: "FrameLocator", engine: Engine, loans
) -> None:
    table = journal.promotions
    with engine.connect() as connection:
        (won, *_) = connection.execute(
            of_loans(table).where(table.c.decision == "promoted").order_by(table.c.id.desc())
        ).all()
    of_the_case(stranger, "Models")
    versions = stranger.get_by_role("region", name="Versions").locator("tbody tr")
    champion = versions.filter(has_text="champion").locator("td")
    assert champion.first.inner_text() == str(won.version)
    answers = stranger.get_by_role("region", name="Answers of the gate").locator("tbody tr")
    told = answers.filter(has_text=won.reason).filter(has_text="promoted")
    assert told.locator("td").nth(1).inner_text() == str(won.version)
    rows = f"{won.evidence['num_rows']:,} evaluation rows"
    assert rows in told.locator("td").nth(5).inner_text()
    assert won.reason.startswith(f"ROC AUC {won.roc_auc:.3f} (")
