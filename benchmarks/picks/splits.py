"""How MovieLens 100k is parted into what is known and what is to be found.

A split is a clock: what lies before its cut is known. `by_chance` is that of the table of
Microsoft's recommenders (`python_stratified_split` as it was when their figures were made): each
user's ratings in a random order of seed 42, three quarters known; here that order is made the
clock. `by_time` is the oldest three quarters of all ratings; users who have ratings on both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

_KNOWN_SHARE = 0.75
_DAY_SECONDS = 24 * 3600
# A clock by chance has no length of its own.
_YEAR_SECONDS = 365 * _DAY_SECONDS
# The users whose rows say when the ranker stops: every fifth.
_VALIDATION_USERS = 5
# Between the instants at which users are asked in the split by time.
_PAUSE_SECONDS = 4 * _DAY_SECONDS

ROWS = pa.schema(
    [
        ("user_id", pa.string()),
        ("known_at", pa.timestamp("us", "UTC")),
        ("films_rated", pa.list_(pa.string())),
        ("ratings_given", pa.list_(pa.float64())),
        ("films_rated_next", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True)
class Split:
    """Ratings by a clock, seconds, and the instants at which users are asked.

    Args:
        past_share: of the known ratings, those older than the first question to learn from.
    """

    name: str
    ratings: pd.DataFrame
    cut: float
    asked_at: Sequence[float]
    past_share: float

    @property
    def known(self) -> pd.DataFrame:
        return self.ratings[self.ratings["seconds"] < self.cut]

    @property
    def hidden(self) -> pd.DataFrame:
        """Of users of whom something is known."""
        later = self.ratings[self.ratings["seconds"] >= self.cut]
        return later[later["user_id"].isin(self.known["user_id"])]

    def test(self) -> pa.Table:
        """A row a user, at the cut."""
        return asked(self.ratings, [self.cut])

    def training(self) -> tuple[pa.Table, pa.Table]:
        """Rows to learn from, and those of other users to stop by; nothing hidden is in them."""
        rows = asked(self.known, self.asked_at)
        is_validation = [int(user) % _VALIDATION_USERS == 0 for user in rows["user_id"].to_pylist()]
        mask = pa.array(is_validation)
        return rows.filter(pa.compute.invert(mask)), rows.filter(mask)


def by_chance(ratings: pd.DataFrame) -> Split:
    """Three quarters of each user's ratings, drawn by chance."""
    shuffled = pd.concat(
        [_clocked(own.sample(frac=1, random_state=42)) for _, own in ratings.groupby("user_id")]
    )
    cut, asked_at = _KNOWN_SHARE * _YEAR_SECONDS, _KNOWN_SHARE**2 * _YEAR_SECONDS
    return Split("by chance", shuffled.sort_values("seconds", kind="stable"), cut, [asked_at], 0.7)


def _clocked(own: pd.DataFrame) -> pd.DataFrame:
    """A user's ratings in their order, spread over the year so that the cut parts them."""
    num_known, number = round(_KNOWN_SHARE * len(own)), pd.Series(range(len(own)), own.index)
    known = (number + 0.5) / max(num_known, 1) * _KNOWN_SHARE
    hidden = (number - num_known + 0.5) / max(len(own) - num_known, 1) * (1 - _KNOWN_SHARE)
    share = known.where(number < num_known, _KNOWN_SHARE + hidden)
    return own.assign(given_seconds=own["seconds"], seconds=share * _YEAR_SECONDS)


def by_time(ratings: pd.DataFrame) -> Split:
    """The oldest three quarters of all ratings."""
    ordered = ratings.sort_values("seconds", kind="stable").assign(
        given_seconds=lambda table: table["seconds"]
    )
    num_known, past_share = int(_KNOWN_SHARE * len(ordered)), 0.6
    cut = float(ordered["seconds"].iloc[num_known])
    first = float(ordered["seconds"].iloc[int(past_share * num_known)])
    asked_at = [
        first + _PAUSE_SECONDS * number for number in range(int((cut - first) // _PAUSE_SECONDS))
    ]
    return Split("by time", ordered, cut, asked_at, past_share)


def asked(ratings: pd.DataFrame, instants: Sequence[float]) -> pa.Table:
    """A row for each user and instant with ratings before it and since; those are the label."""
    rows = []
    by_user = [
        (user, own["seconds"].to_numpy(), own["film_id"].to_numpy(), own["rating"].to_numpy(float))
        for user, own in ratings.sort_values("seconds", kind="stable").groupby("user_id")
    ]
    for at in instants:
        for user, seconds, film, rating in by_user:
            upto = int((seconds < at).sum())
            if 0 < upto < len(seconds):
                rows.append((user, int(at * 1e6), film[:upto], rating[:upto], film[upto:]))
    columns = zip(*rows, strict=True)
    return pa.table(
        [pa.array(list(values), kind) for values, kind in zip(columns, ROWS.types, strict=True)],
        schema=ROWS,
    )
