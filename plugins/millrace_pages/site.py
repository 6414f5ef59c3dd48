"""What every page shares: its entry in the navigation, its inputs, and how it is drawn."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Engine

from millrace_pages import words
from pipelines import use_cases
from pipelines.core.journal import engine
from pipelines.core.settings import Settings
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase

FOLDER = Path(__file__).parent
ROWS_A_PAGE = 50
# Nobody turns so many pages, and PostgreSQL walks over all the rows before them.
_PAGES_MAX = 2000


@dataclass(frozen=True)
class Page:
    """One entry of the navigation: its address, its name, and its routes."""

    path: str
    title: str
    router: APIRouter


@dataclass(frozen=True)
class Paging:
    """Which part of a long list is shown; `total` rows there are in all."""

    number: int
    total: int

    @property
    def last(self) -> int:
        return max(1, math.ceil(self.total / ROWS_A_PAGE))


def templates() -> Environment:
    """The templates; whatever comes from data is escaped."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= words.FILTERS
    return environment


def settings(request: Request) -> Settings:
    """The platform's settings, as the app was made with."""
    found: Settings = request.app.state.settings
    return found


def journal(request: Request) -> Engine:
    """The engine on the journal."""
    return engine(settings(request))


def case(asked: Annotated[str, Query(alias="case")] = "") -> UseCase:
    """The case of the address; without one the first, of those that wait for nobody if there is."""
    cases = use_cases.load()
    # False comes before True, and the names stay in their order.
    names = sorted(cases.found, key=lambda name: cases.found[name].on_demand)
    chosen = asked or next(iter(names), "")
    if chosen in cases.broken:
        raise HTTPException(404, f"The case {chosen} can't be loaded: {cases.broken[chosen]}.")
    if chosen not in cases.found:
        there_are = ", ".join(cases.found) or "none that can be loaded"
        raise HTTPException(404, f"There is no case {chosen!r}; there is {there_are}.")
    return cases.found[chosen]


Case = Annotated[UseCase, Depends(case)]


def model(case: Case, asked: Annotated[str, Query(alias="model")] = "") -> Model | None:
    """The case's model of the address; without one its first. None: the case has none.

    Raises:
        UsageError: it has none of that name.
    """
    if asked:
        return case.model(asked)
    return next(iter(case.models), None)


def case_named(name: str) -> UseCase | None:
    """The case that a row of the journal is of; None: it is gone, or can't be loaded."""
    return use_cases.load().found.get(name)


TheSettings = Annotated[Settings, Depends(settings)]
Journal = Annotated[Engine, Depends(journal)]
OfModel = Annotated[Model | None, Depends(model)]
PageNumber = Annotated[int, Query(alias="page", ge=1, le=_PAGES_MAX)]


def draw(request: Request, template: str, **values: Any) -> HTMLResponse:
    """A page as the answer; `base` is where the app is mounted."""
    found = request.app.state.templates.get_template(template)
    given = {
        "request": request,
        "base": request.scope.get("root_path", ""),
        "pages": request.app.state.pages,
        "cases": tuple(use_cases.load().found),
        "case": None,
        "model": None,
    }
    return HTMLResponse(found.render(given | values))
