"""Every gold column again, by brute force: plain loops over raw rows, an entity and instant a time.

Written from the descriptions in the dbt YAML, not from the SQL. A row is a dict of a bronze row.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FLIGHT, MOVEMENT, OBSERVATION = ("flight_id",), ("flight_id", "movement"), ("origin", "event_at")


def newest(rows: Iterable[Row], key: Sequence[str], known: Callable[[Row], bool]) -> list[Row]:
    """Of each key the row that became known last; of those that came twice, the one landed last."""
    found: dict[tuple[Any, ...], Row] = {}
    order = ("known_at", "ingested_at", "source_file", "source_line")
    for row in sorted(filter(known, rows), key=lambda row: [row[name] for name in order]):
        found[tuple(row[name] for name in key)] = row
    return list(found.values())


def mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def minutes(stretch: timedelta) -> float:
    return stretch.total_seconds() / 60


def overdue(due: Sequence[datetime], at: datetime) -> dict[str, float]:
    late = [minutes(at - each) for each in due]
    return {"num": len(late), "mean": mean(late) or 0.0, "max": max(late, default=0.0)}


@dataclass
class Known:
    """What is known of the flights of one entity before an instant."""

    at: datetime
    plans: list[Row]
    movements: list[Row]
    heard_of: dict[str, set[str]]

    @classmethod
    def before(cls, at: datetime, plans: list[Row], movements: list[Row], days: int, **entity: str):
        def mine(rows: list[Row], key: Sequence[str]) -> list[Row]:
            fresh = newest(rows, key, lambda row: row["known_at"] < at)
            return [
                row
                for row in fresh
                if row["known_at"] >= at - days * DAY
                and all(row[name] == value for name, value in entity.items())
            ]

        heard_of: dict[str, set[str]] = {}
        for row in movements:
            if row["known_at"] < at:
                heard_of.setdefault(row["flight_id"], set()).add(row["movement"])
        return cls(at, mine(plans, FLIGHT), mine(movements, MOVEMENT), heard_of)

    def happened(self, movement: str, hours: int) -> list[Row]:
        since = self.at - hours * HOUR
        return [m for m in self.movements if m["movement"] == movement and m["event_at"] >= since]

    def number(self, movement: str, hours: int) -> int:
        return len(self.happened(movement, hours))

    def delay(self, movement: str, hours: int) -> float | None:
        return mean([row["delay_minutes"] for row in self.happened(movement, hours)])

    def late(self, movement: str, hours: int) -> float | None:
        return mean([row["delay_minutes"] > 15 for row in self.happened(movement, hours)])

    def gained(self, hours: int) -> float | None:
        left = {m["flight_id"]: m for m in self.movements if m["movement"] == "departed"}
        pairs = [(left.get(m["flight_id"]), m) for m in self.happened("arrived", hours)]
        return mean([out["delay_minutes"] - m["delay_minutes"] for out, m in pairs if out])

    def planned(self, hours: int) -> int:
        until = self.at + hours * HOUR
        return sum(self.at <= plan["scheduled_departure_at"] < until for plan in self.plans)

    def waiting(self) -> list[datetime]:
        planned = (
            plan["scheduled_departure_at"]
            for plan in self.plans
            if plan["flight_id"] not in self.heard_of
        )
        return [due for due in planned if due < self.at <= due + DAY]

    def in_air(self) -> list[Row]:
        return [
            row
            for row in self.happened("departed", 24)
            if not self.heard_of[row["flight_id"]] & {"arrived", "diverted"}
        ]


def origin_state(known: Known) -> Row:
    queue = overdue(known.waiting(), known.at)
    state: Row = {f"num_departures_{h}h": known.number("departed", h) for h in (1, 3, 24)}
    for h in (1, 3, 24):
        state[f"departure_delay_minutes_mean_{h}h"] = known.delay("departed", h)
        state[f"departure_late_rate_{h}h"] = known.late("departed", h)
    for h in (3, 24):
        state[f"num_arrivals_{h}h"] = known.number("arrived", h)
        state[f"arrival_delay_minutes_mean_{h}h"] = known.delay("arrived", h)
        state[f"arrival_late_rate_{h}h"] = known.late("arrived", h)
        state[f"num_cancellations_{h}h"] = known.number("cancelled", h)
    for h in (1, 3):
        state[f"num_planned_departures_next_{h}h"] = known.planned(h)
    return state | {
        "num_overdue": queue["num"],
        "overdue_minutes_mean": queue["mean"],
        "overdue_minutes_max": queue["max"],
    }


def origin_carrier_state(known: Known) -> Row:
    queue = overdue(known.waiting(), known.at)
    state: Row = {}
    for h in (3, 24):
        state[f"num_departures_{h}h"] = known.number("departed", h)
        state[f"departure_delay_minutes_mean_{h}h"] = known.delay("departed", h)
        state[f"departure_late_rate_{h}h"] = known.late("departed", h)
    for h in (6, 24):
        state[f"arrival_delay_minutes_mean_{h}h"] = known.delay("arrived", h)
        state[f"arrival_late_rate_{h}h"] = known.late("arrived", h)
    return state | {
        "num_arrivals_24h": known.number("arrived", 24),
        "num_cancellations_24h": known.number("cancelled", 24),
        "num_planned_departures_next_3h": known.planned(3),
        "num_overdue": queue["num"],
        "overdue_minutes_mean": queue["mean"],
        "overdue_minutes_max": queue["max"],
    }


def destination_state(known: Known) -> Row:
    flying = known.in_air()
    waiting = overdue(known.waiting(), known.at)
    due = [row["scheduled_arrival_at"] for row in flying]
    landing = overdue([each for each in due if each < known.at], known.at)
    state: Row = {"departure_delay_minutes_mean_6h": known.delay("departed", 6)}
    for h in (6, 24):
        state[f"num_arrivals_{h}h"] = known.number("arrived", h)
        state[f"arrival_late_rate_{h}h"] = known.late("arrived", h)
        state[f"gained_minutes_mean_{h}h"] = known.gained(h)
        state[f"num_cancellations_{h}h"] = known.number("cancelled", h)
    for h in (3, 6, 24):
        state[f"arrival_delay_minutes_mean_{h}h"] = known.delay("arrived", h)
    return state | {
        "num_diversions_24h": known.number("diverted", 24),
        "num_in_air": len(flying),
        "departure_delay_minutes_mean_in_air": mean([row["delay_minutes"] for row in flying]),
        "num_overdue_arrivals": landing["num"],
        "overdue_arrival_minutes_mean": landing["mean"],
        "num_overdue_departures": waiting["num"],
        "overdue_departure_minutes_mean": waiting["mean"],
    }


def carrier_route_state(known: Known) -> Row:
    week, month = 7 * 24, 28 * 24
    cancelled, departed = known.number("cancelled", month), known.number("departed", month)
    return {
        "num_arrivals_7d": known.number("arrived", week),
        "num_arrivals_28d": known.number("arrived", month),
        "late_rate_7d": known.late("arrived", week),
        "late_rate_28d": known.late("arrived", month),
        "arrival_delay_minutes_mean_7d": known.delay("arrived", week),
        "arrival_delay_minutes_mean_28d": known.delay("arrived", month),
        "departure_delay_minutes_mean_28d": known.delay("departed", month),
        "gained_minutes_mean_28d": known.gained(month),
        "cancellation_rate_28d": mean([True] * cancelled + [False] * departed),
    }


def weather_state(observations: list[Row], at: datetime, origin: str) -> Row | None:
    """Of one airport; None where no observation of the last 6 hours is known."""
    known = newest(observations, OBSERVATION, lambda row: row["known_at"] < at)
    known = [row for row in known if row["origin"] == origin and row["known_at"] >= at - DAY]
    recent = sorted(
        (row for row in known if row["event_at"] >= at - 6 * HOUR), key=lambda row: row["event_at"]
    )
    if not recent:
        return None
    last = recent[-1]
    three = [row for row in recent if row["event_at"] >= at - 3 * HOUR]
    older = [row for row in recent if row["event_at"] < at - 3 * HOUR]
    plain = {name: value for name, value in last.items() if name.endswith(_UNITS)}
    return plain | {
        "observation_age_minutes": minutes(at - last["event_at"]),
        "temperature_fahrenheit_change_3h": _change(last, older, "temperature_fahrenheit"),
        "pressure_millibars_change_3h": _change(last, older, "pressure_millibars"),
        "precipitation_inches_sum_3h": _of(sum, three, "precipitation_inches"),
        "precipitation_inches_sum_6h": _of(sum, recent, "precipitation_inches"),
        "wind_speed_mph_max_3h": _of(max, three, "wind_speed_mph"),
        "wind_gust_mph_max_6h": _of(max, recent, "wind_gust_mph"),
        "visibility_miles_min_3h": _of(min, three, "visibility_miles"),
    }


_UNITS = ("_fahrenheit", "_percent", "_degrees", "_mph", "_inches", "_millibars", "_miles")


def _of(aggregate: Callable[..., float], rows: list[Row], name: str) -> float | None:
    values = [row[name] for row in rows if row[name] is not None]
    return aggregate(values) if values else None


def _change(last: Row, older: list[Row], name: str) -> float | None:
    if not older or last[name] is None or older[-1][name] is None:
        return None
    return float(last[name] - older[-1][name])


def tail_state(movements: list[Row], at: datetime, tail_number: str) -> Row:
    """Of one aircraft, at the instant at which one of its movements became known."""
    known = newest(movements, MOVEMENT, lambda row: row["known_at"] <= at)
    known = [r for r in known if r["tail_number"] == tail_number and r["known_at"] > at - 3 * DAY]
    last = max(known, key=lambda r: (r["event_at"], r["known_at"], r["movement"], r["flight_id"]))
    leg = {r["movement"]: r for r in known if r["flight_id"] == last["flight_id"]}
    out, landed = leg.get("departed"), leg.get("arrived")
    delay = (landed or out or {}).get("delay_minutes")
    flown = last["movement"] in ("departed", "arrived")
    arrived = [r["delay_minutes"] for r in known if r["movement"] == "arrived"]
    departed = [r["delay_minutes"] for r in known if r["movement"] == "departed"]
    return {
        "last_flight_id": last["flight_id"],
        "last_movement": last["movement"],
        "last_movement_at": last["event_at"],
        "last_origin": last["origin"],
        "last_destination": last["destination"],
        "last_scheduled_departure_at": last["scheduled_departure_at"],
        "last_scheduled_arrival_at": last["scheduled_arrival_at"],
        "last_departure_delay_minutes": out and out["delay_minutes"],
        "last_arrival_delay_minutes": landed and landed["delay_minutes"],
        "last_air_time_minutes": landed and landed["air_time_minutes"],
        "last_planned_duration_minutes": minutes(
            last["scheduled_arrival_at"] - last["scheduled_departure_at"]
        ),
        "last_expected_arrival_at": last["scheduled_arrival_at"] + timedelta(minutes=delay)
        if flown
        else None,
        "num_departures_3d": len(departed),
        "departure_delay_minutes_mean_3d": mean(departed),
        "arrival_delay_minutes_mean_3d": mean(arrived),
    }
