"""A case whose own packages are not installed is unavailable, and says so wherever it is met."""

from contextlib import nullcontext
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

import pytest
from typer.testing import CliRunner

from pipelines import use_cases
from pipelines.cli import first_run
from pipelines.cli.main import app
from pipelines.core.errors import UsageError
from pipelines.core.settings import Settings
from pipelines.insight import status
from pipelines.use_cases import find
from pipelines.use_cases.spec.discovery import Cases, Discovery
from pipelines.use_cases.spec.locks import pinned, unavailable

FLIGHTS = find("flight_delays")
SOURCE = """
from dataclasses import replace
from pipelines.use_cases.flight_delays import FLIGHT_DELAYS
CASE = replace(FLIGHT_DELAYS, name="films")
del FLIGHT_DELAYS
"""
HASH = "    --hash=sha256:" + "0" * 64
LACKING = f"""# made by a resolver
no-such-package-of-anybody==1.2.1 \\
{HASH}
    # via something==3
pytest=={version("pytest")} ; python_version < "4" \\
{HASH}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "films.py").write_text(SOURCE)
    return tmp_path


def test_a_lock_names_packages_and_versions(folder: Path) -> None:
    lock = folder / "films.lock"
    assert unavailable(lock) == ""
    lock.write_text(LACKING)
    own = version("pytest")
    assert pinned(lock) == {"no-such-package-of-anybody": "1.2.1", "pytest": own}
    said = (
        "no-such-package-of-anybody 1.2.1 of films.lock is not installed; `make run CASE=films` "
        "does it, in containers `make up CASE=films`"
    )
    assert unavailable(lock) == said
    lock.write_text(f"pytest=={own}")
    assert unavailable(lock) == ""
    lock.write_text("pytest==1.0")
    assert unavailable(lock).startswith("pytest 1.0 of films.lock")


def test_a_case_becomes_available_without_a_change_of_its_file(folder: Path) -> None:
    discovery = Discovery(folder, "made_films")
    assert discovery.load().unavailable == {}
    (folder / "films.lock").write_text(LACKING)
    cases = discovery.load()
    assert list(cases.found) == ["films"]
    assert list(cases.unavailable) == ["films"]
    (folder / "films.lock").write_text("")
    assert discovery.load().unavailable == {}


@pytest.fixture
def without_packages(monkeypatch: pytest.MonkeyPatch) -> Cases:
    films = replace(FLIGHTS, name="films", on_demand=True)
    there = Cases({"flight_delays": FLIGHTS, "films": films}, {}, MappingProxyType({"films": "no"}))
    monkeypatch.setattr(use_cases, "load", lambda: there)
    return there


def test_no_stage_works_on_it_and_nothing_is_started(
    without_packages: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert use_cases.available("flight_delays") is FLIGHTS
    with pytest.raises(UsageError, match=r"^films is unavailable: no$"):
        use_cases.available("films")
    monkeypatch.setattr(first_run.services, "start", lambda _: pytest.fail("started"))
    with pytest.raises(UsageError, match="films is unavailable"):
        first_run.run(Settings(), "films")
    ended = CliRunner().invoke(app, ["extract", "films", "--interval", "2026-11-20"])
    assert isinstance(ended.exception, UsageError)


def test_status_says_it(without_packages: Cases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status.services, "health", lambda _: {"postgres": "down"})
    found = status.platform_status(Settings())
    assert found["unavailable"] == {"films": "no"}
    assert "films: unavailable: no" in status.in_words(found).splitlines()


@pytest.mark.parametrize(
    ("only", "known", "lacks", "done"),
    [
        (None, False, False, ["flight_delays"]),
        (None, True, False, ["flight_delays", "films"]),  # asked for before: it goes on
        (None, True, True, ["flight_delays"]),
        ("films", False, False, ["films"]),
        ("flight_delays", True, False, ["flight_delays"]),
    ],
)
def test_a_case_on_demand_waits_until_it_is_asked_for(
    without_packages: Cases, monkeypatch: pytest.MonkeyPatch, only, known, lacks, done
) -> None:
    there = without_packages if lacks else replace(without_packages, unavailable={})
    monkeypatch.setattr(use_cases, "load", lambda: there)
    for part, name in ((first_run.services, "start"), (first_run.journal, "engine")):
        monkeypatch.setattr(part, name, lambda _: None)
    monkeypatch.setattr(first_run.summary, "summary", lambda *_: "")
    monkeypatch.setattr(first_run.status, "known_until", lambda *_: "once" if known else None)
    unpaused: list[str] = []

    class Airflow:
        unpause = unpaused.append

    monkeypatch.setattr(first_run.airflow, "connect", lambda _: nullcontext(Airflow))
    followed: list[str] = []
    monkeypatch.setattr(first_run, "_catch_up", lambda *given: followed.append(given[3].name))
    first_run.run(Settings(), only)
    assert followed == done
    assert {dag.split(".")[0] for dag in unpaused} == set(done)
