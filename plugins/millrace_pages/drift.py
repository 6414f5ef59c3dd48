"""Drift: every verdict, what moved, and Evidently's page."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from millrace_pages import charts, queries, site
from millrace_pages.site import Case, Journal, Page, PageNumber

router = APIRouter()
PAGE = Page("/drift", "Drift", router)


def moved(statistics: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The answers first, then the inputs: what drifted, and what moved most, on top."""
    prediction = statistics.get("prediction")
    inputs = sorted(statistics.get("inputs", ()), key=_severity, reverse=True)
    return [*([prediction] if prediction else []), *inputs]


def _severity(column: Mapping[str, Any]) -> tuple[bool, float]:
    """A column that appeared or vanished has no distance, and is worse than any that has."""
    without = float("inf") if column["drifted"] else -1.0
    return column["drifted"], without if column["distance"] is None else column["distance"]


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
    )
