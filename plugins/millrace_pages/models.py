"""Models: every version, what it was worth, what may leak, and every word of the gate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Row

from millrace_pages import queries, site
from millrace_pages.queries import Rows
from millrace_pages.site import Case, Journal, OfModel, Page, PageNumber, TheSettings
from pipelines.core import addresses
from pipelines.core.journal import parsed
from pipelines.core.outcomes import Audited, Trained
from pipelines.core.registry import LEAKS, TRAIN
from pipelines.insight import metrics
from pipelines.insight.values import in_words
from pipelines.learning import champion

router = APIRouter()
PAGE = Page("/models", "Models", router)


@dataclass(frozen=True)
class Version:
    """One registered version, and where MLflow shows it and its run."""

    number: int
    interval: str
    wall_seconds: float | None
    evaluation: Mapping[str, Any]
    decisions: tuple[str, ...]
    is_champion: bool
    model: str
    run: str


def version(
    registered: str,
    row: Row[Any],
    decisions: Sequence[str],
    champion_now: int | None,
    mlflow: str,
) -> Version:
    """A finished training as it is shown."""
    made = _made(row)
    return Version(
        number=made.number,
        interval=row.interval,
        wall_seconds=row.wall_seconds,
        evaluation=made.evaluation or {},
        decisions=tuple(decisions),
        is_champion=made.number == champion_now,
        model=mlflow + addresses.model(registered, made.number),
        run=mlflow + addresses.mlflow_run(made.run_id),
    )


def _made(row: Row[Any]) -> Trained:
    return parsed(TRAIN, row.result).details


def evidence(found: Mapping[str, Any], titles: Mapping[str, str]) -> tuple[str, ...]:
    """What the gate looked at, or a refresh brought, in words; nothing where a person decided."""
    if not found:
        return ()
    if "learned" in found:
        facts = (f"{name} {in_words(value)}" for name, value in found["facts"].items())
        return (f"learned as version {found['learned']}", *facts)
    said, metric = [f"{found['num_rows']:,} evaluation rows"], found["metric"]
    named = ((titles.get(metric, metric), found["value"], ""), ("gain", found["gain"], "+"))
    for name, interval, sign in named:
        if interval:
            low, high = interval["low"], interval["high"]
            estimate = f"{interval['estimate']:{sign}.4f}"
            between = f"between {low:{sign}.4f} and {high:{sign}.4f}"
            said.append(f"{name} {estimate}; {interval['level']:.0%} sure it is {between}")
    return tuple(said)


@dataclass(frozen=True)
class Audit:
    """A look for inputs that know the future: each finding with its kind, in words."""

    interval: str
    ended_at: datetime
    summary: str
    findings: tuple[tuple[str, str], ...]


def audit(row: Row[Any] | None) -> Audit | None:
    """The last look as it is shown; None: nobody looked yet."""
    if row is None:
        return None
    found: Audited = parsed(LEAKS, row.result).details
    kinds = {
        "another value as known then": found.moved,
        "nothing from the state before": found.fading,
        "decides alone": found.deciding,
    }
    said = ((kind, str(each)) for kind, findings in kinds.items() for each in findings)
    return Audit(row.interval, row.ended_at, found.summary, tuple(said))


def by_version(rows: Rows) -> Mapping[int, list[str]]:
    """What was decided on each version, oldest first."""
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row.version, []).append(row.decision)
    return found


@router.get("/models")
def models(
    request: Request,
    journal: Journal,
    settings: TheSettings,
    case: Case,
    model: OfModel,
    page: PageNumber = 1,
    answers: Annotated[int, Query(ge=1, le=2000)] = 1,
    interval: str = "",
) -> HTMLResponse:
    """The versions of one model, and the gate's journal; each has its pages."""
    name = model.name if model else ""
    rows, paging = queries.trainings(journal, case.name, name, page)
    said, said_paging = queries.promotions_of(journal, case.name, name, interval, answers)
    numbers = [_made(row).number for row in rows]
    decided = by_version(queries.decisions_on(journal, case.name, name, numbers))
    now = champion.current(journal, case.name, name)
    registered = addresses.registered(case.name, name)
    versions = [
        version(
            registered,
            row,
            decided.get(number, ()),
            now.learned if now else None,
            settings.mlflow_page,
        )
        for row, number in zip(rows, numbers, strict=True)
    ]
    return site.draw(
        request,
        "models.html",
        case=case,
        model=model,
        champion=now,
        versions=versions,
        titles=metrics.titles(case, model),
        paging=paging,
        answers=said,
        evidence=evidence,
        answers_paging=said_paging,
        audit=audit(queries.newest_audit(journal, case.name, name)),
        registered=registered,
        mlflow=settings.mlflow_page,
        asked={"interval": interval},
    )
