"""Every block of docs/lake.md, run as it stands there, on what the chain has published.

They follow test_chain.py; what other tools say is compared with Spark's answer and the journal's.
"""

import ast
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine

from pipelines.core import registry
from pipelines.core.settings import ROOT, Settings
from pipelines.insight import status
from pipelines.stores import delta, lake
from tests.chain.conftest import Driver
from tests.loans import NAME, Loans

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

# A block is known by the heading above it and its language.
Said = Mapping[tuple[str, str], str]

PAGE = ROOT / "docs" / "lake.md"
_PART = re.compile(r"^#+ ([^\n]+)$|^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMANDS = {"sh": ("sh", "-ec"), "python": ("python", "-c")}
STATE, KEY, ENTITY = f"{NAME}_segment_states", "segment", "shop"
LABELS = f"{NAME}_labels"


def in_our_words(text: str, day: date) -> str:
    """A block with the chain's case in place of flight_delays, its day in place of the page's."""
    words = {
        "flight_delays_origin_states": STATE,
        "flight_delays_labels": LABELS,
        "flight_delays": NAME,
        "origin": KEY,
        "EWR": ENTITY,
        "num_departures_3h": "num_rows_7d",
        "2026-11-24": str(day),
        "2026-11-25": str(day + timedelta(days=1)),
    }
    return re.sub(rf"\b({'|'.join(words)})(?![a-z0-9_])", lambda word: words[word[0]], text)


def blocks() -> Iterator[tuple[tuple[str, str], str]]:
    """Each block of the page, in order."""
    heading = ""
    for found, language, text in _PART.findall(PAGE.read_text()):
        heading = found or heading
        if language:
            yield (heading, language), text


@pytest.fixture(scope="module")
def said(
    driver: Driver,
    made: Loans,
    started: tuple[Settings, dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Said:
    """What each block printed, all of them run one after the other in one folder."""
    folder, day = tmp_path_factory.mktemp("tools"), made.drifted[-1]
    programs = f"{ROOT / '.venv' / 'bin'}:{started[1]['PATH']}"
    environment = {**started[1], "PATH": programs, "PROJECT": str(made.project)}
    printed = {}
    for block, text in blocks():
        assert block not in printed
        command = (*_COMMANDS[block[1]], in_our_words(text, day))
        printed[block] = _printed(command, folder, environment)
    return printed


def _printed(command: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> str:
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def tables(
    driver: Driver, made: Loans, started: tuple[Settings, dict[str, str]], engine: Engine
) -> Mapping[str, Any]:
    """Where each published table is, as `millrace tables` says it."""
    return status.where(started[0], engine, made.case)


@pytest.mark.parametrize(
    "reader", ["deltalake", "DuckDB", "Polars", "A notebook over Spark Connect"]
)
def test_each_reader_counts_the_rows_that_the_journal_has(
    said: Said, tables: Mapping[str, Any], reader: str
) -> None:
    rows = tables[f"gold.{LABELS}"]["rows"]
    assert rows > 0
    assert said[reader, "python"] == f"{rows}\n"


def test_feast_lists_the_view_its_service_and_its_entity(said: Said) -> None:
    lines = [line.split()[:2] for line in said["Feast", "sh"].splitlines()]
    assert [STATE, f"{{'{KEY}'}}"] in lines
    assert [f"{NAME}_v1", f"{STATE}:num_rows_7d,"] in lines
    assert ["name:", KEY] in lines


def test_feast_answers_without_rows_what_each_entity_was(
    said: Said, made: Loans, session: "SparkSession"
) -> None:
    printed = said["Without rows", "sh"]
    found = {row[KEY]: row["num_rows_7d"] for row in json.loads(printed[printed.index("[\n") :])}
    at = datetime.combine(made.drifted[-1] + timedelta(days=1), datetime.min.time(), UTC)
    states = session.sql(f"select * from gold.{STATE} where known_at = {delta.instant(at)}")
    assert found == {row[KEY]: row["num_rows_7d"] for row in states.collect()}
    assert len(found) == 3


def test_feast_answers_what_the_published_table_has(
    said: Said, made: Loans, session: "SparkSession"
) -> None:
    """At the newest instant of all, so that online and history are the same."""
    at = datetime.combine(made.drifted[-1] + timedelta(days=1), datetime.min.time(), UTC)
    every = session.sql(f"select * from gold.{STATE} where {KEY} = '{ENTITY}'")
    assert every.selectExpr("max(known_at) as at").toArrow()["at"][0].as_py() == at
    (state,) = every.where(f"known_at = {delta.instant(at)}").toArrow().to_pylist()
    features = {name: state[name] for name in state if name not in (KEY, "known_at", "known_date")}
    assert None not in features.values()
    history, online = map(ast.literal_eval, said["Feast", "python"].splitlines()[-2:])
    assert history == [features]
    assert online == {KEY: [ENTITY]} | {name: [value] for name, value in features.items()}


def test_dbt_by_hand_builds_what_is_published(
    said: Said,
    made: Loans,
    started: tuple[Settings, dict[str, str]],
    tables: Mapping[str, Any],
    session: "SparkSession",
) -> None:
    assert "Completed successfully" in said["dbt", "sh"]
    build = f"build.gold_{LABELS}"
    assert lake.of(started[0]).newest(build) > tables[f"gold.{LABELS}"]["version"]
    day = f"known_date = date'{made.drifted[-1]}'"
    built, seen = (session.table(n).where(day).toArrow() for n in (build, f"gold.{LABELS}"))
    assert seen.num_rows > 0
    assert values(built) == values(seen)


def test_the_case_goes_on_from_what_is_published(
    said: Said, driver: Driver, made: Loans, session: "SparkSession"
) -> None:
    before = delta.digest(session, f"gold.{LABELS}")
    key = str(made.drifted[-1])
    for stage in (registry.TRANSFORM, registry.VALIDATE_FEATURES):
        assert driver.ask(stage.name, key).raised is None
    assert delta.digest(session, f"gold.{LABELS}") == before


def values(table: Any) -> list[list[Any]]:
    """The rows of an Arrow table as Python's values, columns and rows in an order of their own."""
    names = sorted(table.column_names)
    rows = ([_in_utc(row[name]) for name in names] for row in table.to_pylist())
    return [names, *sorted(rows, key=repr)]


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def by_deltalake(address: str, version: int) -> Any:
    from deltalake import DeltaTable

    return DeltaTable(address, version=version).to_pyarrow_table()


def by_duckdb(address: str, version: int) -> Any:
    import duckdb
    from deltalake import DeltaTable

    rows = DeltaTable(address, version=version).to_pyarrow_dataset()
    return duckdb.from_arrow(rows).to_arrow_table()


def by_polars(address: str, version: int) -> Any:
    import polars as pl

    return pl.scan_delta(address, version=version).collect().to_arrow()


@pytest.fixture(scope="module")
def by_spark(tables: Mapping[str, Any], session: "SparkSession") -> Mapping[str, Any]:
    """What Spark finds in every published table, at the version that readers see."""
    found = {}
    for name, table in tables.items():
        build = f"build.{name.replace('.', '_')} version as of {table['version']}"
        found[name] = values(session.sql(f"select * from {build}").toArrow())
    return found


@pytest.mark.parametrize("read", [by_deltalake, by_duckdb, by_polars])
def test_other_readers_find_what_spark_finds_in_every_table(
    read: Callable[[str, int], Any],
    tables: Mapping[str, Any],
    by_spark: Mapping[str, Any],
    made: Loans,
) -> None:
    assert set(tables) == set(made.case.all_tables)
    for name, table in tables.items():
        assert len(by_spark[name]) == table["rows"] + 1  # and the columns' names
        assert values(read(table["address"], table["version"])) == by_spark[name], name
