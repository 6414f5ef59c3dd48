"""Runs: every attempt of every stage, and of one run of a Dag."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Row

from millrace_pages import queries, site
from millrace_pages.queries import Rows
from millrace_pages.site import Case, Journal, Page, PageNumber
from pipelines.core import addresses
from pipelines.core.registry import STAGES

router = APIRouter()
PAGE = Page("/runs", "Runs", router)

STATES = ("done", "running", "nothing due", "failed")
# The colour of each state; nothing due is Airflow's *skipped*.
_TONES = {"done": "good", "running": "busy", "nothing due": "skipped", "failed": "bad"}


@dataclass(frozen=True)
class Attempt:
    """A row of `ops.runs`, and what is shown with it.

    Args:
        model: what it was about, where its case has several.
        reports: the name and the address of each page that shows what it did.
        task: the address of its task in Airflow, if Airflow started it.
    """

    row: Row[Any]
    model: str | None
    tone: str
    reports: Mapping[str, str]
    task: str | None


def shown(rows: Rows) -> list[Attempt]:
    """Attempts as they are listed."""
    return [_attempt(row) for row in rows]


def _attempt(row: Row[Any]) -> Attempt:
    case = site.case_named(row.case_name)
    model = row.model if case is None or len(case.models) > 1 else None
    return Attempt(
        row,
        model,
        tone=_TONES.get(row.state, "skipped"),
        reports=addresses.reports(row.stage, row.case_name, row.interval, model),
        task=task_address(row.airflow_run),
    )


def task_address(airflow_run: str | None) -> str | None:
    """Where Airflow shows the task instance `dag/run/task`; None: no Airflow started it."""
    # A run's name may hold a slash, such as that of a range's key.
    dag, _, rest = (airflow_run or "").partition("/")
    run, _, task = rest.rpartition("/")
    if not run:
        return None
    dag, run, task = (quote(part, safe="") for part in (dag, run, task))
    return f"/dags/{dag}/runs/{run}/tasks/{task}"


@router.get("/runs")
def attempts(
    request: Request,
    journal: Journal,
    case: Case,
    page: PageNumber = 1,
    stage: str = "",
    state: str = "",
    interval: str = "",
    dag: str = "",
    run: str = "",
) -> HTMLResponse:
    """Attempts, newest first; of one run of a Dag where the address names one."""
    if dag and run:
        # The tab in Airflow says no case: the Dag does.
        case = site.case_named(dag.partition(".")[0]) or case
        rows, paging = queries.attempts_of_dag_run(journal, dag, run, page)
    else:
        rows, paging = queries.attempts(journal, case.name, stage, state, interval, page)
    return site.draw(
        request,
        "runs.html",
        case=case,
        attempts=shown(rows),
        paging=paging,
        stages=tuple(STAGES),
        states=STATES,
        asked={"stage": stage, "state": state, "interval": interval, "dag": dag, "run": run},
    )
