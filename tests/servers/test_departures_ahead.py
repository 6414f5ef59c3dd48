"""The tables of departures_ahead, again by brute force from the raw rows that were known."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from pipelines.core.registry import LEAKS
from pipelines.core.settings import Settings
from pipelines.learning.leaks import moved
from pipelines.use_cases import find
from pipelines.use_cases.spec.interval import Interval
from tests.servers.contexts import held_context
from tests.servers.departures_world import (
    DAY,
    DAYS,
    HOUR,
    SERIES,
    START,
    movements,
    plans,
    weather,
)
from tests.servers.lakes import Lake, Row

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

MIDNIGHTS = [START + day * DAY for day in range(1, DAYS + 1)]
SEED = 20260301
LAGS, WEEKS = [*range(24, 337, 24), 504, 672], [168, 336, 504, 672]
MEASURES = ("num_departures", "num_cancellations", "departure_delay_minutes_mean")


@pytest.fixture(scope="module")
def bronze() -> dict[str, list[Row]]:
    print(f"seed {SEED}")
    dice = random.Random(SEED)  # noqa: S311
    known = list(plans(dice))
    moved = [
        row
        for plan in {p["flight_id"]: p for p in reversed(known)}.values()
        for row in movements(dice, plan)
    ]
    feeds = {"schedule": known, "movements": moved, "weather": list(weather())}
    return {name: [row for row in rows if row["known_at"] >= START] for name, rows in feeds.items()}


@pytest.fixture(scope="module")
def built(
    settings: Settings, spark: "SparkSession", journal: Engine, bronze: dict[str, list[Row]]
) -> dict[str, list[Row]]:
    """All but the last day as one range, then that day alone."""
    lake = Lake(settings, spark, journal, find("departures_ahead"))
    for name, rows in bronze.items():
        lake.write_bronze(name, rows)
    lake.transform("2026-03-01/2026-03-30")
    lake.transform("2026-03-31")
    return {name: lake.rows("gold", name) for name in lake.case.tables("gold")}


class World:
    """What was known of each hour before an instant, in plain loops."""

    def __init__(self, bronze: dict[str, list[Row]]) -> None:
        self.plans = self._by_hour(bronze["schedule"])
        self.moved = self._by_hour(bronze["movements"])

    @staticmethod
    def _by_hour(rows: list[Row]) -> dict[str, list[Row]]:
        by_flight: dict[str, list[Row]] = {}
        for row in sorted(rows, key=lambda row: row["known_at"]):
            by_flight.setdefault(row["flight_id"], []).append(row)
        return by_flight

    def newest(
        self, by_flight: dict[str, list[Row]], origin: str, carrier: str, at: datetime
    ) -> Iterator[Row]:
        for versions in by_flight.values():
            known = [row for row in versions if row["known_at"] < at]
            if known and known[-1]["origin"] == origin and carrier in (known[-1]["carrier"], "all"):
                yield known[-1]

    def came_to(self, series: tuple[str, str], at: datetime) -> dict[datetime, Row]:
        """By hour of the last days, as known before `at`."""
        found: dict[datetime, Row] = {}
        for kind, by_flight in (("planned", self.plans), ("moved", self.moved)):
            for row in self.newest(by_flight, *series, at):
                hour = row["scheduled_departure_at"].replace(minute=0)
                of = found.setdefault(
                    hour, {"planned": 0, "delays": [], "cancelled": 0, "known": []}
                )
                if kind == "planned":
                    of["planned"] += 1
                    continue
                of["known"].append(row["known_at"])
                if row["movement"] == "cancelled":
                    of["cancelled"] += 1
                else:
                    of["delays"].append(row["delay_minutes"])
        return {hour: of for hour, of in found.items() if hour < at}


def day_of(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0)


def mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


@pytest.fixture(scope="module")
def versions(bronze: dict[str, list[Row]]) -> dict[tuple[str, str, datetime], list[Row]]:
    """Each hour's versions by brute force: one a day on which something was heard of it."""
    world, found = World(bronze), {}
    for series in SERIES:
        for at in MIDNIGHTS:
            for hour, of in world.came_to(series, at).items():
                if not of["known"] or at > day_of(hour) + 3 * DAY:
                    continue
                known_at = max(*of["known"], hour)
                if known_at >= at - DAY:
                    found.setdefault((*series, hour), []).append(
                        {
                            "known_at": known_at,
                            "num_planned": of["planned"],
                            "num_departures": len(of["delays"]),
                            "num_cancellations": of["cancelled"],
                            "departure_delay_minutes_sum": sum(of["delays"])
                            if of["delays"]
                            else None,
                            "departure_delay_minutes_mean": mean(of["delays"]),
                            "is_complete": len(of["delays"]) + of["cancelled"] >= of["planned"],
                        }
                    )
    return found


def test_each_hour_is_what_was_heard_of_it(built: Any, versions: Any) -> None:
    found: dict[Any, list[Row]] = {}
    for row in sorted(built["hours"], key=lambda row: row["known_at"]):
        values = {
            k: v for k, v in row.items() if k not in ("origin", "carrier", "hour_at", "known_date")
        }
        found.setdefault((row["origin"], row["carrier"], row["hour_at"]), []).append(values)
    assert found.keys() == versions.keys()
    for key, expected in versions.items():
        assert found[key] == expected, key
    assert max(map(len, versions.values())) > 1


