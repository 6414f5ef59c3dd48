"""A forecast's answers: one series, what was known of it, what is said of it, and what came."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa  # type: ignore[import-untyped]

from millrace_pages import answered, fan, subjects
from millrace_pages.answered import Answered, Rows
from pipelines.core.errors import MillraceError
from pipelines.insight.lineage import predictions

if TYPE_CHECKING:
    from models.tasks import Forecast

# What the row key calls how far ahead a row looks, with its unit: `horizon_hours`.
_HORIZON = "horizon_"


@dataclass(frozen=True)
class Forecasts:
    """The columns of a forecast.

    Args:
        at: the beginning of the time that is forecast.
        series: what is forecast, such as an airport and an airline.
        naive, published: inputs; see `Forecast`.
    """

    at: str
    series: tuple[str, ...]
    naive: str
    published: str | None


def columns(key: Sequence[str], schema: pa.Schema, task: "Forecast") -> Forecasts:
    """Which column of the row key is which.

    Raises:
        MillraceError: none of the row key is an instant.
    """
    instants = [name for name in key if pa.types.is_timestamp(schema.field(name).type)]
    if not instants:
        raise MillraceError(
            f"the row key {list(key)} has no instant: a forecast needs the time that it is of"
        )
    others = (name for name in key if name not in instants and not name.startswith(_HORIZON))
    return Forecasts(instants[0], tuple(others), task.naive, task.published)


def hours(
    rows: Rows, outcomes: Mapping[datetime, float | None], known: Forecasts
) -> list[fan.Hour]:
    """What is said of each time, beside what came of it as far as that is known.

    Args:
        rows: in the order of time.
    """
    return [
        fan.Hour(
            at=row[known.at],
            low=_finite(row["low"]),
            median=_finite(row["prediction"]),
            high=_finite(row["high"]),
            naive=_finite(row.get(known.naive)),
            # Without plans nothing changes where they end.
            is_planned=known.published is None or row.get(known.published) == 1,
            outcome=_finite(outcomes.get(row[known.at])),
        )
        for row in rows
    ]


def past(
    outcomes: Mapping[datetime, float | None], since: datetime, until: datetime
) -> list[fan.Hour]:
    """What came in the days before a forecast."""
    return [
        fan.Hour(at=at, outcome=_finite(outcomes[at]))
        for at in sorted(outcomes)
        if since <= at < until
    ]


def _finite(value: float | None) -> float | None:
    """A number that has a place in a picture; NaN is none."""
    return None if value is None or not math.isfinite(value) else float(value)


def wholes_first(
    keys: Iterable[tuple[Any, ...]], series: Sequence[str], task: "Forecast"
) -> list[tuple[Any, ...]]:
    """Series that are made of others lead."""
    if task.levels is None or task.levels.column not in series:
        return list(keys)
    place, whole = series.index(task.levels.column), task.levels.whole
    return sorted(keys, key=lambda key: key[place] != whole)


def shown(found: Answered, of: str, page: int) -> Mapping[str, Any]:  # noqa: ARG001
    """The newest forecast of the series that is asked for."""
    task = cast("Forecast", found.spec.task)
    known = columns(found.model.row_key, found.schema, task)
    keys = wholes_first(found.keys(known.series), known.series, task)
    chosen = subjects.choose(known.series, keys, of)
    about = {"chosen": chosen, "about": ", ".join(known.series)}
    if chosen.values is None:
        return about
    said = {"coverage": task.coverage, "naive": task.naive, "box": fan.BOX}
    return {**about, **said, **_of(found, known, chosen.values)}


def _of(found: Answered, known: Forecasts, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The newest forecast of a series, and as many days before as it looks ahead."""
    rows = _forecast(found, known, values)
    first, last = rows[0], rows[-1]
    made_at = first["decided_at"]
    since = made_at - (last[known.at] - made_at) - timedelta(hours=1)
    outcomes = _outcomes(found, known, values, since)
    ahead, before = hours(rows, outcomes, known), past(outcomes, since, made_at)
    return {
        "made_at": made_at,
        "version": first["model_version"],
        "id": str(predictions.identity(found.model, first)),
        "ahead": ahead,
        "before": before,
        "fan": fan.draw(before, ahead, made_at),
    }


def _forecast(found: Answered, known: Forecasts, values: Mapping[str, Any]) -> Rows:
    """What was said at the newest instant, in the order of time."""
    read = found.newest(values, tuple(filter(None, (known.naive, known.published))))
    made_at = max(row["decided_at"] for row in read)
    said = [row for row in read if row["decided_at"] == made_at]
    newest = answered.newest(said, (known.at,), "predicted_at")
    return sorted(newest, key=lambda row: row[known.at])


def _outcomes(
    found: Answered, known: Forecasts, values: Mapping[str, Any], since: datetime
) -> Mapping[datetime, float | None]:
    """The newest label of each time, whichever horizon it was seen from."""
    labels = found.labels(values, since.date())
    newest = answered.newest(labels, (known.at,), "known_at")
    return {row[known.at]: row[found.model.label] for row in newest}
