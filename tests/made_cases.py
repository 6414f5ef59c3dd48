"""What the tests of `millrace new` share: a table of loans, a repository, the command itself."""

import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer
from typer.testing import CliRunner

from pipelines.core.settings import ROOT
from pipelines.scaffold import commands
from pipelines.scaffold.trial import ROOMS

SEED = 11
HEADER = "Loan ID,Opened,Segment,Amount,Defaulted,Settled\n"


def loans(num: int = 400, days: int = 40) -> str:
    """Loans as a CSV, from seeded dice, evenly over the days from 1 September 2026 on."""
    print(f"seed {SEED}")
    dice = random.Random(SEED)  # noqa: S311
    start = datetime(2026, 9, 1, tzinfo=UTC)
    rows = []
    for number in range(num):
        at = start + timedelta(days=days * number / num)
        settled = at + timedelta(minutes=1, days=10 * number / num)
        segment, answer = dice.choice(["retail", "firms"]), dice.choice(["yes", "no", "no"])
        row = (f"L{number}", f"{at:%Y-%m-%d %H:%M:%S}", segment, dice.randrange(100, 200), answer)
        rows.append(",".join(map(str, (*row, f"{settled:%Y-%m-%d %H:%M:%S}"))))
    return HEADER + "\n".join(rows) + "\n"


def words(path: Path, into: Path) -> tuple[str, ...]:
    """What is said of the loans."""
    key = ("--key", "Loan ID", "--event-time", "Opened", "--label", "Defaulted")
    return ("--from", str(path), *key, "--without", "Settled", "--into", str(into))


def repository(folder: Path) -> Path:
    """A copy of the rooms that a case has files in."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def files(folder: Path) -> dict[str, str]:
    """Every file's text, by its path below the folder."""
    paths = (path for path in sorted(folder.rglob("*")) if "__pycache__" not in path.parts)
    return {
        str(path.relative_to(folder)): path.read_text(errors="replace")
        for path in paths
        if path.is_file()
    }


def call(*said: str) -> str:
    """The command as people call it; what it printed."""
    app = typer.Typer()
    app.command()(commands.new)
    app.command()(commands.remove)
    ended = CliRunner().invoke(app, [*said])
    if ended.exception:
        raise ended.exception
    return ended.output
