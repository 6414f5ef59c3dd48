"""Validation: what was found of each table, night by night, and why a night was not published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Row

from millrace_pages import queries, site
from millrace_pages.data import LAYERS
from millrace_pages.queries import Rows
from millrace_pages.site import Case, Journal, Page, PageNumber, TheSettings
from pipelines.stores import objects

router = APIRouter()
PAGE = Page("/validation", "Validation", router)

STATES = ("passed", "warned", "failed")


@dataclass(frozen=True)
class Strip:
    """One table over the newest intervals, oldest first; None where it was not judged."""

    table: str
    cells: tuple[Row[Any] | None, ...]


@dataclass(frozen=True)
class Finding:
    """What one expectation found; `state` is passed, warned, failed or *not judged*."""

    expectation: str
    column: str
    expected: str
    state: str
    observed: Any
    samples: tuple[str, ...]
    because: str
    error: str | None


def strips(rows: Rows) -> tuple[Sequence[str], Sequence[Strip]]:
    """The intervals, oldest first, and each table's strip over them."""
    newest = {row.interval: row.of_interval for row in rows}
    intervals = sorted(newest, key=lambda interval: newest[interval])
    cells = {(row.table_name, row.interval): row for row in rows}
    tables = sorted({row.table_name for row in rows}, key=_on_its_way)
    return intervals, [
        Strip(table, tuple(cells.get((table, interval)) for interval in intervals))
        for table in tables
    ]


def _on_its_way(table: str) -> tuple[int, str]:
    """The order in which the data passes the layers."""
    layers = tuple(LAYERS)
    layer = table.partition(".")[0]
    return layers.index(layer) if layer in layers else len(layers), table


def findings(results: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """What each expectation found: what is broken comes first."""
    found = [
        Finding(
            expectation=each["expectation"].removeprefix("expect_").replace("_", " "),
            column=each["column"],
            # Neither stands in what was kept before there was this page.
            expected=_in_words(each.get("expected", {})),
            samples=tuple(each.get("samples", ())),
            state=_state(each),
            observed=each["observed"],
            because=each["because"],
            error=each["error"],
        )
        for each in results
    ]
    order = ("failed", "not judged", "warned", "passed")
    return sorted(found, key=lambda finding: order.index(finding.state))


def _in_words(expected: Mapping[str, Any]) -> str:
    """The arguments of an expectation, such as its limits."""
    return ", ".join(
        _argument(name.replace("_", " "), value)
        for name, value in expected.items()
        if value is not False
    )


def _argument(name: str, value: Any) -> str:
    if value is True:
        return name
    return f"{name} {' | '.join(map(str, value)) if isinstance(value, list) else value}"


def _state(found: Mapping[str, Any]) -> str:
    if found["error"]:
        return "not judged"
    if found["success"]:
        return "passed"
    return "failed" if found["severity"] == "critical" else "warned"


@router.get("/validation")
def validated(
    request: Request,
    journal: Journal,
    case: Case,
    page: PageNumber = 1,
    table: str = "",
    state: str = "",
    interval: str = "",
) -> HTMLResponse:
    """All tables over the newest intervals, and the verdicts one by one."""
    rows, paging = queries.validated(journal, case.name, table, state, interval, page)
    intervals, found = strips(queries.recent_validations(journal, case.name))
    return site.draw(
        request,
        "validation.html",
        case=case,
        intervals=intervals,
        strips=found,
        verdicts=rows,
        paging=paging,
        states=STATES,
        tables=[strip.table for strip in found],
        asked={"table": table, "state": state, "interval": interval},
    )


@router.get("/validation/{number}")
def one(request: Request, journal: Journal, settings: TheSettings, number: int) -> HTMLResponse:
    """One verdict, expectation by expectation; and Data Docs of it, where somebody built them."""
    row = queries.validation(journal, number)
    if row is None:
        raise HTTPException(404, f"No validation has the number {number}.")
    return site.draw(
        request,
        "finding.html",
        case=site.case_named(row.case_name),
        verdict=row,
        findings=findings(row.results),
        docs=row.page if row.page and objects.reports(settings).exists(row.page) else None,
    )
