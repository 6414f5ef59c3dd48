"""A use case made by `millrace new` from a CSV of loans, in a copy of the project of its own.

A loan is late when its amount is high; in the last days all amounts are.
"""

import csv
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from runpy import run_path
from typing import Any

from pipelines.use_cases.spec.use_case import UseCase
from tests.project import copy_of_the_project

NAME = "loans"
ROWS_A_DAY = 150
SEED = 20261121
# In the first day, after the case was made: a row that breaks the contract made from the others.
BROKEN = {"loan": "broken", "amount": "<b>plenty</b>"}


@dataclass(frozen=True)
class Loans:
    """The case and its days; the newest is yesterday."""

    project: Path
    case: UseCase
    history: list[date]
    calm: list[date]
    drifted: list[date]

    @property
    def data(self) -> Path:
        return self.project / "data"


def make(folder: Path, *, history: int, calm: int, drifted: int, edits: Mapping[str, str]) -> Loans:
    """A copy of the project with the case in it, edited as a person would.

    Args:
        history, calm, drifted: so many days each, one after the other.
        edits: what is replaced in the generated use case, and by what.
    """
    project = copy_of_the_project(folder / "project")
    count = history + calm + drifted
    days = [datetime.now(UTC).date() - timedelta(days=back) for back in range(count, 0, -1)]
    source = project / "data" / "loans.csv"
    table = list(_rows(days, drifted))
    _write(table, source)
    words = ["--from", str(source), "--key", "loan", "--event-time", "asked_at"]
    words += ["--label", "late", "--positive", "yes", "--into", str(project)]
    subprocess.run([sys.executable, "-m", "pipelines", "new", NAME, *words], check=True)
    with source.open("a", newline="") as file:
        csv.DictWriter(file, table[0]).writerow({**table[0], **BROKEN})
    made = project / "pipelines" / "use_cases" / f"{NAME}.py"
    text = made.read_text()
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new)
    made.write_text(text)
    case = run_path(str(made))[NAME.upper()]
    return Loans(project, case, days[:history], days[history:-drifted], days[-drifted:])


def _rows(days: list[date], drifted: int) -> Iterator[dict[str, Any]]:
    print(f"seed {SEED}")
    dice = random.Random(SEED)  # noqa: S311
    for number_of_day, day in enumerate(days):
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        shift = 400 if day in days[-drifted:] else 0
        for number in range(ROWS_A_DAY):
            amount = dice.gauss(500 + shift, 100)
            yield {
                "loan": f"{number_of_day:03d}-{number:04d}",
                "asked_at": (start + timedelta(seconds=dice.randrange(86_000))).isoformat(),
                "segment": dice.choice(["shop", "car", "home"]),
                "amount": round(amount, 2),
                "income": round(dice.gauss(3000, 500), 2),
                "late": "yes" if dice.gauss(amount, 60) > 540 else "no",
            }


def _write(table: list[dict[str, Any]], source: Path) -> None:
    source.parent.mkdir()
    with source.open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
