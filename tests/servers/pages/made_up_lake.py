"""The tables of the made-up year that pages read without an engine."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.core.settings import Settings
from pipelines.stores import delta_files, objects
from pipelines.use_cases.spec.training import PREDICTIONS
from tests.servers.pages.made_up import CASE, HOSTILE, NIGHTS, NUM_BAD, STAGES, key, night


def write(settings: Settings) -> None:
    """Quarantined rows and predictions of every night, and of one that is not published."""
    write_table(settings, CASE.build_table("quarantine", "movements"), "known_date", _bad_rows)
    write_table(settings, CASE.build_table("gold", PREDICTIONS), "decided_date", _answers)


def write_table(settings: Settings, name: str, by: str, rows: Callable[[int], pa.Table]) -> None:
    """A table as Spark leaves it: a day and a commit a night, collated strings."""
    place = delta_files.table(objects.warehouse(settings), name)
    table = Path(place.root, place.prefix)
    log = table / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    schema = {"type": "struct", "fields": [{"name": "raw", "type": "string collate UTF8_BINARY"}]}
    metadata = {"metaData": {"schemaString": json.dumps(schema)}}
    _commit(log, 0, metadata, {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}})
    for number in range(NIGHTS + 1):
        file = f"{by}={key(number)}/part.parquet"
        (table / file).parent.mkdir(exist_ok=True)
        pq.write_table(rows(number), table / file, use_deprecated_int96_timestamps=True)
        values = {by: key(number)}
        _commit(log, number + 1, {"add": {"path": file, "partitionValues": values}})


def _commit(log: Path, version: int, *actions: dict) -> None:
    lines = "".join(json.dumps(action) + "\n" for action in actions)
    (log / f"{version:020d}.json").write_text(lines)


def _answers(number: int) -> pa.Table:
    """As the night's predict gives them."""
    said = night(number) + timedelta(minutes=STAGES.index("predict"), seconds=30)
    return pa.table(
        {
            "flight_id": [f"flight {HOSTILE}"],
            "decided_at": pa.array([night(number)], pa.timestamp("us")),
            "model_version": pa.array([number + 1], pa.int64()),
            "probability": pa.array([0.25], pa.float32()),
            "predicted_at": pa.array([said], pa.timestamp("us")),
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
            "known_at": pa.array([at] * NUM_BAD, pa.timestamp("us")),
            "ingested_at": pa.array([at] * NUM_BAD, pa.timestamp("us")),
            "source_file": [file] * NUM_BAD,
            "source_line": pa.array(range(1, NUM_BAD + 1), pa.int32()),
        }
    )
