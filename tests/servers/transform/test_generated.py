"""The SQL of generated forecasts and rankings, on the real Spark, against plain Python."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import fsum
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

from pipelines.data.reading.files import FileTable
from pipelines.scaffold.infer import infer
from pipelines.scaffold.render import rendered
from pipelines.stores import dbt
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import UseCase
from tests import golden_proposals, made_tables

Row = dict[str, Any]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# The interval of which all is built: midnights from the day after its first to its end.
FIRST, END = datetime(2026, 10, 16, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC)
KEY = "2026-10-16/2026-11-26"
MIDNIGHTS = [FIRST + number * DAY for number in range(1, 43)]
Make = Callable[[str, Sequence[Row]], dict[str, list[Row]]]


@pytest.fixture(scope="module")
def make(lake: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Generate a case, write these rows as its bronze table, and build; its tables."""
    base = tmp_path_factory.mktemp("generated")
    project = base / "pipelines/data/transform/dbt"
    parts = shutil.ignore_patterns("target", "logs", "models")
    shutil.copytree(dbt.PROJECT, project, ignore=parts)

    def made(name: str, rows: Sequence[Row]) -> dict[str, list[Row]]:
        own = replace(lake, case=_case(name, base), history=Interval.parse(KEY))
        own.write_bronze("rows", rows)
        own.transform(KEY)
        return {table: own.rows("gold", table) for table in own.case.tables("gold")}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt, "PROJECT", project)
        yield made


def _case(name: str, folder: Path) -> UseCase:
    path = made_tables.write(iter(golden_proposals.table(name)), folder / f"{name}.csv")
    table = FileTable(str(path), (folder,))
    found = infer(golden_proposals.ASKS[name], table, datetime(2026, 11, 27, tzinfo=UTC))
    for place, text in rendered(found, date(2026, 11, 27)).items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text)
    case: UseCase = run_path(str(folder / f"pipelines/use_cases/{name}.py"))[name.upper()]
    return case


def facts(event_at: datetime, known_at: datetime | None = None, **values: Any) -> Row:
    return {**values, "event_at": event_at, "known_at": known_at or event_at}


def known(rows: Iterable[Row], at: datetime, key: Sequence[str], days: int) -> list[Row]:
    """The newest version of each key known before an instant, by at most so many days."""
    found = {tuple(row[name] for name in key): row for row in known_rows(rows, at)}
    return [row for row in found.values() if row["known_at"] >= at - days * DAY]


def known_rows(rows: Iterable[Row], at: datetime) -> list[Row]:
    return sorted((r for r in rows if r["known_at"] < at), key=lambda row: row["known_at"])


def loads() -> list[Row]:
    """Five weeks of two stations, with a gap, a correction, a late row, a null and one off hour."""
    days = [date(2026, 11, 27) - timedelta(days=back) for back in range(36, 0, -1)]
    rows = [
        facts(datetime.fromisoformat(row["Hour"]), station=row["Station"], load_mw=row["Load (MW)"])
        for row in made_tables.loads(days)
    ]
    at = datetime(2026, 11, 19, 5, tzinfo=UTC)
    rows = [row for row in rows if row["event_at"] != at - 3 * DAY]
    late = next(row for row in rows if row["event_at"] == at + HOUR and row["station"] == "south")
    late["known_at"] = at + 40 * HOUR
    north = {"station": "north"}
    empty = next(row for row in rows if row["event_at"] == at + 2 * HOUR)
    empty["load_mw"] = None
    odd = facts(at + timedelta(minutes=7), **north, load_mw=999.0)
    return [*rows, facts(at, at + 2 * DAY, **north, load_mw=500.0), odd]


def values(rows: Sequence[Row], at: datetime, station: str, days: int = 28) -> dict[datetime, Any]:
    return {
        row["event_at"]: row["load_mw"]
        for row in known(rows, at, ("station", "event_at"), days)
        if row["station"] == station
        and row["load_mw"] is not None
        and row["event_at"].minute == 0
        and row["event_at"] >= at - days * DAY
    }


def test_a_generated_forecast_knows_what_was_known_and_no_more(make: Make) -> None:
    rows = loads()
    built = make("hourly", rows)
    decisions = {(r["known_at"], r["station"], r["horizon_hours"]): r for r in built["decisions"]}
    lags = (*range(24, 169, 24), 336, 504, 672)
    expected = 0
    for at in MIDNIGHTS:
        for station in ("north", "south"):
            then = values(rows, at, station)
            for horizon in range(1, 73):
                target = at + (horizon - 1) * HOUR
                before = {lag: then.get(target - lag * HOUR) for lag in lags}
                naive = [before[lag] for lag in lags[6:] if before[lag] is not None]
                if not naive:
                    assert (at, station, horizon) not in decisions
                    continue
                expected += 1
                row = decisions[at, station, horizon]
                assert {lag: row[f"load_mw_{lag}h_before"] for lag in lags} == before
                assert (row["target_at"], row["naive_load_mw"]) == (target, naive[0])
                calendar = (row["local_hour"], row["local_weekday"], row["local_month"])
                assert calendar == (target.hour, target.isoweekday(), target.month)
                assert row["is_batch"]
    assert len(decisions) == expected > 1000
    _check_series_states(built["series_states"], rows)
    _check_labels_ahead(built["labels"], rows)


