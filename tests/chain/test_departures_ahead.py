"""departures_ahead on six weeks of the flights: pandas reads the same year beside it.

Of its three models `delay` is taken, the one whose airlines make their airport by a weighted mean.
What each table holds is asked in tests/servers/test_departures_ahead.py. The tests follow one
another.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine

from pipelines.data.extract.replay import known_between
from pipelines.data.extract.sources.flights import nycflights, replay
from pipelines.insight import status
from pipelines.use_cases import find
from pipelines.use_cases.spec.interval import Interval
from tests.chain.conftest import Answer, Driver, edit
from tests.loans import Loans
from tests.stages import DATA, PREDICTION, TRAINING, WATCH

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

NAME, MODEL = "departures_ahead", "delay"
HISTORY, NEXT = "2026-09-01/2026-10-15", "2026-10-16"
EDITS = {"validation_days=14": "validation_days=5", "evaluation_days=14": "evaluation_days=7"}
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
MEASURE = "departure_delay_minutes_mean"


@pytest.fixture(scope="module")
def shortened(made: Loans) -> None:
    edit(made.project, NAME, EDITS)


@pytest.fixture(scope="module")
def built(driver: Driver, shortened: None) -> Sequence[Answer]:
    return driver.whole(DATA, HISTORY, NAME)


@pytest.fixture(scope="module")
def predictions(driver: Driver, built: Sequence[Answer], session: "SparkSession") -> pd.DataFrame:
    """What the champion of the history says at the end of the day after it."""
    answers = driver.whole(TRAINING, HISTORY, NAME, MODEL)
    assert answers[-1].details["decision"] == "promoted", answers[-1].details
    driver.whole(DATA, NEXT, NAME)
    rows = driver.whole(PREDICTION, NEXT, NAME, MODEL)[0].result["rows"]
    found = session.sql(f"select * from gold.{NAME}_delay_predictions").toPandas()
    assert rows == {"decisions": len(found), "new": len(found)}
    found["target_hour_at"] = pd.to_datetime(found["target_hour_at"]).dt.tz_localize(None)
    return found


def known(facts: pd.DataFrame, key: str) -> pd.DataFrame:
    """What became known in the interval's days, on today's calendar."""
    interval = Interval.parse(key)
    cycles = replay.cycles(interval.start.date(), interval.last_date, "today")
    return pd.concat([known_between(facts, cycle, interval) for cycle in cycles])


def test_every_plan_and_movement_is_kept(built: Sequence[Answer]) -> None:
    counted = built[DATA.index("ingest")].result["rows"]
    feeds = {
        "schedule": nycflights.schedule(),
        "movements": nycflights.movements(),
        "weather": nycflights.weather(),
    }
    for feed, facts in feeds.items():
        assert counted[f"{feed}_kept"] == len(known(facts, HISTORY)) > 0
        assert counted[f"{feed}_quarantined"] == 0


@pytest.mark.usefixtures("predictions")
def test_the_champion_is_better_than_the_week_before(driver: Driver, engine: Engine) -> None:
    case = find(NAME)
    champion = status.champion(engine, case, case.model(MODEL))
    assert champion
    assert (champion["version"], champion["metric"]) == (1, "pinball_skill_score")
    # Of the naive forecast's pinball loss; the year in docs/quality.md saves more than 0.3.
    assert 0.1 < champion["value"] < 0.6


def test_each_series_is_forecast_for_72_hours(predictions: pd.DataFrame) -> None:
    midnight = pd.Timestamp(Interval.parse(NEXT).end).tz_localize(None)
    ahead = (predictions["target_hour_at"] - midnight) / HOUR + 1
    assert (predictions["horizon_hours"] == ahead).all()
    assert (predictions["is_published"] == (ahead <= 24)).all()
    assert not predictions.duplicated(["origin", "carrier", "target_hour_at"]).any()
    plans = known(nycflights.schedule(), NEXT)
    hours = plans.assign(hour=plans["scheduled_departure_at"].dt.floor("h"))
    hours = hours[(hours["hour"] >= midnight) & (hours["hour"] < midnight + 24 * HOUR)]
    expected = {*zip(hours["origin"], hours["carrier"], hours["hour"], strict=True)}
    expected |= {(origin, "all", hour) for origin, _, hour in expected}
    first = predictions[ahead <= 24]
    assert {
        *zip(first["origin"], first["carrier"], first["target_hour_at"], strict=True)
    } == expected
    assert set(predictions["horizon_hours"]) >= {*range(12, 25), *range(36, 49), *range(60, 73)}


def test_airlines_make_their_airport(predictions: pd.DataFrame) -> None:
    rows = predictions.rename(columns={"num_planned_expected": "weight"})
    by = ["origin", "target_hour_at"]
    airlines, airports = rows[rows["carrier"] != "all"], rows[rows["carrier"] == "all"]
    parts = airlines.assign(told=airlines["prediction"] * airlines["weight"]).groupby(by)
    made = parts["told"].sum() / parts["weight"].sum()
    whole = airports.set_index(by)["prediction"]
    np.testing.assert_allclose(made.reindex(whole.index), whole, atol=0.01)
    assert (rows["low"] <= rows["prediction"]).all()
    assert (rows["prediction"] <= rows["high"]).all()
    assert whole.std() > 1


def test_beside_it_stands_what_was_the_week_before(predictions: pd.DataFrame) -> None:
    """Where something left in that hour; what was known of it a week later is all there is."""
    moved = nycflights.movements()
    moved = known(moved[moved["movement"] == "departed"], HISTORY)
    flown = moved.assign(target_hour_at=moved["scheduled_departure_at"].dt.floor("h") + WEEK)
    both = pd.concat([flown, flown.assign(carrier="all")])
    key = ["origin", "carrier", "target_hour_at"]
    mean = both.groupby(key)["delay_minutes"].mean().astype(float)
    naive = predictions.set_index(key)[f"naive_{MEASURE}"]
    shared = naive.index.intersection(mean.index)
    assert len(shared) > len(naive) / 2
    np.testing.assert_allclose(naive[shared], mean[shared])


@pytest.mark.usefixtures("predictions")
def test_the_night_is_judged(driver: Driver) -> None:
    (watched, *_) = driver.chain(WATCH, NEXT, NAME, MODEL)
    assert watched.raised is None
    assert watched.details["model_version"] == 1
