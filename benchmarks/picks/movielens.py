"""MovieLens 100k as tables, read from the package that ships it; no row of it is kept.

Harper and Konstan, "The MovieLens Datasets: History and Context" (2015); for research, and not to
be passed on.
"""

import os
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pandas as pd

PACKAGE, FOLDER = "recbole", "ml-100k"
VARIABLE = "MILLRACE_MOVIELENS"
_WAY_OUT = (
    f"install the requirements of film_picks (pipelines/use_cases/film_picks.lock), or let "
    f"{VARIABLE} name a folder with {FOLDER}.inter and {FOLDER}.item"
)


def ratings() -> pd.DataFrame:
    """user_id, film_id, rating, seconds (since 1970), in the order of the file."""
    table = pd.read_csv(_file("inter"), sep="\t", dtype={0: str, 1: str})
    table.columns = pd.Index(["user_id", "film_id", "rating", "seconds"])
    return table


def films() -> pd.DataFrame:
    """film_id, title, release_year (missing for few), genres separated by |."""
    table = pd.read_csv(_file("item"), sep="\t", dtype=str)
    table.columns = pd.Index(["film_id", "title", "release_year", "genres"])
    year = pd.to_numeric(table["release_year"], errors="coerce")
    genres = table["genres"].fillna("").str.replace(" ", "|")
    return table.assign(release_year=year, genres=genres)


def _file(ending: str) -> Path:
    """A file of the data set.

    Raises:
        FileNotFoundError: it is not there; says what to do.
    """
    name, given = f"{FOLDER}.{ending}", os.environ.get(VARIABLE)
    try:
        shipped = [] if given else [Path(str(f.locate())) for f in files(PACKAGE) or []]
    except PackageNotFoundError as error:
        raise FileNotFoundError(f"{PACKAGE} is not installed: {_WAY_OUT}") from error
    found = [Path(given) / name] if given else [path for path in shipped if path.name == name]
    if not found or not found[0].is_file():
        raise FileNotFoundError(f"there is no {name}: {_WAY_OUT}")
    return found[0]