def _check_series_states(states: Sequence[Row], rows: Sequence[Row]) -> None:
    # Of the first six days there are no rows.
    assert len(states) == 2 * len(MIDNIGHTS[6:])
    for row in states:
        then = values(rows, row["known_at"], row["station"], 7)
        lately = [then[at] for at in sorted(then) if at >= row["known_at"] - DAY]
        assert row["load_mw_last_168h"] == [then[at] for at in sorted(then)]
        assert row["load_mw_mean_24h"] == pytest.approx(fsum(lately) / len(lately))
        assert row["load_mw_mean_168h"] == pytest.approx(fsum(then.values()) / len(then))


def _check_labels_ahead(labels: Sequence[Row], rows: Sequence[Row]) -> None:
    """Each hour once a day ahead, when its value became known."""
    expected = [
        (row["station"], row["event_at"], row["event_at"].hour + 1 + 24 * day, row["known_at"])
        for row in rows
        for day in range(3)
        if FIRST <= row["known_at"] < END
        and row["load_mw"] is not None
        and row["event_at"].minute == 0
    ]
    names = ("station", "target_at", "horizon_hours", "known_at")
    assert sorted(tuple(row[name] for name in names) for row in labels) == sorted(expected)
    corrected = [row["load_mw"] for row in labels if row["known_at"] - row["event_at"] == 2 * DAY]
    assert corrected == [500.0] * 3


def ratings() -> list[Row]:
    """Six weeks of readers, one of whom reads a book again; and a rating that is corrected."""
    days = [date(2026, 11, 27) - timedelta(days=back) for back in range(42, 0, -1)]
    rows = [
        facts(
            datetime.fromisoformat(row["When"]),
            user_id=row["Reader"],
            item_id=row["Book"],
            stars=row["Stars"],
        )
        for row in made_tables.ratings(days, users=40, rows_a_day=30)
    ]
    again = {**rows[0], "event_at": END - 5 * DAY, "known_at": END - 5 * DAY}
    corrected = {**rows[1], "stars": 1, "known_at": END - 4 * DAY}
    at_midnight = facts(END - 3 * DAY, user_id="r1", item_id="b77", stars=5)
    return [*rows, again, corrected, at_midnight]


def test_a_generated_ranking_asks_about_who_is_there_and_counts_what_is_new(make: Make) -> None:
    rows = ratings()
    built = make("books", rows)
    _check_user_states(built["user_states"], rows)
    _check_candidates(built["candidates"], rows)
    asked = {(row["user_id"], row["asked_at"]): row["is_batch"] for row in built["decisions"]}
    assert asked == {**_sessions(rows), **_nights(rows)}
    assert not all(asked.values())
    labels = {(r["user_id"], r["asked_at"]): r["items_taken_next_7d"] for r in built["labels"]}
    assert labels == _new_items(asked, rows)
    assert len(labels) > 30


def _check_user_states(states: Sequence[Row], rows: Sequence[Row]) -> None:
    events = {(r["user_id"], r["known_at"]) for r in rows if FIRST <= r["known_at"] < END}
    assert {(row["user_id"], row["known_at"]) for row in states} == events
    for row in states[::5]:
        # What became known at the very instant is in it.
        at = row["known_at"] + timedelta(microseconds=1)
        then = known(rows, at, ("user_id", "item_id", "event_at"), 365)
        taken = [each for each in then if each["user_id"] == row["user_id"]]
        ordered = sorted(taken, key=lambda each: (each["known_at"], each["event_at"]))
        assert row["items_taken"] == [each["item_id"] for each in ordered]
        assert row["stars_given"] == [each["stars"] for each in ordered]
        assert row["num_items_taken"] == len({each["item_id"] for each in ordered})


def _check_candidates(found: Sequence[Row], rows: Sequence[Row]) -> None:
    for at in MIDNIGHTS:
        then = known(rows, at, ("user_id", "item_id", "event_at"), 365)
        listed = {row["item_id"]: row for row in found if row["known_at"] == at}
        assert set(listed) == {row["item_id"] for row in then}
        for item, row in listed.items():
            own = [each["known_at"] for each in then if each["item_id"] == item]
            for days in (7, 28, 365):
                count = sum(each >= at - days * DAY for each in own)
                assert row[f"num_taken_{days}d"] == count, (item, at, days)


def _nights(rows: Sequence[Row]) -> dict[tuple[str, datetime], bool]:
    return {
        (row["user_id"], at): True
        for row in rows
        for at in MIDNIGHTS
        if row["known_at"] < at <= _midnight_after(row["known_at"]) + 27 * DAY
    }


def _midnight_after(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0) + DAY


def _sessions(rows: Sequence[Row]) -> dict[tuple[str, datetime], bool]:
    """A second after the 10th, 20th ... different item of a user."""
    items: dict[str, set[str]] = {}
    asked = {}
    for row in sorted(rows, key=lambda row: row["known_at"]):
        own = items.setdefault(row["user_id"], set())
        is_new = row["item_id"] not in own
        own.add(row["item_id"])
        at = row["known_at"] + timedelta(seconds=1)
        if is_new and len(own) in (10, 20, 40, 80, 160) and FIRST < at <= END:
            asked[row["user_id"], at] = False
    return asked


def _new_items(
    asked: Iterable[tuple[str, datetime]], rows: Sequence[Row]
) -> dict[tuple[str, datetime], list[str]]:
    labels = {}
    for user, at in asked:
        own = [(row["known_at"], row["item_id"]) for row in rows if row["user_id"] == user]
        before = {item for when, item in own if when <= at}
        new = {item for when, item in own if at < when < at + 7 * DAY} - before
        if new and FIRST <= at + 7 * DAY < END:
            labels[user, at] = sorted(new)
    return labels
