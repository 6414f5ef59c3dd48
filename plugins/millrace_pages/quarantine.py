"""Quarantine: the rows that broke their contract, with all reasons, as they came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Engine, Row

from millrace_pages import quarantined, queries, site
from millrace_pages.quarantined import Filter, QuarantinedRow
from millrace_pages.site import ROWS_A_PAGE, Case, Journal, Page, PageNumber, TheSettings
from pipelines.core.settings import Settings
from pipelines.insight import status
from pipelines.stores import lake
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import UseCase

router = APIRouter()
PAGE = Page("/quarantine", "Quarantine", router)


@dataclass(frozen=True)
class FeedState:
    """One feed's quarantine: what is published of it, and a build that is not.

    Args:
        build: its rows wait for a check to pass, or were refused by one.
    """

    name: str
    published: Row[Any] | None
    build: Row[Any] | None


def feed_states(
    case: UseCase, published: Mapping[str, Row[Any]], builds: Mapping[str, Row[Any]]
) -> list[FeedState]:
    """Every feed of a case, in its order."""
    tables = {feed.name: case.table("quarantine", feed.name) for feed in case.feeds}
    return [
        FeedState(name, published.get(table), builds.get(table)) for name, table in tables.items()
    ]


def _states(journal: Engine, case: UseCase) -> list[FeedState]:
    names = [case.table("quarantine", feed.name) for feed in case.feeds]
    builds = {row.table_name: row for row in queries.unproven(journal, names)}
    published = {row.table_name: row for row in status.newest_published(journal, case)}
    return feed_states(case, published, builds)


@dataclass(frozen=True)
class Asked:
    """Which rows an address asks for, wherever they are."""

    settings: Settings
    case: UseCase
    rows: Filter
    page: int
    built: bool

    def shows_build(self, state: FeedState) -> bool:
        """Whether what is not published is shown: of an interval that was refused, it is."""
        asked, build = self.rows.interval, state.build
        return self.built or bool(asked and build and asked.key == build.interval)

    def of(self, state: FeedState) -> list[QuarantinedRow]:
        """One row more than a page has, to know whether there is a next one."""
        shown = state.build if self.shows_build(state) else state.published
        if shown is None:
            return []
        skip = (self.page - 1) * ROWS_A_PAGE
        name = self.case.build_table("quarantine", state.name)
        table = lake.of(self.settings).table(name, shown.version)
        return quarantined.rows(table, self.rows, skip, ROWS_A_PAGE + 1)


@router.get("/quarantine")
def quarantine(
    request: Request,
    journal: Journal,
    settings: TheSettings,
    case: Case,
    page: PageNumber = 1,
    feed: str = "",
    reason: str = "",
    interval: str = "",
    built: bool = False,
) -> HTMLResponse:
    """How many rows each feed has there, and those of one feed."""
    states = _states(journal, case)
    wanted = Filter(reason, Interval.parse(interval) if interval else None)
    asked = Asked(settings, case, wanted, page, built)
    named = [state for state in states if state.name == feed]
    fullest = sorted(states, key=lambda state: -(state.published.rows if state.published else 0))
    # Of an interval, the first feed that has rows of it.
    candidates = named or (fullest if interval else fullest[:1])
    with_rows = ((state, rows) for state in candidates if (rows := asked.of(state)))
    chosen, found = next(with_rows, (candidates[0], []))
    return site.draw(
        request,
        "quarantine.html",
        case=case,
        states=states,
        chosen=chosen,
        rows=found[:ROWS_A_PAGE],
        page=page,
        has_next=len(found) > ROWS_A_PAGE,
        rate_max=case.quarantine_rate_max,
        asked={"reason": reason, "interval": interval, "built": asked.shows_build(chosen)},
    )
