"""Data: the published tables, their versions, and their rows over time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from millrace_pages import charts, queries, site
from millrace_pages.charts import Line
from millrace_pages.queries import Rows
from millrace_pages.site import Case, Journal, Page, PageNumber, TheSettings
from pipelines.stores import objects

router = APIRouter()
PAGE = Page("/data", "Data", router)

LAYERS: Mapping[str, str] = {
    "bronze": "as the sources published it",
    "quarantine": "rows that broke their contract",
    "silver": "clean and conformed",
    "gold": "entity states, labels, predictions",
}


@dataclass(frozen=True)
class Table:
    """What readers see of a table."""

    name: str
    layer: str
    rows: int
    version: int
    interval: str
    until: datetime
    published_at: datetime
    line: Line | None


def tables(newest: Rows, counts: Rows) -> Mapping[str, list[Table]]:
    """The tables of each layer, in the order the data travels."""
    history: dict[str, list[int]] = {}
    for row in reversed(counts):
        history.setdefault(row.table_name, []).append(row.rows)
    found: dict[str, list[Table]] = {layer: [] for layer in LAYERS}
    for row in newest:
        table = _table(row, history.get(row.table_name, []))
        found.setdefault(table.layer, []).append(table)
    return {layer: rows for layer, rows in found.items() if rows}


def _table(row: Any, history: list[int]) -> Table:
    return Table(
        name=row.table_name,
        layer=row.table_name.partition(".")[0],
        rows=row.rows,
        version=row.version,
        interval=row.interval,
        until=row.until,
        published_at=row.published_at,
        line=charts.line(history, f"rows of {row.table_name}"),
    )


def docs_page(case: str) -> str:
    """Where dbt's pages of a case are, relative to the reports, once they were made."""
    return f"dbt/{case}/index.html"


@router.get("/data")
def published(
    request: Request,
    journal: Journal,
    settings: TheSettings,
    case: Case,
    page: PageNumber = 1,
    interval: str = "",
) -> HTMLResponse:
    """The tables, or what one interval published."""
    newest = queries.newest_published(journal, case.name)
    docs = docs_page(case.name)
    listed = queries.publications(journal, case.name, "", interval, page) if interval else None
    return site.draw(
        request,
        "data.html",
        case=case,
        layers=tables(newest, queries.row_counts(journal, case.name)),
        about=LAYERS,
        docs=docs if objects.reports(settings).exists(docs) else None,
        listed=listed,
        asked={"interval": interval},
    )


@router.get("/data/{name}")
def table(
    request: Request, journal: Journal, case: Case, name: str, page: PageNumber = 1
) -> HTMLResponse:
    """One table: every publication."""
    rows, paging = queries.publications(journal, case.name, name, "", page)
    if not rows:
        raise HTTPException(404, f"{case.name} has published no table {name!r}.")
    counts = [row.rows for row in reversed(rows)]
    return site.draw(
        request,
        "table.html",
        case=case,
        name=name,
        publications=rows,
        paging=paging,
        line=charts.line(counts, f"rows of {name}"),
    )
