"""The command line is frozen: what people, Airflow and compose call does not change by accident."""

import subprocess
import sys

import pytest
import typer.main
from typer.testing import CliRunner

from pipelines.cli.main import app

COMMANDS = {
    "extract": {"case", "--interval"},
    "ingest": {"case", "--interval"},
    "validate_raw": {"case", "--interval"},
    "transform": {"case", "--interval"},
    "validate_features": {"case", "--interval"},
    "materialize": {"case", "--interval"},
    "due_training": {"case", "--interval", "--model", "--forced"},
    "assemble": {"case", "--interval", "--model"},
    "validate_training_set": {"case", "--interval", "--model"},
    "train": {"case", "--interval", "--model"},
    "promote": {"case", "--interval", "--model"},
    "leaks": {"case", "--interval", "--model", "--changed", "--json"},
    "refresh": {"case", "--interval", "--model"},
    "predict": {"case", "--interval", "--model"},
    "validate_predictions": {"case", "--interval", "--model"},
    "monitor": {"case", "--interval", "--model"},
    "due_drift": {"case", "--interval", "--model"},
    "docs": {"case", "--interval"},
    "tables": {"case"},
    "feature-store": {"case"},
    "rollback": {"case", "--model", "--to"},
    "lineage": {"case", "--column", "--impact", "--prediction", "--model", "--json"},
    "new": {
        "name",
        *("--from", "--key", "--event-time", "--label", "--known-at", "--label-known-at"),
        *("--task", "--positive", "--horizon", "--without", "--only", "--into"),
        *("--encoding", "--delimiter", "--quote", "--escape", "--skip-lines", "--records"),
        *("--sheet", "--decimal", "--thousands", "--dates", "--zone", "--missing"),
        *("--dry-run", "--again", "--write", "--yes"),
    },
    "remove": {"name", "--into", "--yes"},
    "run": {"case", "--follow", "--no-follow"},
    "status": {"--json"},
    "start": {"parts"},
    "stop": set(),
    "clean": set(),
}


def call(*words: str) -> subprocess.CompletedProcess[str]:
    millrace = [sys.executable, "-m", "pipelines", *words]
    return subprocess.run(millrace, capture_output=True, text=True, check=False)


def test_commands_and_options_are_frozen():
    group = typer.main.get_command(app)
    found = {
        name: {word for parameter in command.params for word in _words(parameter)}
        for name, command in group.commands.items()
    }
    assert found == COMMANDS


def _words(parameter):
    return [*parameter.opts, *parameter.secondary_opts]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["extract", "nope", "--interval", "2026-11-20"], "flight_delays"),
        (["polish", "flight_delays", "--interval", "2026-11-20"], "extract, ingest, validate_raw"),
        (["extract", "flight_delays", "--interval", "2026-8-3"], "a day (2026-11-20)"),
        (["validate", "flight_delays", "--interval", "2026-11-20"], "validate_raw, transform"),
        (["start", "kafka"], "postgres, spark, airflow, mlflow"),
        (["extract", "flight_delays"], "--interval"),
        (["lineage", "flight_delays"], "exactly one of --column, --impact and --prediction"),
        (["lineage", "nope", "--column", "a.b"], "flight_delays"),
    ],
)
def test_a_wrong_call_is_refused_with_what_is_allowed(words, said):
    ended = call(*words)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("HOME", "relative", "give an absolute path"),
        ("AIRFLOW_PORT", "many", "MILLRACE_AIRFLOW_PORT: Input should be a valid integer"),
        ("DATA_ROOTS", "[", "data_roots"),
        ("STAGE_COMMAND", "[", "MILLRACE_STAGE_COMMAND"),
        ("STAGE_COMMAND", "", "MILLRACE_STAGE_COMMAND"),
        ("CATALOG", "postgres", "set MILLRACE_POSTGRES"),
    ],
)
def test_a_wrong_setting_is_refused_and_no_password_is_shown(monkeypatch, setting, value, said):
    monkeypatch.setenv("MILLRACE_POSTGRES", "postgresql+psycopg2://u:SECRET@/x")
    monkeypatch.setenv(f"MILLRACE_{setting}", value)
    ended = call("status")
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "SECRET" not in ended.stderr


def test_help_of_every_command_is_there():
    for command in COMMANDS:
        ended = CliRunner().invoke(app, [command, "--help"])
        assert ended.exit_code == 0
        assert command in ended.stdout
