"""A small world of flights, seeded, with every awkward thing that a source does."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]
START, DAYS = datetime(2026, 3, 7, tzinfo=UTC), 4
LATENCY, MINUTE, HOUR = timedelta(seconds=30), timedelta(minutes=1), timedelta(hours=1)
AIRPORTS, AIRLINES = ("EWR", "JFK", "LGA"), ("AA", "B6", "UA")
DESTINATIONS = ("ATL", "BOS", "LAX", "ORD", "SJU")
TAILS = ("N101", "N102", "N103", "N104", "N105", "N106", "n107 ", " ", None)


def facts(dice: random.Random) -> dict[str, list[Row]]:
    """Bronze rows of four days, without the columns that ingest adds."""
    plans = [plan for day in range(DAYS + 1) for plan in _plans(dice, START + day * 24 * HOUR)]
    movements = [moved for plan in plans for moved in _movements(dice, plan)]
    movements += [_corrected(dice, row) for row in dice.sample(movements, len(movements) // 6)]
    plans += [_planned_anew(dice, plan) for plan in dice.sample(plans, len(plans) // 12)]
    weather = list(_weather(dice))
    weather += [
        row | {"known_at": row["known_at"] + 2 * HOUR, "temperature_fahrenheit": 1.5}
        for row in dice.sample(weather, len(weather) // 10)
    ]
    feeds = {"schedule": plans, "movements": movements, "weather": weather}
    # The first day's plans were published the evening before: nobody has them.
    return {name: [r for r in rows if r["known_at"] >= START] for name, rows in feeds.items()}


def snapshots() -> dict[str, list[Row]]:
    """Two of each dimension: the second changes some rows and lacks others."""
    first, second = (START + hours * HOUR for hours in (30, 62))
    return {
        "planes": [
            {
                "tail_number": tail,
                "year_built": None if tail == "N102" else 1990 + number,
                "manufacturer": "BOEING",
                "model": "737",
                "num_engines": 2,
                "num_seats": 100 + 10 * number + seats,
                "known_at": at,
            }
            for at, seats, tails in ((first, 0, TAILS[:5]), (second, 1, TAILS[1:6]))
            for number, tail in enumerate(tails)
        ],
        "airlines": [
            {"carrier": name, "name": name, "known_at": at}
            for at in (first, second)
            for name in AIRLINES
        ],
        "airports": [
            {"airport": name, "name": name, "latitude": 40.5, "longitude": -74.0, "known_at": at}
            | {"altitude_feet": 18, "time_zone": None}
            for at in (first, second)
            for name in AIRPORTS
        ],
    }


def _plans(dice: random.Random, day: datetime) -> Iterator[Row]:
    for number in range(1, 36):
        # Some leave exactly on the grid, the first and the last of the day at its very ends.
        minute = {1: 0, 2: 23 * 60 + 59}.get(number, dice.choice((15, 1)) * dice.randrange(95))
        leaves = day + minute * MINUTE
        carrier, origin = dice.choice(AIRLINES), dice.choice(AIRPORTS)
        yield {
            "flight_id": f"{day:%Y-%m-%d}-{carrier}-{number}-{origin}",
            "carrier": carrier,
            "flight_number": number,
            "tail_number": dice.choice(TAILS),
            "origin": origin,
            "destination": dice.choice(
                DESTINATIONS[:4] if day > START + 24 * HOUR else DESTINATIONS
            ),
            "scheduled_departure_at": leaves,
            "scheduled_arrival_at": leaves + dice.randrange(60, 300) * MINUTE,
            "local_date": (leaves - 5 * HOUR).date(),
            "local_hour": (leaves - 5 * HOUR).hour,
            "local_minute": leaves.minute,
            "distance_miles": dice.randrange(100, 2500),
            "event_at": day - 6 * HOUR,
            "known_at": day - 6 * HOUR + LATENCY,
        }


def _movements(dice: random.Random, plan: Row) -> Iterator[Row]:
    def moved(movement: str, at: datetime, latency: timedelta, delay: int | None = None) -> Row:
        kept = {name: plan[name] for name in list(plan)[:8]}
        air_time = dice.randrange(40, 200) if movement == "arrived" else None
        values = {"movement": movement, "delay_minutes": delay, "air_time_minutes": air_time}
        return kept | values | {"event_at": at, "known_at": at + latency}

    fate = dice.random()
    # Zero: known at the very instant it happened, which may be on the grid.
    latency = dice.choice((LATENCY, LATENCY, timedelta(0), 7 * HOUR))
    if fate < 0.08:
        yield moved("cancelled", plan["scheduled_departure_at"], HOUR + LATENCY)
    elif fate < 0.95:
        delay = dice.choice((-5, 0, 15, 16, 45, 200))
        left = plan["scheduled_departure_at"] + delay * MINUTE
        yield moved("departed", left, latency, delay)
        if fate < 0.12:
            yield moved("diverted", left + HOUR, LATENCY)
        elif fate < 0.90:
            late = delay + dice.choice((-20, 0, 20))
            landed = plan["scheduled_arrival_at"] + late * MINUTE
            yield moved("arrived", landed, dice.choice((LATENCY, timedelta(0), 26 * HOUR)), late)


def _corrected(dice: random.Random, row: Row) -> Row:
    values: Row = {"known_at": row["known_at"] + dice.choice((0, 20, 90, 1500)) * MINUTE}
    if row["delay_minutes"] is not None:
        minutes = dice.choice((-10, 30))
        values["delay_minutes"] = row["delay_minutes"] + minutes
        values["event_at"] = row["event_at"] + minutes * MINUTE
    if dice.random() < 0.2:
        values["tail_number"] = "N106"
    return row | values


def _planned_anew(dice: random.Random, plan: Row) -> Row:
    later = dice.choice((0, 30, 180)) * MINUTE
    return plan | {
        "known_at": plan["known_at"] + dice.choice((0, 4, 9)) * HOUR,
        "scheduled_departure_at": plan["scheduled_departure_at"] + later,
        "scheduled_arrival_at": plan["scheduled_arrival_at"] + later,
    }


def _weather(dice: random.Random) -> Iterator[Row]:
    def number(low: float, high: float) -> float:
        return round(dice.uniform(low, high), 2)

    for origin in AIRPORTS:
        for hour in range(DAYS * 24):
            at = START + hour * HOUR
            # Newark is silent for half of the second day, and some reports come late.
            if dice.random() < 0.1 or (origin == "EWR" and 24 <= hour < 36):
                continue
            yield {
                "origin": origin,
                "event_at": at,
                "known_at": at + dice.choice((LATENCY, LATENCY, timedelta(0), 5 * HOUR)),
                "temperature_fahrenheit": number(20, 90),
                "dew_point_fahrenheit": number(10, 70),
                "humidity_percent": number(0, 100),
                "wind_direction_degrees": None if dice.random() < 0.1 else number(0, 360),
                "wind_speed_mph": number(0, 40),
                "wind_gust_mph": number(20, 60) if dice.random() < 0.4 else None,
                "precipitation_inches": number(0, 1),
                "pressure_millibars": None if dice.random() < 0.2 else number(980, 1040),
                "visibility_miles": number(0, 10),
            }
