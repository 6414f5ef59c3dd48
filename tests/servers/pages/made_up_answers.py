"""Two cases with one midnight of answers each: lists of films for people, and sales of shops."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake
from sqlalchemy import Engine, insert

from models.columns import Columns
from models.tasks import Forecast, Ranking
from models.tasks.forecast import Levels
from pipelines.core.journal import published, runs, verdicts
from pipelines.core.settings import Settings
from pipelines.stores import lake
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import EntityState, UseCase

HOSTILE = "<script>alert(1)</script>"
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UTC_INSTANT = pa.timestamp("us", "UTC")

PICKS = UseCase(
    name="picks",
    description="Films for people",
    feeds=(),
    silver=(),
    entity_states=(
        EntityState(name="candidates", keys=("film",), step_minutes=1440, ttl_minutes=2880),
    ),
    gold=("decisions", "labels"),
    models=(
        Model(
            name="next",
            task="ranking",
            family="two_stage",
            row_key=("person", "asked_at"),
            label="films_taken_next_7d",
            item_names="gold.candidates.title",
        ),
    ),
)
AHEAD = UseCase(
    name="ahead",
    description="Sales of the next two days",
    feeds=(),
    silver=(),
    entity_states=(),
    gold=("decisions", "labels"),
    models=tuple(
        Model(
            name=name,
            task="forecast",
            family="trees",
            prefix=prefix,
            row_key=("shop", "ware", "target_hour_at", "horizon_hours"),
            label="num_sold",
        )
        for name, prefix in (("sales", ""), ("returns", "returns_"))
    ),
)
CASES = {case.name: case for case in (PICKS, AHEAD)}
FILMS = tuple(str(number) for number in range(1, 16))
PEOPLE = ("ada", f"bob {HOSTILE}", "cleo")
SERIES = (("north", "all"), ("north", "bread"), ("south", "all"))
NUM_HOURS, NUM_PLANNED, CLOSED = 48, 24, range(5)

RANKING = Ranking(unit=("person",), items="films")
FORECAST = Forecast(
    naive="naive_num_sold",
    published="is_published",
    minimum=0.0,
    levels=Levels(column="ware", whole="all", by=("shop", "target_hour_at", "horizon_hours")),
)


def model(case: str, asked: Model) -> Any:
    """What `models/<case>.py` would say."""
    if case == PICKS.name:
        return SimpleNamespace(task=RANKING, columns=Columns(categorical_lists=("history",)))
    numbers = (FORECAST.naive, FORECAST.published)
    return SimpleNamespace(task=FORECAST, columns=Columns(numeric=numbers))


def publish(engine: Engine) -> None:
    """Every table at its first version, a verdict, and a training."""
    tables = [("picks", name) for name in ("predictions", "labels", "candidates")]
    tables += [("ahead", name) for name in ("predictions", "labels")]
    rows = [
        {
            "case_name": case,
            "table_name": f"gold.{case}_{name}",
            "interval": "2026-11-19",
            "until": MIDNIGHT,
            "version": 0,
            "rows": 1,
            "attempt": 1,
        }
        for case, name in tables
    ]
    with engine.begin() as connection:
        connection.execute(insert(published), rows)
        connection.execute(insert(verdicts), _verdict())
        connection.execute(insert(runs), _training())


def _training() -> dict[str, Any]:
    details = {
        "interval": "2026-11-19",
        "fingerprint": "f",
        "digest": "d",
        "number": 1,
        "run_id": "run1",
        "cutoff": MIDNIGHT.isoformat(),
        "reused": False,
        "evaluation": {"num_rows": 300, "ndcg_at_10": 0.125, "recall_at_10": 0.25},
    }
    return {
        "case_name": PICKS.name,
        "model": "next",
        "stage": "train",
        "interval": "2026-11-19",
        "state": "done",
        "result": {"rows": {}, "reads": {}, "writes": {}, "details": details},
        "started_at": MIDNIGHT,
        "ended_at": MIDNIGHT + HOUR,
        "wall_seconds": 3600.0,
    }


def _verdict() -> dict[str, Any]:
    judged = {"num_rows": 300, "has_relevant_share": 0.5}
    statistics = {
        "num_rows": 300,
        "quality": {**judged, "ndcg_at_10": 0.1},
        "quality_of_reference": {**judged, "ndcg_at_10": 0.2},
        "answer_facts": {"num_items": 40.0, "fallback_share": 0.25},
        "answer_facts_of_reference": {"num_items": 60.0, "fallback_share": 0.125},
    }
    return {
        "case_name": PICKS.name,
        "model": "next",
        "interval": "2026-11-19",
        "until": MIDNIGHT,
        "model_version": 1,
        "drifted": None,
        "due": False,
        "reason": "made up",
        "statistics": statistics,
        "attempt": 1,
    }


def write(settings: Settings) -> None:
    """The tables as Spark leaves them."""
    warehouse = lake.of(settings)
    made = {
        "gold_picks_predictions": (_lists(), "decided_date"),
        "gold_picks_labels": (_taken(), "known_date"),
        "gold_picks_candidates": (_titles(), "known_date"),
        "gold_ahead_predictions": (_forecasts(), "decided_date"),
        "gold_ahead_labels": (_sold(), "known_date"),
    }
    for name, (rows, by) in made.items():
        write_deltalake(warehouse.address(f"build.{name}"), rows, partition_by=[by])


def _said(num_rows: int, version: int = 1) -> dict[str, Any]:
    return {
        "decided_at": pa.array([MIDNIGHT] * num_rows, UTC_INSTANT),
        "model_version": pa.array([version] * num_rows, pa.int64()),
    }


def _when(num_rows: int, minutes: int = 30) -> dict[str, Any]:
    at = MIDNIGHT + timedelta(minutes=minutes)
    return {
        "predicted_at": pa.array([at] * num_rows, UTC_INSTANT),
        # A decision at midnight lies in the day that ends then.
        "decided_date": pa.array([date(2026, 11, 19)] * num_rows),
    }


def _lists() -> pa.Table:
    """Ten films a person, and for the first an older list that was said before."""
    older, newer = (_list_rows(PEOPLE[:1], 1, 1, 30), _list_rows(PEOPLE, 0, 2, 45))
    return pa.concat_tables([older, newer])


def _list_rows(people: Sequence[str], first: int, version: int, minutes: int) -> pa.Table:
    count = len(people)
    scores = [round(1 - place / 16, 4) for place in range(10)]
    histories = [[f"old {n}" for n in range(200)] + [FILMS[2]], [], None][:count]
    answer = {
        "films": [list(FILMS[first + n : first + n + 10]) for n in range(count)],
        "scores": pa.array([scores] * count, pa.list_(pa.float32())),
        "popularity": pa.array([0.75] * count, pa.float32()),
        "unseen_share": pa.array([0.1] * count, pa.float32()),
        "is_fallback": [n > 0 for n in range(count)],
    }
    key = {"person": list(people), "asked_at": pa.array([MIDNIGHT] * count, UTC_INSTANT)}
    inputs = {"history": pa.array(histories, pa.list_(pa.string()))}
    return pa.table({**key, **_said(count, version), **answer, **_when(count, minutes), **inputs})


def _taken() -> pa.Table:
    """What the first person took; of the others nothing is known."""
    return pa.table(
        {
            "person": ["ada", "ada"],
            "asked_at": pa.array([MIDNIGHT] * 2, UTC_INSTANT),
            "known_at": pa.array([MIDNIGHT + 7 * DAY, MIDNIGHT + 7 * DAY + HOUR], UTC_INSTANT),
            "films_taken_next_7d": [["9"], [FILMS[1], "unlisted"]],
            "known_date": [date(2026, 11, 27)] * 2,
        }
    )


def _titles() -> pa.Table:
    """Each film's title of three midnights; the last film has none."""
    named = [(film, f"Film {film} {HOSTILE}") for film in FILMS[:-1]]
    said = {MIDNIGHT - DAY: "of before: ", MIDNIGHT: "", MIDNIGHT + DAY: "of after: "}
    rows = [(film, of + title, at) for film, title in named for at, of in said.items()]
    films, titles, instants = zip(*rows, strict=True)
    days = [(at - timedelta(microseconds=1)).date() for at in instants]
    known_at = pa.array(instants, UTC_INSTANT)
    return pa.table(
        {"film": films, "known_at": known_at, "title": titles, "known_date": pa.array(days)}
    )


