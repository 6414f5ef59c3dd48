"""The tables of the made-up year that pages read without an engine."""

from collections.abc import Callable
from datetime import date, timedelta

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from pipelines.core.settings import Settings
from pipelines.stores import lake
from pipelines.use_cases.spec.model import PREDICTIONS
from tests.servers.pages.made_up import CASE, HOSTILE, NIGHTS, NUM_BAD, STAGES, key, night


def write(settings: Settings) -> None:
    """Quarantined rows, states and predictions of every night, and of one that isn't published."""
    write_table(settings, CASE.build_table("quarantine", "movements"), "known_date", _bad_rows)
    write_table(settings, CASE.build_table("gold", PREDICTIONS), "decided_date", _answers)
    write_table(settings, CASE.build_table("gold", "tail_states"), "known_date", _states)


def write_table(settings: Settings, name: str, by: str, rows: Callable[[int], pa.Table]) -> None:
    """A table as Spark leaves it: a day and a commit a night."""
    address = lake.of(settings).address(name)
    for number in range(NIGHTS + 1):
        found = rows(number)
        days = pa.array([date.fromisoformat(key(number))] * found.num_rows)
        dated = found.append_column(by, days)
        if not number:
            DeltaTable.create(address, dated.schema, partition_by=[by])
        write_deltalake(address, dated, mode="append")


def _answers(number: int) -> pa.Table:
    """As the night's predict gives them."""
    said = night(number) + timedelta(minutes=STAGES.index("predict"), seconds=30)
    return pa.table(
        {
            "flight_id": [f"flight {HOSTILE}"],
            "decided_at": pa.array([night(number)], pa.timestamp("us", "UTC")),
            "model_version": pa.array([number + 1], pa.int64()),
            "probability": pa.array([0.25], pa.float32()),
            "predicted_at": pa.array([said], pa.timestamp("us", "UTC")),
        }
    )


def _states(number: int) -> pa.Table:
    """Of three aircraft, one of which says nothing."""
    return pa.table(
        {
            "tail_number": ["N1", "N2", "N3"],
            "known_at": pa.array([night(number)] * 3, pa.timestamp("us", "UTC")),
            "last_flight_id": [f"flight {HOSTILE}"] * 3,
            "last_departure_delay_minutes": [float(number), 2.0 * number, None],
        }
    )


def _bad_rows(number: int) -> pa.Table:
    at = night(number) - timedelta(days=1)
    file = f"flight_delays/movements/{key(number)}/movements.jsonl"
    reasons = [
        f"tail_number: '{HOSTILE}' is not an int",
        "event_at: a fact happened at some instant",
    ]
    return pa.table(
        {
            "reasons": [reasons] * NUM_BAD,
            "raw": [f'{{"line": {line}, "tail": "{HOSTILE}"}}' for line in range(NUM_BAD)],
            "known_at": pa.array([at] * NUM_BAD, pa.timestamp("us", "UTC")),
            "ingested_at": pa.array([at] * NUM_BAD, pa.timestamp("us", "UTC")),
            "source_file": [file] * NUM_BAD,
            "source_line": pa.array(range(1, NUM_BAD + 1), pa.int32()),
        }
    )
