"""The pages on the real PostgreSQL, a database of its own a story; a person is logged in.

`made_up` is a year of nights. The lake is a folder of this test's alone.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.testclient import TestClient
from millrace_pages import site
from millrace_pages.app import create
from sqlalchemy import Engine, create_engine, text

from pipelines import use_cases
from pipelines.core import cases
from pipelines.core.journal import metadata
from pipelines.core.settings import Settings
from pipelines.use_cases.spec.discovery import Cases
from tests.servers.pages import made_up, made_up_answers, made_up_lake, made_up_lineage


def database(journal: Engine, settings: Settings, name: str) -> Iterator[Engine]:
    """A journal of its own on the session's server."""
    with journal.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"drop database if exists {name}"))
        connection.execute(text(f"create database {name}"))
    made = create_engine(settings.database(name))
    with made.begin() as connection:
        connection.execute(text("create schema ops"))
        metadata.create_all(connection)
    yield made
    made.dispose()


def visitor(home: Path, journal: Engine) -> TestClient:
    """Somebody who is logged in, at the pages as Airflow mounts them."""
    pages = create(Settings(home=home))
    pages.dependency_overrides |= {get_user: lambda: "somebody", site.journal: lambda: journal}
    root = FastAPI()
    root.mount("/millrace", pages)
    return TestClient(root, base_url="http://testserver/millrace/")


@pytest.fixture(autouse=True)
def _the_case_of_the_year(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages' first case, and the only one: others have nothing to show here."""
    only = Cases({made_up.CASE.name: made_up.CASE}, {})
    monkeypatch.setattr(use_cases, "load", lambda: only)


@pytest.fixture(scope="session")
def empty_journal(journal: Engine, settings: Settings) -> Iterator[Engine]:
    yield from database(journal, settings, "pages_empty")


@pytest.fixture(scope="session")
def year_journal(journal: Engine, settings: Settings) -> Iterator[Engine]:
    for made in database(journal, settings, "pages_year"):
        made_up.write(made)
        yield made


@pytest.fixture(scope="session")
def empty(empty_journal: Engine, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """Nothing ran yet."""
    return visitor(tmp_path_factory.mktemp("empty"), empty_journal)


@pytest.fixture(scope="session")
def year(year_journal: Engine, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """A year of nights."""
    home = tmp_path_factory.mktemp("year")
    made_up_lake.write(Settings(home=home))
    made_up_lineage.keep(Settings(home=home))
    return visitor(home, year_journal)


@pytest.fixture(scope="session")
def answers_journal(journal: Engine, settings: Settings) -> Iterator[Engine]:
    for made in database(journal, settings, "pages_answers"):
        made_up_answers.publish(made)
        yield made


@pytest.fixture(scope="session")
def answers_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("answers")
    made_up_answers.write(Settings(home=home))
    return home


@pytest.fixture
def answered(
    answers_journal: Engine, answers_home: Path, monkeypatch: pytest.MonkeyPatch
) -> TestClient:
    """Lists and forecasts of one midnight, and the cases that they are of."""
    both = Cases(made_up_answers.CASES, {})
    monkeypatch.setattr(use_cases, "load", lambda: both)
    monkeypatch.setattr(cases, "model", made_up_answers.model)
    return visitor(answers_home, answers_journal)
