"""Overview: how each case stands, on one page."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from millrace_pages import queries, runs, site
from millrace_pages.site import Journal, Page
from pipelines import use_cases
from pipelines.insight import metrics, status

router = APIRouter()
PAGE = Page("/", "Overview", router)

_NUM_ATTEMPTS = 12


@router.get("/")
def overview(request: Request, journal: Journal) -> HTMLResponse:
    """Every case; of one that can't be loaded its error."""
    cases = use_cases.load()
    standings = [
        (
            case,
            status.case_status(journal, case),
            {model.name: metrics.titles(case, model) for model in case.models},
            runs.shown(queries.newest_attempts(journal, case.name, _NUM_ATTEMPTS)),
        )
        for case in cases.found.values()
    ]
    return site.draw(
        request,
        "overview.html",
        standings=standings,
        unavailable=cases.unavailable,
        broken=cases.broken.values(),
    )
