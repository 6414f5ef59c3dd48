"""Data: the published tables, their versions, and their rows over time."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Row

from millrace_pages import charts, queries, site
from millrace_pages.charts import Line
from millrace_pages.queries import Rows
from millrace_pages.site import Case, Journal, Page, PageNumber, TheSettings
from pipelines.insight import status
from pipelines.stores import objects

router = APIRouter()
PAGE = Page("/data", "Data", router)

LAYERS: Mapping[str, str] = {
    "bronze": "as the sources published it",
    "quarantine": "rows that broke their contract",
    "silver": "clean and conformed",
    "gold": "entity states, labels, predictions",
}


def tables(newest: Rows, counts: Rows) -> Mapping[str, list[tuple[Row[Any], Line | None]]]:
    """The tables of each layer, in the order the data travels, each with its rows over time."""
    history = defaultdict[str, list[int]](list)
    for row in reversed(counts):
        history[row.table_name].append(row.rows)
    found: dict[str, list[tuple[Row[Any], Line | None]]] = {layer: [] for layer in LAYERS}
    for row in newest:
        line = charts.line(history[row.table_name], f"rows of {row.table_name}")
        found.setdefault(row.table_name.partition(".")[0], []).append((row, line))
    return {layer: rows for layer, rows in found.items() if rows}


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
    newest = status.newest_published(journal, case)
    # dbt's pages of the case, once they were made.
    docs = f"dbt/{case.name}/index.html"
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