def test_a_label_is_of_an_hour_of_which_all_is_known(built: Any, versions: Any) -> None:
    expected = {
        (*key, key[2].hour + 1 + 24 * ahead, version["known_at"]): tuple(
            version[m] for m in MEASURES
        )
        for key, of in versions.items()
        for version in of
        for ahead in range(3)
        if version["is_complete"]
    }
    key = ("origin", "carrier", "target_hour_at", "horizon_hours", "known_at")
    found = {tuple(row[n] for n in key): tuple(row[m] for m in MEASURES) for row in built["labels"]}
    assert found == expected
    assert 0 < len({key[:3] for key in expected}) < len(versions)


def known_of(versions: Any, series: tuple[str, str], hour: datetime, at: datetime) -> Row:
    known = [each for each in versions.get((*series, hour), []) if each["known_at"] < at]
    return known[-1] if known and hour < at else {}


@pytest.mark.parametrize("at", [MIDNIGHTS[9], MIDNIGHTS[-2], MIDNIGHTS[-1]])
def test_a_decision_has_what_was_known_at_midnight(
    built: Any, bronze: Any, versions: Any, at: datetime
) -> None:
    world, expected = World(bronze), {}
    for series in SERIES:
        planned: dict[datetime, int] = {}
        for row in world.newest(world.plans, *series, at):
            hour = row["scheduled_departure_at"].replace(minute=0)
            planned[hour] = planned.get(hour, 0) + 1
        for ahead in range(72):
            target = at + ahead * HOUR
            lag = {hours: known_of(versions, series, target - hours * HOUR, at) for hours in LAGS}
            weeks = [lag[hours].get("num_planned") for hours in WEEKS]
            usual = next((count for count in weeks if count), None)
            now = planned.get(target) if ahead < 24 else None
            if not (now if ahead < 24 else usual):
                continue
            values: Row = {
                "is_published": ahead < 24,
                "num_planned": now,
                "num_planned_expected": now or usual,
                "local_hour": target.astimezone(ZoneInfo("America/New_York")).hour,
                "local_weekday": target.astimezone(ZoneInfo("America/New_York")).isoweekday(),
            }
            values |= {f"num_planned_{h}h_before": n for h, n in zip(WEEKS, weeks, strict=True)}
            for measure in MEASURES:
                values |= {f"{measure}_{h}h_before": lag[h].get(measure) for h in LAGS}
            ratio = now / weeks[0] if now and weeks[0] else 1
            last, delays = lag[168], [lag[h].get(MEASURES[2]) for h in WEEKS]
            whole = known_of(versions, (series[0], "all"), target - 168 * HOUR, at).get(MEASURES[2])
            values["naive_num_departures"] = last["num_departures"] * ratio if last else now or 0
            values["naive_num_cancellations"] = last["num_cancellations"] * ratio if last else 0
            values[f"naive_{MEASURES[2]}"] = next(d for d in (*delays, whole, 0) if d is not None)
            expected[*series, target, ahead + 1] = values
    found = {
        (r["origin"], r["carrier"], r["target_hour_at"], r["horizon_hours"]): r
        for r in built["decisions"]
        if r["known_at"] == at
    }
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert {name: found[key][name] for name in values} == pytest.approx(values), key
        whole = expected[key[0], "all", *key[2:]]["num_planned_expected"]
        assert found[key]["num_planned_expected_of_origin"] == whole


def test_states_are_sums_of_the_hours_as_known(built: Any, versions: Any) -> None:
    found = {(r["origin"], r["carrier"], r["known_at"]): r for r in built["series_states"]}
    for series in SERIES:
        for at in MIDNIGHTS[2:]:
            for span in (3, 6, 24, 72):
                hours = [known_of(versions, series, at - h * HOUR, at) for h in range(1, span + 1)]
                known = [each for each in hours if each]
                left = sum(each["num_departures"] for each in known)
                total = sum(each["departure_delay_minutes_sum"] or 0 for each in known)
                row = found[*series, at]
                assert (row[f"num_departures_{span}h"] or 0) == left
                gone = sum(each["num_cancellations"] for each in known)
                assert (row[f"num_cancellations_{span}h"] or 0) == gone
                expected = pytest.approx(total / left) if left else None
                assert row[f"departure_delay_minutes_mean_{span}h"] == expected


def test_the_weather_is_the_newest_observation_known(built: Any, bronze: Any) -> None:
    airports = {(r["origin"], r["carrier"], r["known_at"]): r for r in built["series_states"]}
    for row in built["origin_states"]:
        at = row["known_at"]
        last = [w for w in bronze["weather"] if w["known_at"] < at and w["origin"] == row["origin"]]
        newest = max(last, key=lambda w: (w["event_at"], w["known_at"]))
        assert row["visibility_miles"] == newest["visibility_miles"]
        whole = airports[row["origin"], "all", at]
        assert row["num_cancellations_24h"] == whole["num_cancellations_24h"]


def test_leaks_accuses_nothing_of_these_tables(
    settings: Settings, journal: Engine, built: dict[str, list[Row]]
) -> None:
    """At a midnight in the middle of what was built as one range; between them nobody decides."""
    case, cut = find("departures_ahead"), MIDNIGHTS[19]
    span = Interval.parse("2026-03-01/2026-03-30")
    with held_context(settings, journal, case, span, LEAKS) as context:
        found, num_rows = moved.found(replace(context, chosen=case.models[0]), [cut])
    assert [str(each) for each in found] == []
    assert num_rows > sum(row["known_at"] == cut for row in built["decisions"]) > 30
