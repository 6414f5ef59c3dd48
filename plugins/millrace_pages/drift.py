"""Drift: every verdict, what moved, and Evidently's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from millrace_pages import charts, queries, site
from millrace_pages.site import Case, Journal, Page, PageNumber

router = APIRouter()
PAGE = Page("/drift", "Drift", router)

SAID: Mapping[bool | None, str] = {True: "drift", False: "no drift", None: "no verdict"}
TONE: Mapping[bool | None, str] = {True: "bad", False: "good", None: "skipped"}


@dataclass(frozen=True)
class Moved:
    """One column of the model's inputs, or its answers; shares are 0 to 1."""

    name: str
    drifted: bool
    distance: float | None
    missing_before: float
    missing_now: float


def moved(statistics: Mapping[str, Any]) -> list[Moved]:
    """The answers first, then the inputs: what drifted, and what moved most, on top."""
    inputs = [_moved(column) for column in statistics.get("inputs", ())]
    prediction = statistics.get("prediction")
    answers = [_moved(prediction)] if prediction else []
    return [*answers, *sorted(inputs, key=_severity, reverse=True)]


def _moved(column: Mapping[str, Any]) -> Moved:
    return Moved(
        name=column["name"],
        drifted=column["drifted"],
        distance=column["distance"],
        missing_before=column["missing_share_reference"],
        missing_now=column["missing_share_current"],
    )


def _severity(column: Moved) -> tuple[bool, float]:
    """A column that appeared or vanished has no distance, and is worse than any that has."""
    without = float("inf") if column.drifted else -1.0
    return column.drifted, without if column.distance is None else column.distance


def shares(rows: queries.Rows) -> Sequence[float]:
    """The drifted shares, oldest first; where there was no verdict there is no point."""
    return [row.drifted_share for row in reversed(rows) if row.drifted_share is not None]


@router.get("/drift")
def verdicts(
    request: Request, journal: Journal, case: Case, page: PageNumber = 1, interval: str = ""
) -> HTMLResponse:
    """Every verdict, newest first."""
    rows, paging = queries.verdicts_of(journal, case.name, interval, page)
    line = charts.line(shares(queries.drifted_shares(journal, case.name)), "share of inputs")
    return site.draw(
        request,
        "drift.html",
        case=case,
        verdicts=rows,
        paging=paging,
        line=line,
        watch=case.training.watch if case.training else None,
        said=SAID,
        tone=TONE,
        asked={"interval": interval},
    )


@router.get("/drift/{number}")
def one(request: Request, journal: Journal, number: int) -> HTMLResponse:
    """One verdict, column by column."""
    row = queries.verdict(journal, number)
    if row is None:
        raise HTTPException(404, f"No verdict has the number {number}.")
    return site.draw(
        request,
        "moved.html",
        case=site.case_named(row.case_name),
        verdict=row,
        columns=moved(row.statistics),
        quality=row.statistics["quality"],
        promised=row.statistics["quality_of_reference"],
        said=SAID,
        tone=TONE,
    )
