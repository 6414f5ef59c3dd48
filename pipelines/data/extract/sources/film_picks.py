"""Plays MovieLens 100k as if its ratings came in today: 210 of its 215 days, again and again."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pandas as pd

from pipelines.core.errors import MillraceError, UsageError
from pipelines.core.settings import Settings
from pipelines.core.source import Source, SourceFile
from pipelines.data.extract.frames import frame_file
from pipelines.data.extract.replay import Replay, known_between
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Feed

# The last five days are left out.
REPLAY = Replay(date(1997, 9, 20), timedelta(weeks=30))
LATENCY = pd.Timedelta(seconds=30)

# What recbole 1.2.1 holds of the data set; anything else is not the data that the docs speak of.
CHECKSUMS = {
    "inter": "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
    "item": "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
    "user": "4f670007d9cfbeb9807e757209af1555b9bcc186bde25e767f67cb67c6dd5972",
}


def source(settings: Settings, interval: Interval) -> Source:  # noqa: ARG001  it knows one calendar
    """The ratings' source system, able to answer for the parts of this interval.

    Raises:
        UsageError: the interval is so long that the source repeats itself in it.
    """
    most = REPLAY.cycle.days - 1
    if interval.days > most:
        raise UsageError(
            f"{interval} has {interval.days} days; after {most} the source repeats its "
            "ratings, and a model would know the future: take fewer days"
        )
    return _Films()


class _Films:
    def files(self, feed: Feed, part: Interval) -> Iterable[SourceFile]:
        """One file a feed and part, of what became known in it."""
        yield frame_file(feed, known_in(_FEEDS[feed.name](), part))


def known_in(facts: pd.DataFrame, part: Interval) -> pd.DataFrame:
    """The facts that become known in a part; a person of each playing is another one."""
    played = []
    for cycle in REPLAY.cycles(part.start.date(), part.last_date):
        rows = known_between(facts, cycle, part)
        if "user_id" in rows:
            rows["user_id"] = f"{cycle.shift // REPLAY.cycle}-" + rows["user_id"]
        played.append(rows)
    return pd.concat(played, ignore_index=True)


def read(name: str) -> pd.DataFrame:
    """One table of the data set, columns by their names, every value as text.

    Raises:
        MillraceError: the package is missing, or its file is not the published one.
    """
    path = _path(f"ml-100k.{name}")
    if sha256(path.read_bytes()).hexdigest() != CHECKSUMS[name]:
        raise MillraceError(f"{path} is not the published file; install recbole==1.2.1 again")
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    return table.rename(columns=lambda column: column.partition(":")[0])


def _path(name: str) -> Path:
    """Where the installed package has a file; the package itself is never imported."""
    try:
        listed = files("recbole") or []
    except PackageNotFoundError:
        listed = []
    for file in listed:
        if file.name == name:
            return Path(str(file.locate()))
    raise MillraceError(f"recbole has no {name} here; run `make run CASE=film_picks` once")


@cache
def ratings() -> pd.DataFrame:
    """Every rating, in the order in which they were given."""
    table = read("inter")
    event_at = pd.to_datetime(table["timestamp"].astype(int), unit="s")
    rated = pd.DataFrame(
        {
            "user_id": table["user_id"],
            "film_id": table["item_id"],
            "rating": table["rating"].astype(int),
            "event_at": event_at,
            "known_at": event_at + LATENCY,
            "local_date": event_at.dt.floor("D"),
        }
    )
    return rated.sort_values(["known_at", "user_id", "film_id"], ignore_index=True)


def films() -> pd.DataFrame:
    """Every film as of its first rating: the source does not say when it came in."""
    table = read("item").rename(columns={"item_id": "film_id", "movie_title": "title"})
    year = pd.to_numeric(table["release_year"], errors="coerce").astype("Int64")
    genres = table["class"].str.replace(" ", "|")
    return _first(table.assign(release_year=year, genres=genres), "film_id")


@cache
def listings() -> pd.DataFrame:
    """Each film when it is first rated, and again every Monday with all that came before.

    Whoever begins in the middle of a playing knows the whole catalogue within a week.
    """
    facts = films()
    mondays = pd.date_range(REPLAY.first, REPLAY.last, freq="W-MON")
    again = facts.drop(columns=["event_at", "local_date"]).merge(
        pd.DataFrame({"event_at": mondays, "local_date": mondays}), how="cross"
    )
    again = again[again["known_at"] < again["event_at"]]
    again["known_at"] = again["event_at"] + LATENCY
    listed = pd.concat([facts, again[facts.columns]])
    return listed.sort_values(["known_at", "film_id"], ignore_index=True)


def users() -> pd.DataFrame:
    """Everybody, as of their first rating."""
    table = read("user").rename(columns={"age": "age_years"})
    return _first(table.assign(age_years=table["age_years"].astype(int)), "user_id")


def _first(table: pd.DataFrame, key: str) -> pd.DataFrame:
    """With the instants of the first rating, in their order; what nobody rated is not known."""
    came = ratings().groupby(key, as_index=False)[["event_at", "known_at", "local_date"]].min()
    return table.merge(came, on=key).sort_values(["known_at", key], ignore_index=True)


_FEEDS: Mapping[str, Callable[[], pd.DataFrame]] = {
    "ratings": ratings,
    "films": listings,
    "users": users,
}
