"""A case is tried before it is there; it can be looked at, proposed anew, and taken back."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipelines.core.errors import MillraceError, UsageError
from pipelines.data.reading.files import FileTable
from pipelines.scaffold import trial
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.infer import infer
from pipelines.scaffold.render import rendered
from tests import made_cases
from tests.made_cases import call, files, loans, words

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
USE_CASE, CONTRACT = "pipelines/use_cases/loans.py", "expectations/loans.py"
LABELS = "pipelines/data/transform/dbt/models/loans/gold/loans_labels"


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "loans.csv"
    path.parent.mkdir()
    path.write_text(loans())
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return made_cases.repository(tmp_path / "repository")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Formatted in the copy, but not run there: that is five seconds each time."""
    monkeypatch.setattr(trial, "_try", lambda *_: None)


@pytest.fixture
def texts(csv_file: Path) -> dict[str, str]:
    ask = Ask(
        name="loans",
        location=str(csv_file),
        key=("Loan ID",),
        event_time="Opened",
        label="Defaulted",
    )
    proposal = infer(ask, FileTable(str(csv_file), (csv_file.parent,)), NOW)
    return rendered(proposal, date(2026, 11, 21))


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (USE_CASE, "look_back_days=", "look_back_days=0 * ", "leave nothing of 0 days"),
        (CONTRACT, '"amount"', '"amounts"', r"expectations/loans.py: rows has no \['amounts'\]"),
        ("models/loans.py", "Binary(", "Nothing(", "models/loans.py, line .*NameError"),
        (f"{LABELS}.yml", "models:", "models: [", "dbt list: .*loans_labels.yml"),
        (f"{LABELS}.sql", "with", "{{ nothing( }}", "dbt list: .*loans_labels"),
        ("tests/unit/test_loans.py", "slice(0, 1)", "slice(1, 1)", "of its own test fails"),
        ("features/loans.py", "return", "return (", "SyntaxError"),
    ],
)
def test_what_would_not_work_is_not_written(texts, repository, path, old, new, said):
    before = files(repository)
    assert old in texts[path]
    with pytest.raises(MillraceError, match=f"would not work, so nothing was written: .*{said}"):
        trial.tried("loans", {**texts, path: texts[path].replace(old, new)}, repository)
    assert files(repository) == before


def test_what_works_comes_back_as_the_formatter_leaves_it(texts, repository):
    spread = {**texts, USE_CASE: texts[USE_CASE].replace("ROWS = Feed(", "ROWS  =  Feed(")}
    assert trial.tried("loans", spread, repository) == texts


@pytest.mark.usefixtures("quick")
def test_a_dry_run_says_all_and_writes_nothing(csv_file, repository):
    before = files(repository)
    said = call("new", "loans", *words(csv_file, repository), "--dry-run")
    assert "Tried in a copy; nothing was written of" in said
    assert f"  {USE_CASE}, " in said
    assert json.loads(said.splitlines()[-1]) == {"case": "loans", "written": []}
    assert files(repository) == before
    # A person reads it in a terminal, a log or a mail.
    assert max(map(len, said.splitlines()[:-1])) <= 100


def changed(csv_file: Path, change: Callable[[str], str]) -> None:
    lines = csv_file.read_text().splitlines()
    csv_file.write_text("\n".join(map(change, lines)) + "\n")


@pytest.mark.usefixtures("quick")
def test_a_case_is_proposed_again_as_a_diff(csv_file, repository, monkeypatch):
    monkeypatch.setenv("MILLRACE_NOW", "2026-11-21T10:00:00Z")
    again = ("new", "loans", "--again", "--into", str(repository))
    call("new", "loans", *words(csv_file, repository))
    written = files(repository)
    monkeypatch.setenv("MILLRACE_NOW", "2026-11-25T10:00:00Z")
    assert call(*again).startswith("loans: its source says what it said on 2026-11-21\n")
    # A column more, and its owner has edited a file meanwhile.
    changed(csv_file, lambda line: f"Branch,{line}" if line.startswith("Loan") else f"b7,{line}")
    mine = repository / CONTRACT
    mine.write_text(mine.read_text() + "# mine\n")
    edited = files(repository)
    said = call(*again)
    assert f"--- {USE_CASE}\n+++ {USE_CASE} (proposed)\n" in said
    assert '\n+        Column("branch", "string", ' in said
    assert "\n-# mine\n" in said
    assert f"--write` does; {CONTRACT}, which you edited, only with --yes" in said
    assert files(repository) == edited
    said = call(*again, "--write")
    assert f"  left    {CONTRACT}, which you edited" in said
    after = files(repository)
    assert after[CONTRACT] == edited[CONTRACT]
    assert '"branch"' in after[USE_CASE]
    assert f"on 2026-11-25; you edited {CONTRACT}" in call(*again)
    call(*again, "--write", "--yes")
    assert "# mine" not in files(repository)[CONTRACT]
    # What is asked otherwise is kept, too: without the column it is as it was at first.
    call(*again, "--write", "--without", "Settled,Branch")
    last = files(repository)
    assert last[CONTRACT].replace("2026-11-25", "2026-11-21") == written[CONTRACT]
    assert call(*again).startswith("loans: its source says what it said on 2026-11-25\n")


@pytest.mark.usefixtures("quick")
def test_a_case_is_taken_back_whole(csv_file, repository):
    before = files(repository)
    folders = {path for path in repository.rglob("*") if path.is_dir()}
    call("new", "loans", *words(csv_file, repository))
    mine = repository / CONTRACT
    plain = mine.read_text()
    mine.write_text(plain + "# mine\n")
    with pytest.raises(UsageError, match=r"^expectations/loans.py was edited since .* --yes"):
        call("remove", "loans", "--into", str(repository))
    mine.write_text(plain)
    said = call("remove", "loans", "--into", str(repository))
    assert f"  removed {USE_CASE}" in said
    assert "What it has in the home stays: landing, tables, models, journal" in said
    assert files(repository) == before
    assert {path for path in repository.rglob("*") if path.is_dir()} == folders
    call("new", "loans", *words(csv_file, repository))
    mine.write_text(plain + "# mine\n")
    call("remove", "loans", "--yes", "--into", str(repository))
    assert files(repository) == before


@pytest.mark.parametrize("name", ["flight_delays", "nothing"])
@pytest.mark.parametrize("command", [("remove",), ("new", "--again")])
def test_of_a_case_that_was_written_by_hand_nothing_is_known(command, name, repository):
    before = files(repository)
    with pytest.raises(UsageError, match=rf"'{name}' is no case that `millrace new` wrote: tests/"):
        call(*command, name, "--into", str(repository))
    with pytest.raises(UsageError, match="is not a lower-case identifier"):
        call(*command, "../loans", "--into", str(repository))
    assert files(repository) == before


def test_what_must_be_said_is_named(repository):
    with pytest.raises(UsageError, match="--from, --key, --label must be said; for a case that is"):
        call("new", "loans", "--event-time", "at", "--into", str(repository))
