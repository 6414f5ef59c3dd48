"""A month of flights and weather at two airports: planned anew, corrected, early, unheard of."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pipelines.use_cases import find
from tests.servers.lakes import Row

DAY, HOUR, MINUTE, LATENCY = (timedelta(**{n: 1}) for n in ("days", "hours", "minutes", "seconds"))
START, DAYS = datetime(2026, 3, 1, tzinfo=UTC), 31
SERIES = [(origin, carrier) for origin in ("EWR", "JFK") for carrier in ("AA", "UA", "all")]


def plans(dice: random.Random) -> Iterator[Row]:
    """At the first and the last hour of a day and one between; some are planned anew, and later."""
    for day in range(DAYS + 1):
        for origin, carrier in SERIES:
            hours = [hour for hour in (0, 5, 23) if dice.random() < 0.8 and carrier != "all"]
            for number, hour in enumerate(hours * 2):
                leaves = START + day * DAY + hour * HOUR + dice.choice((0, 30, 59)) * MINUTE
                known_at = START + (day - 1) * DAY + 18 * HOUR + LATENCY
                plan = {
                    "flight_id": f"{day}-{origin}-{carrier}-{number}-{hour}",
                    "carrier": carrier,
                    "flight_number": number + 1,
                    "tail_number": None,
                    "origin": origin,
                    "destination": "ATL",
                    "scheduled_departure_at": leaves,
                    "scheduled_arrival_at": leaves + 2 * HOUR,
                    "local_date": leaves.date(),
                    "local_hour": hour,
                    "local_minute": 0,
                    "distance_miles": 500,
                    "event_at": known_at - LATENCY,
                    "known_at": known_at,
                }
                yield plan
                if dice.random() < 0.05:
                    yield plan | {
                        "known_at": known_at + 3 * HOUR,
                        "scheduled_departure_at": leaves + 40 * MINUTE,
                    }


def movements(dice: random.Random, plan: Row) -> Iterator[Row]:
    """Of a few flights nothing is heard; some leave early, some are corrected days later."""
    fate, leaves = dice.random(), plan["scheduled_departure_at"]
    kept = {name: plan[name] for name in list(plan)[:8]} | {"air_time_minutes": None}
    if fate < 0.05:
        return
    delay = dice.choice((-45, -5, 0, 20, 300, 1300)) if fate < 0.85 else None
    at = leaves + (HOUR if delay is None else delay * MINUTE)
    said = {"movement": "cancelled" if delay is None else "departed", "delay_minutes": delay}
    moved = kept | said | {"event_at": at, "known_at": at + dice.choice((0, 30)) * LATENCY}
    yield moved
    if delay is not None and dice.random() < 0.2:
        later = dice.choice((90, 1500, 6000)) * MINUTE
        yield moved | {"delay_minutes": delay + 7, "known_at": moved["known_at"] + later}


def weather() -> Iterator[Row]:
    """Each third hour; every other is corrected, four hours later."""
    names = [column.name for column in find("departures_ahead").feed("weather").columns[3:]]
    for number in range(DAYS * 8):
        at = START + number * 3 * HOUR
        for origin in ("EWR", "JFK"):
            row = {"origin": origin, "event_at": at, "known_at": at + LATENCY}
            yield row | {name: float(number % 9) for name in names}
            if number % 2:
                yield row | dict.fromkeys(names, 0.5) | {"known_at": at + 4 * HOUR}
