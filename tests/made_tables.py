"""Tables of somebody's own with real signal, one for each task, from seeded dice.

Each is rows of texts and numbers as a CSV has them, some a day, the newest day last.
"""

import csv
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from math import exp, pi, sin
from pathlib import Path
from typing import Any

SEED = 20261121
ROWS_A_DAY = 60

# What a letter is about decides who answers it; the last is rare.
TEAMS = ("billing", "delivery", "returns", "account", "press & legal")
_TEAM_WEIGHTS = (0.34, 0.26, 0.2, 0.14, 0.06)
FRIDAY = 4
# Of books; everybody likes one of them.
KINDS = 6


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


def loads(
    days: Sequence[date], stations: Sequence[str] = ("north", "south"), *, is_hourly: bool = True
) -> Iterator[dict[str, Any]]:
    """What two stations need, hour by hour or day by day: by the hour and the day of the week.

    A slow wave moves the level, which yesterday tells of and the week before does not. Its label is
    the column `Load (MW)`.
    """
    print(f"seed {SEED}")
    dice = random.Random(SEED)  # noqa: S311
    for number, day in enumerate(days):
        for hour in range(24 if is_hourly else 1):
            at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
            for place, station in enumerate(stations):
                level = 100 + 40 * place + 25 * sin(2 * pi * number / 19 + place)
                load = level * (0.7 if day.weekday() > FRIDAY else 1) + 20 * sin(2 * pi * hour / 24)
                yield {
                    "Station": station,
                    "Hour": at.isoformat() if is_hourly else day.isoformat(),
                    "Load (MW)": round(max(0.0, load + dice.gauss(0, 4)), 2),
                }


def ratings(
    days: Sequence[date], users: int = 120, items: int = 90, rows_a_day: int = ROWS_A_DAY
) -> Iterator[dict[str, Any]]:
    """Who read which book when, and its stars: everybody likes one of six kinds, some books more.

    Nobody reads a book twice.
    """
    print(f"seed {SEED}")
    dice, seen = random.Random(SEED), set[tuple[int, int]]()  # noqa: S311
    weights = [1 / (1 + item // KINDS) for item in range(items)]
    for number, day in enumerate(days):
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        for second in sorted(dice.sample(range(86_000), rows_a_day)):
            user = dice.randrange(users)
            (item,) = dice.choices(range(items), weights)
            if dice.random() < 0.8:
                item = item - item % KINDS + user % KINDS
            if item >= items or (user, item) in seen:
                continue
            seen.add((user, item))
            yield {
                "Reader": f"r{user}",
                "Book": f"b{item}",
                "When": (start + timedelta(seconds=second)).isoformat(),
                "Stars": dice.randrange(3, 6) if item % KINDS == user % KINDS else number % 3 + 1,
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
