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
from pipelines.core.journal import engine
from pipelines.core.settings import Settings
from pipelines.use_cases import USE_CASES
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
    """The case of the address; without one the first."""
    chosen = asked or next(iter(USE_CASES))
    if chosen not in USE_CASES:
        there_are = ", ".join(USE_CASES)
        raise HTTPException(404, f"There is no case {chosen!r}; there is {there_are}.")
    return USE_CASES[chosen]


TheSettings = Annotated[Settings, Depends(settings)]
Journal = Annotated[Engine, Depends(journal)]
Case = Annotated[UseCase, Depends(case)]
PageNumber = Annotated[int, Query(alias="page", ge=1, le=_PAGES_MAX)]


def draw(request: Request, template: str, **values: Any) -> HTMLResponse:
    """A page as the answer; `base` is where the app is mounted."""
    found = request.app.state.templates.get_template(template)
    given = {
        "request": request,
        "base": request.scope.get("root_path", ""),
        "pages": request.app.state.pages,
        "cases": tuple(USE_CASES),
        "case": None,
    }
    return HTMLResponse(found.render(given | values))
