"""Tables of somebody's own with real signal, one for each task, from seeded dice.

Each is rows of texts and numbers as a CSV has them, some a day, the newest day last.
"""

import csv
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from math import exp
from pathlib import Path
from typing import Any

SEED = 20261121
ROWS_A_DAY = 60

# What a letter is about decides who answers it; the last is rare.
TEAMS = ("billing", "delivery", "returns", "account", "press & legal")
_TEAM_WEIGHTS = (0.34, 0.26, 0.2, 0.14, 0.06)


def tickets(days: Sequence[date], rows_a_day: int = ROWS_A_DAY) -> Iterator[dict[str, Any]]:
    """Letters of customers, and the team of five that answered: known by length, channel, value.

    Its label is the column `Answered by`.
    """
    print(f"seed {SEED}")
    dice = random.Random(SEED)  # noqa: S311
    for at, name in _moments(dice, days, rows_a_day):
        (team,) = dice.choices(range(len(TEAMS)), _TEAM_WEIGHTS)
        likely = ("phone", "app", "app", "web", "post")[team]
        yield {
            "Ticket": name,
            "Arrived": at.isoformat(),
            "Channel": likely if dice.random() < 0.6 else dice.choice(("phone", "app", "web")),
            "Country": dice.choice(("DE", "FR", "IT")),
            "Words": max(1, int(dice.gauss(80 + 60 * team, 40))),
            "Order Value": round(exp(dice.gauss(4 - 0.5 * team, 0.7)), 2),
            "Answered by": TEAMS[team],
        }


def trips(days: Sequence[date], rows_a_day: int = ROWS_A_DAY) -> Iterator[dict[str, Any]]:
    """Trips of a taxi, and what each cost: by distance and time of day, wider the longer.

    Its label is the column `Fare (EUR)`.
    """
    print(f"seed {SEED}")
    dice = random.Random(SEED)  # noqa: S311
    for at, name in _moments(dice, days, rows_a_day):
        distance = round(exp(dice.gauss(1.5, 0.6)), 2)
        is_night = at.hour < 6 or at.hour >= 22
        zone = dice.choice(("centre", "airport", "suburb"))
        fare = 4 + 2.1 * distance + 6 * (zone == "airport") + 3 * is_night
        yield {
            "Trip": name,
            "Started": at.isoformat(),
            "Zone": zone,
            "Hour": at.hour,
            "Distance": distance,
            "Passengers": dice.randrange(1, 5),
            "Fare (EUR)": round(max(3.0, fare + dice.gauss(0, 1 + 0.15 * distance)), 2),
        }


def _moments(
    dice: random.Random, days: Sequence[date], rows_a_day: int
) -> Iterator[tuple[datetime, str]]:
    """An instant and a name a row, in the order of time."""
    for number, day in enumerate(days):
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        seconds = sorted(dice.randrange(86_000) for _ in range(rows_a_day))
        for place, second in enumerate(seconds):
            yield start + timedelta(seconds=second), f"{number:03d}-{place:04d}"


def write(table: Iterator[dict[str, Any]], path: Path) -> Path:
    """A table as a CSV."""
    first, *others = table
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, first)
        writer.writeheader()
        writer.writerows([first, *others])
    return path
