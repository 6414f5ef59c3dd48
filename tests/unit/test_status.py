"""`millrace status` has an entry of each broken case, and goes on with the others."""

import json

import pytest
from typer.testing import CliRunner

from pipelines import use_cases
from pipelines.cli.main import app
from pipelines.core.settings import Settings
from pipelines.insight import status
from pipelines.use_cases.spec.discovery import BrokenCase, Cases

BROKEN = BrokenCase("loans", "pipelines/use_cases/loans.py", 12, "SyntaxError: invalid syntax")
LINE = "loans: can't be loaded: pipelines/use_cases/loans.py, line 12: SyntaxError: invalid syntax"
STANDING = {
    "features_known_until": "2026-11-21T00:00:00+00:00",
    "tables": {},
    "models": {
        name: dict.fromkeys(("champion", "challenger", "predictions", "drift", "leaks"))
        for name in ("late", "minutes")
    },
}


@pytest.fixture(autouse=True)
def _two_cases(monkeypatch):
    there = Cases({"flight_delays": use_cases.find("flight_delays")}, {"loans": BROKEN})
    monkeypatch.setattr(use_cases, "load", lambda: there)
    monkeypatch.setattr(status.services, "health", lambda _: {"postgres": "up"})
    monkeypatch.setattr(status.journal, "engine", lambda _: None)
    monkeypatch.setattr(status, "case_status", lambda *_: STANDING)


def test_a_broken_case_is_a_red_line_after_the_others():
    said = status.in_words(status.platform_status(Settings()))
    assert "flight_delays: features known until 2026-11-21" in said
    assert [line for line in said.splitlines() if line.strip() in ("late", "minutes")] == [
        "  late",
        "  minutes",
    ]
    assert said.splitlines()[-1] == f"\x1b[31m{LINE}\x1b[0m"
    assert CliRunner().invoke(app, ["status"]).output.splitlines()[-1] == LINE


def test_for_programs_it_is_an_entry():
    found = json.loads(CliRunner().invoke(app, ["status", "--json"]).output)
    assert list(found["cases"]) == ["flight_delays"]
    assert found["broken"] == {
        "loans": {
            "name": "loans",
            "file": "pipelines/use_cases/loans.py",
            "line": 12,
            "error": "SyntaxError: invalid syntax",
        }
    }
