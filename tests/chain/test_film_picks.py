"""film_picks on two months of its real ratings: pandas reads the same file beside it.

The tests follow one another.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from sqlalchemy import Engine, select

from pipelines import use_cases
from pipelines.core.journal import promotions
from pipelines.learning import champion
from pipelines.use_cases.spec.interval import Interval
from tests.chain.conftest import Answer, Driver, edit
from tests.loans import Loans
from tests.stages import DATA, PREDICTION, TRAINING, WATCH

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

NAME = "film_picks"
# Days 12 to 74 of a playing of the source, among them its liveliest month; then one more.
HISTORY, NEXT = "2026-07-01/2026-09-01", "2026-09-02"
# The history is a third of the case's own, so a list has less to go by: chance is below 0.01.
EDITS = {
    "Gate(num_rows_min=300)": "Gate(num_rows_min=300, floor=0.01)",
    "look_back_days=180": "look_back_days=60",
    "validation_days=21": "validation_days=10",
    "evaluation_days=28": "evaluation_days=17",
}
ASKED_AFTER = (10, 20, 40, 80, 160)
WEEK, ACTIVE = timedelta(days=7), timedelta(days=28)

pytestmark = pytest.mark.skipif(
    NAME in use_cases.load().unavailable,
    reason=f"{NAME} is {use_cases.load().unavailable.get(NAME)}",
)


@pytest.fixture(scope="module")
def shortened(made: Loans) -> None:
    edit(made.project, NAME, EDITS)


@pytest.fixture(scope="module")
def built(driver: Driver, shortened: None) -> Sequence[Answer]:
    return driver.whole(DATA, HISTORY, NAME)


@pytest.fixture(scope="module")
def ratings() -> pd.DataFrame:
    """What became known in the history, in the order in which it did."""
    from pipelines.data.extract.sources import film_picks

    found = film_picks.known_in(film_picks.ratings(), Interval.parse(HISTORY))
    return found.sort_values(["user_id", "known_at", "film_id"], ignore_index=True)


def read(session: "SparkSession", query: str) -> pd.DataFrame:
    found = session.sql(query).toPandas()
    for name in found.columns.intersection(["known_at", "asked_at"]):
        found[name] = pd.to_datetime(found[name]).dt.tz_localize(None)
    return found


def sessions(ratings: pd.DataFrame) -> Any:
    """Each person, and what they rated at each instant: film and stars, in order."""
    for user, rows in groupby(ratings.itertuples(), lambda row: row.user_id):
        instants = groupby(rows, lambda row: row.known_at)
        yield user, [(at, [(row.film_id, row.rating) for row in each]) for at, each in instants]


def test_every_rating_is_kept(built: Sequence[Answer], ratings: pd.DataFrame) -> None:
    counted = built[DATA.index("ingest")].result["rows"]
    assert counted["ratings_kept"] == len(ratings)
    # Of the people, those who came to be known in these days.
    assert 0 < counted["users_kept"] <= ratings["user_id"].nunique()
    assert sum(counted[f"{feed}_quarantined"] for feed in ("ratings", "films", "users")) == 0


@pytest.mark.usefixtures("built")
def test_a_state_is_all_that_somebody_has_rated_by_then(
    session: "SparkSession", ratings: pd.DataFrame
) -> None:
    expected = {}
    for user, instants in sessions(ratings):
        so_far: list[tuple[str, int]] = []
        for at, rated in instants:
            so_far = [*so_far, *rated]
            expected[user, at] = so_far
    found = read(session, f"select * from gold.{NAME}_user_states")
    assert {*zip(found["user_id"], found["known_at"], strict=True)} == expected.keys()
    for row in found.itertuples():
        so_far = expected[row.user_id, row.known_at]
        films, stars = zip(*so_far[-200:], strict=True)
        assert (*row.films_rated,) == films
        assert (*row.ratings_given,) == stars
        assert row.num_films_rated == len(so_far)
        assert row.rating_mean_last_200 == pytest.approx(sum(stars) / len(stars))


@pytest.mark.usefixtures("built")
def test_a_list_is_wanted_at_night_and_while_somebody_rates(
    session: "SparkSession", ratings: pd.DataFrame
) -> None:
    known = read(
        session, f"select user_id, min(known_at) as at from silver.{NAME}_users group by 1"
    )
    people = set(known["user_id"])
    asked: set[tuple[str, pd.Timestamp]] = set()
    nights: set[tuple[str, pd.Timestamp]] = set()
    end = pd.Timestamp(Interval.parse(HISTORY).end).tz_localize(None)
    for user, instants in sessions(ratings):
        if user not in people:  # They came before these days.
            continue
        count = 0
        for at, rated in instants:
            before, count = count, count + len(rated)
            if any(before < number <= count for number in ASKED_AFTER):
                asked.add((user, at + timedelta(seconds=1)))
            first = at.floor("D") + timedelta(days=1)
            nights |= {(user, first + timedelta(days=day)) for day in range(ACTIVE.days)}
    found = read(session, f"select user_id, asked_at, is_batch from gold.{NAME}_decisions")
    by_kind = {
        is_batch: {*zip(rows["user_id"], rows["asked_at"], strict=True)}
        for is_batch, rows in found.groupby("is_batch")
    }
    assert by_kind[False] == {each for each in asked if each[1] <= end}
    assert by_kind[True] == {each for each in nights if each[1] <= end} - asked


@pytest.mark.usefixtures("built")
def test_a_label_is_what_was_rated_in_the_week_after(
    session: "SparkSession", ratings: pd.DataFrame
) -> None:
    found = read(session, f"select * from gold.{NAME}_labels")
    decisions = read(session, f"select user_id, asked_at from gold.{NAME}_decisions")
    end = pd.Timestamp(Interval.parse(HISTORY).end).tz_localize(None)
    rated = dict(list(ratings.groupby("user_id")))
    expected = {}
    for user, at in decisions.itertuples(index=False):
        own = rated[user]
        films = own[(own["known_at"] > at) & (own["known_at"] < at + WEEK)]["film_id"]
        if len(films) and at + WEEK < end:
            expected[user, at] = sorted(films)
    assert (found["known_at"] == found["asked_at"] + WEEK).all()
    assert {
        (row.user_id, row.asked_at): list(row.films_rated_next_7d) for row in found.itertuples()
    } == expected


@pytest.mark.usefixtures("built")
def test_candidates_are_counted_as_known_at_each_midnight(
    session: "SparkSession", ratings: pd.DataFrame
) -> None:
    night = pd.Timestamp("2026-08-15")
    found = read(
        session, f"select * from gold.{NAME}_candidates where known_at = timestamp'{night}Z'"
    ).set_index("film_id")
    known = ratings[ratings["known_at"] < night]
    listed = read(session, f"select film_id, known_at from silver.{NAME}_films")
    assert {*found.index} == {*listed[listed["known_at"] < night]["film_id"]}
    for days in (7, 28, 209):
        window = known[known["known_at"] >= night - timedelta(days=days)]
        counts = window["film_id"].value_counts().reindex(found.index, fill_value=0)
        assert (found[f"num_ratings_{days}d"] == counts).all()
        if days > 7:
            means = window.groupby("film_id")["rating"].mean().reindex(found.index)
            pd.testing.assert_series_equal(found[f"rating_mean_{days}d"], means, check_names=False)


@pytest.mark.usefixtures("built")
def test_the_champion_is_better_than_chance_and_takes_in_new_films(
    driver: Driver, engine: Engine, session: "SparkSession"
) -> None:
    answers = driver.whole(TRAINING, HISTORY, NAME)
    assert answers[-1].details["decision"] == "promoted", answers[-1].details
    driver.whole(DATA, NEXT, NAME)
    refreshed = driver.ask("refresh", NEXT, NAME)
    assert (refreshed.details["before"], refreshed.details["version"]) == (1, 2)
    now = champion.current(engine, NAME, "next")
    assert now is not None
    assert (now.version, now.learned) == (2, 1)
    with engine.connect() as connection:
        said = connection.execute(
            select(promotions.c.decision).where(promotions.c.case_name == NAME)
        )
        assert [row.decision for row in said] == ["promoted", "refreshed"]
    # Nothing is new the second time.
    assert driver.ask("refresh", NEXT, NAME).details["version"] == 2


@pytest.mark.usefixtures("built")
def test_each_person_gets_ten_films_that_they_have_not_rated(
    driver: Driver, session: "SparkSession"
) -> None:
    predicted = driver.whole(PREDICTION, NEXT, NAME)[0].result["rows"]
    found = read(
        session,
        f"select user_id, films, scores, user_states__films_rated as rated, is_fallback, "
        f"model_version from gold.{NAME}_predictions",
    )
    asked = read(
        session,
        f"select user_id from gold.{NAME}_decisions where is_batch and known_date = date'{NEXT}'",
    )
    assert sorted(found["user_id"]) == sorted(asked["user_id"])
    assert predicted == {"decisions": len(found), "new": len(found)}
    assert set(found["model_version"]) == {2}
    listed = set(read(session, f"select film_id from silver.{NAME}_films")["film_id"])
    for row in found.itertuples():
        assert len(set(row.films)) == len(row.films) == 10
        assert listed.issuperset(row.films)
        assert not set(row.films) & set(row.rated)
        assert list(row.scores) == sorted(row.scores, reverse=True)
    # Everybody asked about has rated a film, and all films are listed every Monday.
    assert not found["is_fallback"].any()
    # Not everybody gets the same.
    assert len({film for films in found["films"] for film in films}) > 50


@pytest.mark.usefixtures("built")
def test_the_night_is_judged(driver: Driver) -> None:
    (watched, *_) = driver.chain(WATCH, NEXT, NAME)
    assert watched.raised is None
    assert watched.details["model_version"] == 2
