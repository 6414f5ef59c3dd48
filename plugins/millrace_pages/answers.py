"""Answers: the newest published ones of a model, as its task makes them readable."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from millrace_pages import answered, answers_fan, answers_list, answers_table, site
from millrace_pages.answered import Answered
from millrace_pages.site import Case, Journal, OfModel, Page, PageNumber, TheSettings

router = APIRouter()
PAGE = Page("/answers", "Answers", router)

# What is read for the one that is asked for, or for a page of all.
Shown: TypeAlias = Callable[[Answered, str, int], Mapping[str, Any]]

# The template and its values, by the task; any other task's answers are a table.
KINDS: Mapping[str, tuple[str, Shown]] = {
    "forecast": ("answers_fan.html", answers_fan.shown),
    "ranking": ("answers_list.html", answers_list.shown),
}
TABLE: tuple[str, Shown] = ("answers_table.html", answers_table.shown)


@router.get("/answers")
def answers(
    request: Request,
    journal: Journal,
    settings: TheSettings,
    case: Case,
    model: OfModel,
    of: str = "",
    page: PageNumber = 1,
) -> HTMLResponse:
    """The answers of the newest day; where one thing is looked at, those about `of`."""
    found = answered.find(settings, journal, case, model) if model else None
    kind, shown = KINDS.get(model.task, TABLE) if model else TABLE
    return site.draw(
        request,
        "answers.html",
        case=case,
        model=model,
        found=found,
        kind=kind,
        **(shown(found, of, page) if found else {}),
    )
