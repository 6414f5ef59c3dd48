"""Features: what each means, is made of and goes into, how fresh it is, how it was day by day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Row

from millrace_pages import charts, queries, site
from millrace_pages.charts import Line
from millrace_pages.site import Case, Journal, Page, TheSettings
from pipelines.core.settings import Settings
from pipelines.insight import features, statistics, status
from pipelines.insight.features import Feature
from pipelines.insight.lineage import kept
from pipelines.insight.statistics import Day
from pipelines.stores import lake
from pipelines.use_cases.spec.use_case import EntityState, UseCase

router = APIRouter()
PAGE = Page("/features", "Features", router)


@dataclass(frozen=True)
class Freshness:
    """How far a state reaches: as readers see it, and online.

    Args:
        published: its newest publication; None: there is none.
        online_until: the instant as of which it is online; None: it never was.
    """

    state: EntityState
    published: Row[Any] | None
    online_until: datetime | None


def freshness(
    case: UseCase, published: Sequence[Row[Any]], online: Mapping[str, datetime]
) -> Mapping[str, Freshness]:
    """Of each state, by its name."""
    by_name = {row.table_name: row for row in published}
    return {
        state.name: Freshness(
            state,
            by_name.get(case.table("gold", state.name)),
            online.get(f"{case.name}_{state.name}"),
        )
        for state in case.entity_states
    }


def lines(days: Sequence[Day], name: str) -> Mapping[str, Line | None]:
    """What of it can be drawn."""
    means = [day.mean for day in days if day.mean is not None]
    return {
        "Mean": charts.line(means, f"mean of {name}"),
        "Missing": charts.line([day.missing_share for day in days], f"missing share of {name}"),
        "States": charts.line([day.num_rows for day in days], "states a day"),
    }


@router.get("/features")
def listed(request: Request, journal: Journal, settings: TheSettings, case: Case) -> HTMLResponse:
    """Every feature of a case, by the state that it is of."""
    known = kept.read(settings, journal, case)
    return site.draw(
        request,
        "features.html",
        case=case,
        features={state.name: each for state, each in features.features(case, known).items()},
        fresh=_fresh(journal, case),
        is_known=known is not None,
    )


@router.get("/features/{state}/{name}")
def one(
    request: Request, journal: Journal, settings: TheSettings, case: Case, state: str, name: str
) -> HTMLResponse:
    """One feature, and the last thirty days of it that are published."""
    known = kept.read(settings, journal, case)
    every = (each for of in features.features(case, known).values() for each in of)
    found = next((each for each in every if (each.state.name, each.name) == (state, name)), None)
    if found is None:
        raise HTTPException(404, f"{case.name} has no feature {name!r} of {state!r}.")
    fresh = _fresh(journal, case)[state]
    days = _days(settings, case, found, fresh)
    return site.draw(
        request,
        "feature.html",
        case=case,
        feature=found,
        fresh=fresh,
        days=days,
        lines=lines(days, name),
        is_known=known is not None,
    )


def _fresh(journal: Journal, case: UseCase) -> Mapping[str, Freshness]:
    return freshness(
        case, status.newest_published(journal, case), queries.online_until(journal, case.name)
    )


def _days(settings: Settings, case: UseCase, feature: Feature, fresh: Freshness) -> Sequence[Day]:
    if fresh.published is None:
        return ()
    name = case.build_table("gold", feature.state.name)
    table = lake.of(settings).table(name, fresh.published.version).to_pyarrow_dataset()
    if feature.name not in table.schema.names:
        return ()
    last = fresh.published.reach.astimezone(UTC) - timedelta(microseconds=1)
    return statistics.days(table, feature.name, last.date())
