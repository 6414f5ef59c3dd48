"""The contract of `film_picks`: what its rows must look like.

Every limit was held against all 100,000 ratings, 1,682 films and 943 people of the source.
"""

from collections.abc import Mapping

from expectations.rules import Between, InSet, Matches, NotNull, Rule

_USER: tuple[Rule, ...] = (
    Matches("user_id", r"[0-9]+-[0-9]+", because="a playing of the source, and a number in it"),
)
_FILM: tuple[Rule, ...] = (Matches("film_id", "[0-9]+", because="the source counts its films"),)

_RATINGS: tuple[Rule, ...] = (
    *_USER,
    *_FILM,
    NotNull("rating", because="a rating has stars"),
    Between("rating", 1, 5, because="one star to five"),
)
_FILMS: tuple[Rule, ...] = (
    *_FILM,
    NotNull("title", because="people read it in their list"),
    Between("release_year", 1880, 2100, because="the oldest here is of 1922; film began in 1888"),
    NotNull("genres", because="a film that nobody rated is known by its genres alone"),
)
_USERS: tuple[Rule, ...] = (
    *_USER,
    NotNull("age_years", because="all of them said it"),
    Between("age_years", 1, 120, because="the source's are from 7 to 73"),
    InSet("gender", ("F", "M"), because="the source knows these two"),
    NotNull("occupation", because="those without one said `none`"),
)


def row_rules() -> Mapping[str, tuple[Rule, ...]]:
    """What every row of each feed must satisfy; a row that does not goes to quarantine."""
    return {"ratings": _RATINGS, "films": _FILMS, "users": _USERS}


def table_keys() -> Mapping[str, tuple[str, ...]]:
    """What names a row of the gold tables that are no entity states, beside `known_at`."""
    return {f"gold.{name}": ("user_id", "asked_at") for name in ("decisions", "labels")}


def table_rules() -> Mapping[str, tuple[Rule, ...]]:
    """What every row of a silver or gold table must satisfy, beyond what its names promise."""
    mean = "a mean of one star to five"
    return {
        "silver.ratings": _RATINGS,
        "silver.films": _FILMS,
        "silver.users": _USERS,
        "gold.user_states": (
            NotNull("films_rated", because="a state is that of somebody who rated something"),
            NotNull("ratings_given", because="each film has its stars"),
            Between("num_films_rated", 1, 100_000, because="a state begins with the first"),
            Between("rating_mean_last_200", 1, 5, because=mean),
        ),
        "gold.candidates": (
            *_FILMS,
            Between("rating_mean_28d", 1, 5, because=mean),
            Between("rating_mean_209d", 1, 5, because=mean),
        ),
        "gold.labels": (NotNull("films_rated_next_7d", because="who rated nothing has no label"),),
    }
