"""Three real exports, as they lie in their packages, the whole way to predictions.

Each by `millrace new`, its days as one run, training on all but the last ones, and predictions for
those; pandas reads the same file beside it.
The tests follow one another, one export after the other.
"""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from runpy import run_path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from pipelines.data.extract.shape import Shape
from pipelines.insight import status
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import UseCase
from tests.chain.conftest import Driver
from tests.chain.exports import EXPORTS, GLUCOSE, MOVIES, VIEW, WEATHER, Export
from tests.loans import Loans
from tests.stages import DATA, PREDICTION, TRAINING

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

EVENT, SECONDS = "event_at", "unix_seconds(event_at)"


@pytest.fixture(scope="module", params=EXPORTS, ids=lambda export: export.name)
def export(request: pytest.FixtureRequest) -> Export:
    found: Export = request.param
    return found


@pytest.fixture(scope="module")
def locations(made: Loans) -> Mapping[str, str]:
    """Where each lies; of the database a copy with one view more."""
    copy = shutil.copy(MOVIES, made.data)
    with closing(sqlite3.connect(copy)) as database:
        database.execute(VIEW)
    films = f"sqlite:///{copy}#new films"
    return {"weather": str(WEATHER), "glucose": str(GLUCOSE), "films": films}


def new(
    made: Loans, started: tuple[Any, Mapping[str, str]], export: Export, location: str
) -> "subprocess.CompletedProcess[str]":
    words = (export.name, "--from", location, *export.said, "--into", str(made.project))
    return subprocess.run(
        [sys.executable, "-m", "pipelines", "new", *words],
        cwd=made.project,
        env=started[1],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def told(
    made: Loans,
    started: tuple[Any, Mapping[str, str]],
    export: Export,
    locations: Mapping[str, str],
) -> str:
    """What `millrace new` said of it."""
    ended = new(made, started, export, locations[export.name])
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def case(made: Loans, export: Export, told: str) -> UseCase:
    found: UseCase = run_path(_file(made.project, "use_cases", export))[export.name.upper()]
    return found


@pytest.fixture(scope="module")
def shape(made: Loans, export: Export, told: str) -> Shape:
    """How its source is written down."""
    found: Shape = run_path(_file(made.project, "data/extract/sources", export))["SHAPE"]
    return found


def _file(project: Path, room: str, export: Export) -> str:
    return str(project / "pipelines" / room / f"{export.name}.py")


def within(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """The rows of the interval's days."""
    interval = Interval.parse(key)
    return rows[(rows["event_at"] >= interval.start) & (rows["event_at"] < interval.end)]


def values(rows: pd.DataFrame, key: Sequence[str]) -> list[tuple[Any, ...]]:
    """In the order of the key, as Python's values: days as texts, None where there is none."""
    found = rows.sort_values(list(key)).itertuples(index=False, name=None)
    return [tuple(map(_plain, row)) for row in found]


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return str(value) if isinstance(value, date) else value


def read(
    session: "SparkSession", table: str, names: Mapping[str, str], day: str, key: str
) -> pd.DataFrame:
    """The rows of which `day` is in the interval, by the source's names."""
    interval = Interval.parse(key)
    columns = ", ".join(f"{ours} as `{source}`" for source, ours in names.items())
    days = f"date'{interval.start:%Y-%m-%d}' and date'{interval.last_date}'"
    found = session.sql(f"select {columns} from {table} where {day} between {days}").toPandas()
    if EVENT in found:
        found[EVENT] = pd.to_datetime(found[EVENT], unit="s", utc=True)
    return found


def test_films_of_before_2000_are_refused_with_what_to_do(
    made: Loans, started: tuple[Any, Mapping[str, str]]
) -> None:
    films = next(export for export in EXPORTS if export.name == "films")
    asked = replace(films, said=(*films.said[:-1], "Rating"))
    ended = new(made, started, asked, f"sqlite:///{MOVIES}#omdb")
    assert ended.returncode == 2
    assert "7,906 of 17,472 rows became known from 1940-01-01 to 1999-12-21" in ended.stderr
    assert "take the rows from then on" in ended.stderr


def test_new_tells_how_it_is_written_and_writes_it_down(
    export: Export, told: str, shape: Shape
) -> None:
    said = " ".join(told.split())
    assert [line for line in export.told if line not in said] == []
    assert dict(shape.notations) == dict(export.notations)


def test_every_row_is_kept_quarantined_or_a_duplicate(
    driver: Driver, export: Export, case: UseCase, shape: Shape, session: "SparkSession"
) -> None:
    answers = driver.whole(DATA, export.loaded, export.name)
    rows = within(export.rows(), export.loaded)
    kept = rows[~rows["bad"] & ~rows["copy"]]
    assert answers[DATA.index("ingest")].result["rows"] == {
        "rows_in": len(rows),
        "rows_kept": len(kept),
        "rows_quarantined": int(rows["bad"].sum()),
        "rows_duplicates": int(rows["copy"].sum()),
    }
    kept = kept.drop(columns=["bad", "copy"])
    names = {**shape.columns, EVENT: SECONDS}
    bronze = read(session, case.table("bronze", "rows"), names, "known_date", export.loaded)
    assert values(bronze[kept.columns], export.key) == values(kept, export.key)
    bad = session.sql(f"select source_line, raw from {case.table('quarantine', 'rows')}").collect()
    assert {row["source_line"]: row["raw"] for row in bad} == export.raw


def test_its_champion_is_better_than_saying_the_same_of_all(
    driver: Driver, export: Export, case: UseCase, engine: Engine
) -> None:
    answers = driver.whole(TRAINING, export.history, export.name)
    assert answers[-1].details["decision"] == "promoted", answers[-1].details
    champion = status.champion(engine, case, case.model())
    assert champion
    metric, least = export.metric
    assert (champion["metric"], champion["value"] >= least) == (metric, True), champion
    assert champion["cutoff"] == Interval.parse(export.history).end.isoformat()


def test_each_row_of_the_days_after_is_predicted(
    driver: Driver, export: Export, case: UseCase, shape: Shape, session: "SparkSession"
) -> None:
    predicted = driver.whole(PREDICTION, export.after, export.name)[0].result["rows"]
    rows = within(export.rows(), export.after)
    rows = rows[~rows["bad"] & ~rows["copy"]]
    assert predicted == {"decisions": len(rows), "new": len(rows)}
    label = shape.label.column
    answer = "probability" if case.model().task == "binary" else "prediction"
    names = {source: shape.columns.get(source, SECONDS) for source in export.key}
    table = case.table("gold", "predictions")
    found = read(session, table, names | {label: answer}, "decided_date", export.after)
    key = list(export.key)
    both = found.merge(rows[[*key, label]], on=key, suffixes=("", "_true"), validate="1:1")
    assert len(both) == len(found) == len(rows)
    history = within(export.rows(), export.history)[label].dropna().astype(float)
    assert both[label].between(history.min(), history.max()).all()
    true = both[f"{label}_true"].astype(float)
    assert (both[label] - true).abs().mean() < (history.median() - true).abs().mean()