def sold(series: int, at: datetime) -> float:
    """What each hour comes to."""
    return round(20 + 12 * math.sin(at.hour / 24 * 2 * math.pi) + series * 5, 1)


def _open(first: datetime, num_hours: int) -> list[datetime]:
    """Hours at which shops sell."""
    hours = (first + number * HOUR for number in range(num_hours))
    return [at for at in hours if at.hour not in CLOSED]


def _forecasts() -> pa.Table:
    rows = [(n, at) for n in range(len(SERIES)) for at in _open(MIDNIGHT, NUM_HOURS)]
    ahead = [int((at - MIDNIGHT) / HOUR) for _, at in rows]
    median = [sold(n, at) + 1 for n, at in rows]
    width = [2 + hours / 6 for hours in ahead]
    table = {
        "shop": [SERIES[n][0] for n, _ in rows],
        "ware": [SERIES[n][1] for n, _ in rows],
        "target_hour_at": pa.array([at for _, at in rows], UTC_INSTANT),
        "horizon_hours": pa.array([hours + 1 for hours in ahead], pa.int32()),
        **_said(len(rows)),
        "low": pa.array(
            [max(0.0, m - w) for m, w in zip(median, width, strict=True)], pa.float32()
        ),
        "prediction": pa.array(median, pa.float32()),
        "high": pa.array([m + w for m, w in zip(median, width, strict=True)], pa.float32()),
        **_when(len(rows)),
        "naive_num_sold": [sold(n, at) - 3 for n, at in rows],
        "is_published": [hours < NUM_PLANNED for hours in ahead],
    }
    return pa.table(table)


def _sold() -> pa.Table:
    """Outcomes of the days before, and of nine hours since; each seen from two horizons."""
    hours = _open(MIDNIGHT - 3 * DAY, 3 * 24 + 9)
    rows = [(n, at, day) for n in range(len(SERIES)) for at in hours for day in range(2)]
    known = [at + HOUR for _, at, _ in rows]
    return pa.table(
        {
            "shop": [SERIES[n][0] for n, _, _ in rows],
            "ware": [SERIES[n][1] for n, _, _ in rows],
            "target_hour_at": pa.array([at for _, at, _ in rows], UTC_INSTANT),
            "horizon_hours": pa.array([at.hour + 1 + 24 * d for _, at, d in rows], pa.int32()),
            "known_at": pa.array(known, UTC_INSTANT),
            "num_sold": [sold(n, at) for n, at, _ in rows],
            "known_date": [at.date() for at in known],
        }
    )
