"""MovieLens as film_picks plays it: every rating once a playing, by people of that playing."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from pipelines import use_cases
from pipelines.core.errors import MillraceError, UsageError
from pipelines.core.settings import Settings
from pipelines.data.extract.sources import film_picks
from pipelines.use_cases.spec.interval import Interval

needs_data = pytest.mark.skipif(
    "film_picks" in use_cases.load().unavailable,
    reason=f"film_picks is {use_cases.load().unavailable.get('film_picks')}",
)


def days(first: date, count: int) -> Interval:
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    return Interval(start, start + timedelta(days=count), "")


@needs_data
def test_any_210_days_play_each_rating_of_the_first_210_once() -> None:
    ratings = film_picks.ratings()
    within = ratings[ratings["local_date"] <= pd.Timestamp(film_picks.REPLAY.last)]
    # The five days that are left out.
    assert len(ratings) == 100_000
    assert 0 < len(ratings) - len(within) < 2_500
    found = film_picks.known_in(ratings, days(date(2026, 3, 1), 210))
    assert len(found) == len(within)
    person = found["user_id"].str.split("-", expand=True)
    assert set(person[0]) == {"49", "50"}
    pairs = ["user_id", "film_id"]
    assert not found.duplicated(pairs).any()
    # The same pairs of people and films as the source's, whichever playing they are of.
    played = sorted(zip(person[1], found["film_id"], found["rating"], strict=True))
    assert played == sorted(within[[*pairs, "rating"]].itertuples(index=False, name=None))


@needs_data
def test_a_film_and_a_person_are_known_with_their_first_rating() -> None:
    ratings, films, users = film_picks.ratings(), film_picks.films(), film_picks.users()
    for found, key in ((films, "film_id"), (users, "user_id")):
        first = ratings.groupby(key)["known_at"].min()
        assert (found.set_index(key)["known_at"] == first.reindex(found[key]).to_numpy()).all()
        assert found["known_at"].is_monotonic_increasing
    assert (len(films), len(users)) == (1682, 943)
    star_wars = films[films["film_id"] == "50"].iloc[0]
    assert (star_wars["title"], star_wars["release_year"]) == ("Star Wars", 1977)
    assert star_wars["genres"] == "Action|Adventure|Romance|Sci-Fi|War"


@needs_data
def test_every_monday_lists_the_films_that_were_listed_before() -> None:
    first = film_picks.films().set_index("film_id")["known_at"]
    listed = film_picks.listings()
    assert listed["known_at"].is_monotonic_increasing
    assert not listed.duplicated(["film_id", "known_at"]).any()
    whole = listed["known_at"].dt.strftime("%a %H:%M:%S") == "Mon 00:00:30"
    by_monday = listed[whole].groupby("known_at")["film_id"].agg(set)
    assert len(by_monday) == 30
    for at, films in by_monday.items():
        assert films == set(first.index[first < at])
    once = listed[~whole].set_index("film_id")["known_at"]
    pd.testing.assert_series_equal(once.sort_index(), first.sort_index())


@needs_data
def test_another_file_than_the_published_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ml-100k.item").write_text("item_id:token\n1\n")
    monkeypatch.setattr(film_picks, "_path", lambda name: tmp_path / name)
    with pytest.raises(MillraceError, match=r"ml-100k.item is not the published file"):
        film_picks.read("item")


def test_without_the_package_it_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_picks, "files", lambda _: [])
    with pytest.raises(
        MillraceError, match=r"recbole has no ml-100k.item here; run `make run CASE"
    ):
        film_picks.read("item")


def test_so_many_days_that_the_source_repeats_itself_are_refused() -> None:
    film_picks.source(Settings(), days(date(2026, 1, 1), 209))
    with pytest.raises(UsageError, match=r"has 210 days; after 209 the source repeats its ratings"):
        film_picks.source(Settings(), days(date(2026, 1, 1), 210))
