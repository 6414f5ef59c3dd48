"""The goal `film_picks`: its splits hide what they say, and its peers are what they are called."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import film_picks
from benchmarks.picks import contestants, judge, movielens, splits
from benchmarks.picks.splits import Split

NUM_USERS, NUM_FILMS = 40, 30


@pytest.fixture(scope="module")
def ratings() -> pd.DataFrame:
    """Made-up ratings over 200 days, a few users all on one of them."""
    random = np.random.default_rng(0)
    rows = []
    for user in range(NUM_USERS):
        films = random.permutation(NUM_FILMS)[: random.integers(4, 20)]
        first, length = random.integers(0, 180), 1 if user % 4 == 0 else 200
        days = first + random.random(len(films)) * (length if length == 1 else 200 - first)
        stars = random.integers(1, 6, len(films))
        rows += [
            (str(user), str(f), s, d * 86400) for f, s, d in zip(films, stars, days, strict=True)
        ]
    return pd.DataFrame(rows, columns=["user_id", "film_id", "rating", "seconds"])


@pytest.fixture(scope="module", params=[splits.by_chance, splits.by_time])
def split(request: pytest.FixtureRequest, ratings: pd.DataFrame) -> Split:
    parted: Split = request.param(ratings)
    return parted


def pairs(ratings: pd.DataFrame) -> set[tuple[str, str]]:
    return {*ratings[["user_id", "film_id"]].itertuples(index=False, name=None)}


def told(rows: object) -> set[tuple[str, str]]:
    """Each row's user with the films of its history and its label."""
    return {
        (row["user_id"], film)
        for row in rows.to_pylist()  # type: ignore[attr-defined]
        for film in (*row["films_rated"], *row["films_rated_next"])
    }


def test_nothing_hidden_is_learned_from(split: Split, ratings: pd.DataFrame) -> None:
    known, hidden = pairs(split.known), pairs(split.hidden)
    assert not known & hidden
    assert known | hidden <= pairs(ratings)
    training, validation = split.training()
    assert training.num_rows > 0
    assert validation.num_rows > 0
    assert told(training) | told(validation) <= known
    assert not {*training["user_id"].to_pylist()} & {*validation["user_id"].to_pylist()}
    for row in split.test().to_pylist():
        assert {(row["user_id"], film) for film in row["films_rated"]} <= known
        assert {(row["user_id"], film) for film in row["films_rated_next"]} <= hidden
    assert told(split.test()) >= hidden


def test_by_chance_three_quarters_of_each_user_are_known(ratings: pd.DataFrame) -> None:
    split = splits.by_chance(ratings)
    for user, own in ratings.groupby("user_id"):
        drawn = own.sample(frac=1, random_state=42)[: round(0.75 * len(own))]
        mine = split.known[split.known["user_id"] == user]
        assert {*mine["film_id"]} == {*drawn["film_id"]}
        assert pairs(split.hidden) >= pairs(own.drop(drawn.index))


def test_by_time_all_that_is_known_is_older(ratings: pd.DataFrame) -> None:
    split = splits.by_time(ratings)
    assert split.known["seconds"].max() < split.hidden["seconds"].min()
    assert {*split.hidden["user_id"]} <= {*split.known["user_id"]}
    assert len(split.known) == int(0.75 * len(ratings))


def test_sar_is_its_definition(split: Split) -> None:
    """Film by film: shared raters over all raters, times stars that halve every 30 days."""
    known = split.known
    raters = {film: {*own["user_id"]} for film, own in known.groupby("film_id")}
    newest = known["given_seconds"].max()
    found = contestants.sar(split)
    for row, listed in zip(split.test().to_pylist(), found, strict=True):
        mine = known[known["user_id"] == row["user_id"]]
        weight = mine["rating"] * 0.5 ** ((newest - mine["given_seconds"]) / (30 * 86400))
        score = {}
        for film in sorted({*raters} - {*mine["film_id"]}):
            shares = [
                len(raters[film] & raters[own]) / len(raters[film] | raters[own])
                for own in mine["film_id"]
            ]
            score[film] = float(np.dot(weight, shares))
        assert len(listed) == len({*listed}) == 10
        best = sorted(score.values(), reverse=True)[:10]
        # Beyond the films that are left, known ones fill a list of a user who has rated most.
        assert [score[film] for film in listed[: len(best)]] == pytest.approx(best)


def test_the_popular_are_those_with_most_ratings(split: Split) -> None:
    count = split.known["film_id"].value_counts()
    for row, listed in zip(split.test().to_pylist(), contestants.popular(split), strict=True):
        left = count.drop(row["films_rated"]).sort_values(ascending=False)
        assert count[listed[:5]].tolist() == left[:5].tolist()


def test_published_map_divides_by_all_that_is_relevant(split: Split) -> None:
    rows = split.test().to_pylist()
    lists = [row["films_rated_next"][:1] + [f"none {n}" for n in range(9)] for row in rows]
    run = judge.judged(lists, split)
    assert run.scores["map"] == pytest.approx(
        np.mean([1 / len(row["films_rated_next"]) for row in rows])
    )
    assert run.ndcg == run.scores["ndcg_at_10"]
    assert judge.to_json([run, run, run], run)["gain_over_sar"]["estimate"] == 0


def test_sar_is_as_published_only_to_the_last_digit() -> None:
    scores = dict(film_picks.PUBLISHED["SAR"])
    assert film_picks.is_as_published(scores)
    assert not film_picks.is_as_published({**scores, "map": 0.1107})


def test_data_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(movielens.VARIABLE, str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no ml-100k\.inter: install the requirements of"):
        movielens.ratings()
    monkeypatch.delenv(movielens.VARIABLE)
    monkeypatch.setattr(movielens, "PACKAGE", "nobody-ships-it")
    with pytest.raises(FileNotFoundError, match="nobody-ships-it is not installed"):
        movielens.films()


def test_files_are_read_as_they_are_shipped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(movielens.VARIABLE, str(tmp_path))
    head = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    (tmp_path / "ml-100k.inter").write_text(f"{head}7\t08\t4\t100\n")
    head = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    (tmp_path / "ml-100k.item").write_text(f"{head}08\tA Film\t1990\tWar Drama\n9\tB\t\t\n")
    assert movielens.ratings().to_dict("records") == [
        {"user_id": "7", "film_id": "08", "rating": 4, "seconds": 100}
    ]
    films = movielens.films()
    assert films["genres"].tolist() == ["War|Drama", ""]
    assert films["release_year"].tolist()[0] == 1990
    assert np.isnan(films["release_year"].tolist()[1])
