"""A question of how much and one of several classes, from a CSV to answers on the running platform.

They are added to the copy of the project while everything is up, and need no restart. Last of the
files of this tier, because the others know of one case.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser
from sqlalchemy import Engine, select

from models.tasks import Multiclass, Regression
from pipelines.core import journal
from pipelines.core.settings import Settings
from pipelines.insight import status
from pipelines.stores import lake
from pipelines.use_cases.spec.discovery import Discovery
from pipelines.use_cases.spec.use_case import UseCase
from tests import made_tables
from tests.browsing import PICTURES, serious, visit, watch
from tests.loans import Loans
from tests.platform.conftest import OTHER_CASE, Started

pytestmark = pytest.mark.skipif(bool(PICTURES), reason="the pictures are of the case that is there")

DAYS = 30


@dataclass(frozen=True)
class Asked:
    """What is asked of `millrace new`, and what comes of it."""

    name: str
    rows: Any
    words: tuple[str, ...]
    task: str
    family: str
    metric: str
    answer: tuple[str, ...]


ASKED = (
    Asked(
        "trips",
        made_tables.trips,
        ("--key", "Trip", "--event-time", "Started", "--label", "Fare (EUR)"),
        "regression",
        "trees",
        "d2_pinball_score",
        ("low", "prediction", "high"),
    ),
    Asked(
        "tickets",
        made_tables.tickets,
        ("--key", "Ticket", "--event-time", "Arrived", "--label", "Answered by"),
        "multiclass",
        "trees",
        "d2_log_loss_score",
        ("predicted_class", "probability", "probabilities"),
    ),
)


@pytest.fixture(scope="module")
def cases(made: Loans, started: Started) -> dict[str, UseCase]:
    """Both, made and run up to yesterday's answers."""
    # It was put back for those who choose among cases; its history is a quarter of a year.
    (made.project / OTHER_CASE).unlink(missing_ok=True)
    days = [datetime.now(UTC).date() - timedelta(days=back) for back in range(DAYS, 0, -1)]
    for asked in ASKED:
        source = made_tables.write(asked.rows(days), made.data / f"{asked.name}.csv")
        words = ["--from", str(source), *asked.words, "--into", str(made.project)]
        new = [sys.executable, "-m", "pipelines", "new", asked.name, *words]
        subprocess.run(new, check=True)
    started.call("run")
    there = Discovery(made.project / "pipelines" / "use_cases", "own_cases").load()
    assert there.broken == {}
    return dict(there.found)


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_a_case_of_any_task_goes_the_whole_way(
    cases: dict[str, UseCase], platform: Settings, engine: Engine, asked: Asked
) -> None:
    case = cases[asked.name]
    model = case.model()
    assert (model.task, model.family) == (asked.task, asked.family)
    found = status.case_status(engine, case)
    assert found["features_known_until"] == platform.yesterday().end.isoformat()
    said = found["models"][model.name]
    # The data are made so: most can be known.
    assert said["champion"]["metric"] == asked.metric
    assert said["champion"]["value"] > 0.3
    assert said["predictions"]["until"] == platform.yesterday().end.isoformat()
    assert said["predictions"]["rows"] >= made_tables.ROWS_A_DAY
    assert said["drift"] is not None


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_every_stage_ran_as_a_task_of_airflow(
    cases: dict[str, UseCase], engine: Engine, asked: Asked
) -> None:
    runs = journal.runs
    with engine.connect() as connection:
        mine = select(runs).where(runs.c.case_name == asked.name)
        rows = connection.execute(mine).all()
    assert [row.error for row in rows if row.state == "failed"] == []
    done = {row.stage for row in rows if row.state == "done"}
    assert {"train", "promote", "predict", "validate_predictions", "monitor"} <= done
    assert all(row.airflow_run.startswith(f"{asked.name}.") for row in rows)


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_the_answers_are_the_tasks(
    cases: dict[str, UseCase], platform: Settings, asked: Asked
) -> None:
    case = cases[asked.name]
    name = case.build_table("gold", case.model().predictions)
    rows = lake.of(platform).table(name).to_pyarrow_table(columns=list(asked.answer))
    answers = rows.to_pylist(maps_as_pydicts="strict")
    for each in answers:
        if asked.task == "regression":
            assert each["low"] <= each["prediction"] <= each["high"]
        else:
            assert sum(each["probabilities"].values()) == pytest.approx(1, abs=1e-4)
            assert set(each["probabilities"]) == set(made_tables.TEAMS)
            assert each["probabilities"][each["predicted_class"]] == each["probability"]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_a_prediction_is_told_in_the_tasks_words(
    cases: dict[str, UseCase], started: Started, asked: Asked
) -> None:
    told = started.call("lineage", asked.name, "--prediction", "newest", "--json")
    found = json.loads(told)
    said = found["facts"][found["asked"]]
    assert tuple(said["answer"]) == asked.answer


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_the_pages_name_the_tasks_metrics(
    cases: dict[str, UseCase],
    browser: Browser,
    platform: Settings,
    token: str,
    asked: Asked,
) -> None:
    with visit(browser, platform, token) as context:
        page = context.new_page()
        wrong = watch(page, platform.airflow_api)
        for address in ("models", "drift", "lineage/prediction", ""):
            place = f"{platform.airflow_api}/millrace/{address}?case={asked.name}"
            page.goto(place, wait_until="networkidle")
            assert page.locator("h1").count() == 1, address
            assert serious(page) == [], address
            assert wrong == [], address
            if address == "models":
                heads = page.get_by_role("region", name="Versions").locator("th")
                assert metrics_named(asked) <= set(heads.all_inner_texts())


def metrics_named(asked: Asked) -> set[str]:
    task = Regression() if asked.task == "regression" else Multiclass(classes=made_tables.TEAMS)
    return {metric.title for metric in task.metrics}
