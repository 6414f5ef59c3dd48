"""Lineage: the way of the data as a picture, of one column, and of one prediction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from millrace_pages import site
from millrace_pages.site import Case, Journal, OfModel, Page, TheSettings
from pipelines.insight.lineage import facts, graph, history, kept, predictions, walk
from pipelines.insight.lineage.case import CaseLineage
from pipelines.insight.lineage.walk import Step

router = APIRouter()
PAGE = Page("/lineage", "Lineage", router)


@dataclass(frozen=True)
class Chosen:
    """A table or one of its columns, and the tables on its way.

    Args:
        column: empty: the whole table.
        sources, impact: trees in words, of a column.
    """

    table: str
    column: str
    on_the_way: frozenset[str]
    sources: str = ""
    impact: str = ""


def chosen(known: CaseLineage, at: str) -> Chosen | None:
    """What an address asks for: TABLE, TABLE.COLUMN, or nothing.

    Raises:
        UsageError: there is no such table or column; names the nearest ones.
    """
    if not at:
        return None
    if at in known.by_name:
        reads = {node.name: node.reads for node in known.nodes}
        return Chosen(at, "", _reached(reads, at) | _reached(_turned(reads), at))
    field = walk.asked_field(known, at)
    sources = walk.walk(known, field, "upstream")
    impact = walk.walk(known, field, "downstream")
    return Chosen(
        field.table,
        field.column,
        frozenset(_tables(sources)) | frozenset(_tables(impact)),
        walk.in_words(sources),
        walk.in_words(impact),
    )


def _reached(ways: Mapping[str, Iterable[str]], start: str) -> frozenset[str]:
    found, waiting = {start}, [start]
    while waiting:
        new = set(ways.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return frozenset(found)


def _turned(ways: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    turned: dict[str, list[str]] = {}
    for start, ends in ways.items():
        for end in ends:
            turned.setdefault(end, []).append(start)
    return turned


def _tables(step: Step) -> set[str]:
    return {step.table}.union(*(_tables(each) for each in step.steps))


@router.get("/lineage")
def picture(
    request: Request, journal: Journal, settings: TheSettings, case: Case, at: str = ""
) -> HTMLResponse:
    """The picture; with a table or column also what it comes from and goes into."""
    known = kept.read(settings, journal, case)
    asked = chosen(known, at.strip()) if known else None
    shown = graph.graph(known, graph.statuses(journal, case, known)) if known else None
    boxes = {box.node.name: box for box in shown.boxes} if shown else {}
    return site.draw(
        request,
        "lineage.html",
        case=case,
        graph=shown,
        chosen=asked,
        box=boxes[asked.table] if asked else None,
    )


@router.get("/lineage/prediction")
def prediction(
    request: Request,
    journal: Journal,
    settings: TheSettings,
    case: Case,
    model: OfModel,
    id: str = predictions.NEWEST,  # noqa: A002  (as the address has it)
) -> HTMLResponse:
    """All that one prediction was made of, down to the landing files."""
    past, chosen = history.read(journal, case.name), model or case.model()
    said = predictions.find(settings, past, case, chosen, id.strip() or predictions.NEWEST)
    known = kept.read(settings, journal, case) or CaseLineage(case.name, ())
    fact = facts.Provenance(case, known, past).prediction(said)
    return site.draw(
        request,
        "prediction.html",
        case=case,
        model=chosen,
        said=said,
        tree=facts.in_words(fact),
    )
