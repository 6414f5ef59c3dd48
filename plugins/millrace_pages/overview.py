"""Overview: how each case stands, on one page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from millrace_pages import queries, runs, site
from millrace_pages.queries import Rows
from millrace_pages.runs import Attempt
from millrace_pages.site import Journal, Page
from pipelines import use_cases
from pipelines.insight import status
from pipelines.use_cases.spec.use_case import UseCase

router = APIRouter()
PAGE = Page("/", "Overview", router)

_NUM_ATTEMPTS = 12


@dataclass(frozen=True)
class Standing:
    """One case: what `millrace status` says of it, and its newest attempts."""

    case: UseCase
    known_until: str | None
    num_tables: int
    num_quarantined: int
    champion: Mapping[str, Any] | None
    challenger: Mapping[str, Any] | None
    predictions: Mapping[str, Any] | None
    drift: Mapping[str, Any] | None
    attempts: tuple[Attempt, ...]

    @property
    def is_empty(self) -> bool:
        return not self.attempts


def standing(case: UseCase, found: Mapping[str, Any], attempts: Rows) -> Standing:
    """The view of one case."""
    return Standing(
        case=case,
        known_until=found["features_known_until"],
        num_tables=len(found["tables"]),
        num_quarantined=found["quarantined"],
        champion=found["champion"],
        challenger=found["challenger"],
        predictions=found["predictions"],
        drift=found["drift"],
        attempts=tuple(runs.attempt(row) for row in attempts),
    )


@router.get("/")
def overview(request: Request, journal: Journal) -> HTMLResponse:
    """Every case; of one that can't be loaded its error."""
    cases = use_cases.load()
    standings = [
        standing(
            case,
            status.case_status(journal, case),
            queries.newest_attempts(journal, case.name, _NUM_ATTEMPTS),
        )
        for case in cases.found.values()
    ]
    return site.draw(request, "overview.html", standings=standings, broken=cases.broken.values())
