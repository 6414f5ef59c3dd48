"""Drift: every verdict, what moved, and Evidently's page."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from millrace_pages import charts, queries, site
from millrace_pages.site import Case, Journal, OfModel, Page, PageNumber
from pipelines.insight import metrics
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase

# Verdicts of before had one limit for every column, and did not keep it.
_OF_BEFORE: dict[str, Any] = {"distance_max": None, "notes": ()}

router = APIRouter()
PAGE = Page("/drift", "Drift", router)


def moved(statistics: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The answers first, then the inputs: what drifted, and what moved most, on top."""
    inputs = sorted(statistics.get("inputs", ()), key=_severity, reverse=True)
    return [{**_OF_BEFORE, **each} for each in (*statistics.get("answers", ()), *inputs)]


def quality(
    statistics: Mapping[str, Any], titles: Mapping[str, str]
) -> list[tuple[str, float | None, float | None]]:
    """What was measured since, and when the model was promoted: facts of the labels, metrics."""
    return _beside(statistics["quality"], statistics["quality_of_reference"], titles)


def answer_facts(
    statistics: Mapping[str, Any], titles: Mapping[str, str]
) -> list[tuple[str, float | None, float | None]]:
    """What the task says of answers alone, now and of the reference; of older verdicts nothing."""
    now, then = (statistics.get(f"answer_facts{of}", {}) for of in ("", "_of_reference"))
    return _beside(now, then, titles)


def _beside(
    now: Mapping[str, Any], then: Mapping[str, Any], titles: Mapping[str, str]
) -> list[tuple[str, float | None, float | None]]:
    names = [name for name in {**then, **now} if name != "num_rows"]
    return [(titles.get(name, name), now.get(name), then.get(name)) for name in names]


def _titles(case: UseCase | None, model: Model | None) -> Mapping[str, str]:
    if case is None:
        return {}
    return {**metrics.fact_titles(case, model), **metrics.titles(case, model)}


def _severity(column: Mapping[str, Any]) -> tuple[bool, float]:
    """A column that appeared or vanished has no distance, and is worse than any that has."""
    without = float("inf") if column["drifted"] else -1.0
    return column["drifted"], without if column["distance"] is None else column["distance"]


def shares(rows: queries.Rows) -> Sequence[float]:
    """The drifted shares, oldest first; where there was no verdict there is no point."""
    return [row.drifted_share for row in reversed(rows) if row.drifted_share is not None]


@router.get("/drift")
def verdicts(
    request: Request,
    journal: Journal,
    case: Case,
    model: OfModel,
    page: PageNumber = 1,
    interval: str = "",
) -> HTMLResponse:
    """Every verdict on one model's answers, newest first."""
    name = model.name if model else ""
    rows, paging = queries.verdicts_of(journal, case.name, name, interval, page)
    line = charts.line(shares(queries.drifted_shares(journal, case.name, name)), "share of inputs")
    return site.draw(
        request,
        "drift.html",
        case=case,
        model=model,
        verdicts=rows,
        paging=paging,
        line=line,
        watch=model.watch if model else None,
        asked={"interval": interval},
    )


@router.get("/drift/{number}")
def one(request: Request, journal: Journal, number: int) -> HTMLResponse:
    """One verdict, column by column."""
    row = queries.verdict(journal, number)
    if row is None:
        raise HTTPException(404, f"No verdict has the number {number}.")
    case = site.case_named(row.case_name)
    model = next((each for each in case.models if each.name == row.model), None) if case else None
    titles = _titles(case, model)
    return site.draw(
        request,
        "moved.html",
        case=case,
        model=model,
        verdict=row,
        columns=moved(row.statistics),
        quality=quality(row.statistics, titles),
        answer_facts=answer_facts(row.statistics, titles),
        num_labelled=row.statistics["quality"]["num_rows"],
    )
