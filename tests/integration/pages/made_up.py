"""A year of nights in the journal, made up; every figure follows from the night's number."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine, insert

from pipelines.settings import Settings
from pipelines.stores.postgres import builds, promotions, published, runs, validations, verdicts
from pipelines.use_cases import find

CASE = find("flight_delays")
FIRST = date(2025, 11, 20)
NIGHTS = 365
STAGES = (
    "extract", "ingest", "validate", "transform", "validate", "materialize", "due", "assemble",
    "train", "promote", "predict", "validate", "monitor", "due",
)  # fmt: skip
TABLES = [
    CASE.table(layer, name)
    for layer in ("bronze", "quarantine", "silver", "gold")
    for name in CASE.tables(layer)
]
HOSTILE = "<script>alert(1)</script>"
QUARANTINED = CASE.table("quarantine", "movements")
NUM_BAD = 3  # rows a night
NUM_INPUTS, NUM_EXPECTATIONS = 97, 16


def night(number: int) -> datetime:
    """The midnight that ends it."""
    day = FIRST + timedelta(days=number + 1)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def key(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


def write(engine: Engine, nights: int = NIGHTS) -> None:
    """All rows of the journal."""
    numbers = range(nights)
    with engine.begin() as connection:
        connection.execute(insert(runs), [row for n in numbers for row in _runs(n)])
        connection.execute(insert(published), [row for n in numbers for row in _published(n)])
        connection.execute(insert(validations), [row for n in numbers for row in _validations(n)])
        connection.execute(insert(verdicts), [_verdict(n) for n in numbers])
        connection.execute(insert(promotions), [_promotion(n) for n in numbers])
        connection.execute(insert(builds), _build(nights))


def _runs(number: int) -> list[dict]:
    failed = number % 50 == 49
    run = f"scheduled__{key(number)}"
    common = {"case_name": CASE.name, "interval": key(number), "wall_seconds": 60.0 + number}
    return [
        {
            **common,
            "stage": stage,
            "state": "failed" if failed and stage == "validate" else "done",
            "error": f"CheckFailed: {HOSTILE}" if failed and stage == "validate" else None,
            "airflow_run": f"{CASE.name}.build_features/{run}/{stage}",
            "result": {"rows": {}, "details": _trained(number) if stage == "train" else {}},
            "started_at": night(number) + timedelta(minutes=step),
            "ended_at": night(number) + timedelta(minutes=step + 1),
        }
        for step, stage in enumerate(STAGES)
    ]


def _trained(number: int) -> dict:
    return {
        "number": number + 1,
        "run_id": f"run{number + 1}",
        "cutoff": night(number).isoformat(),
        "reused": False,
        "evaluation": {
            "roc_auc": 0.7,
            "average_precision": 0.4,
            "brier_score": 0.1,
            "num_rows": 24000,
        },
    }


def _published(number: int) -> list[dict]:
    return [
        {
            "case_name": CASE.name,
            "table_name": table,
            "interval": key(number),
            "until": night(number),
            "version": number + 1,
            "rows": _rows(table) * (number + 1),
            "attempt": 1,
            "published_at": night(number) + timedelta(minutes=30),
        }
        for table in TABLES
    ]


def _rows(table: str) -> int:
    """How many a night adds."""
    if table == QUARANTINED:
        return NUM_BAD
    return 0 if table.startswith("quarantine.") else 1000


def _validations(number: int) -> list[dict]:
    states = [
        "failed" if number % 50 == 49 and table == TABLES[0] else "passed" for table in TABLES
    ]
    return [
        {
            "case_name": CASE.name,
            "layer": table.partition(".")[0],
            "table_name": table,
            "interval": key(number),
            "attempt": 1,
            "passed": state,
            "statistics": {
                "evaluated_expectations": NUM_EXPECTATIONS,
                "unsuccessful_expectations": int(state == "failed"),
            },
            "results": [_finding(each, state) for each in range(NUM_EXPECTATIONS)],
            "page": f"gx/{table}.{number}.html",
        }
        for table, state in zip(TABLES, states, strict=True)
    ]


def _finding(number: int, state: str) -> dict:
    broken = state == "failed" and number == 0
    return {
        "expectation": "expect_column_values_to_not_be_null",
        "column": f"column_{number}",
        "success": not broken,
        "severity": "critical",
        "observed": f"1 of 772 bad, such as {HOSTILE}" if broken else "0 of 772 bad",
        "because": "it names the row",
        "error": None,
    }


def _verdict(number: int) -> dict:
    column = {"distance": 0.1, "drifted": False}
    shares = {"missing_share_reference": 0.0, "missing_share_current": 0.1}
    quality = {"num_labelled": 600, "roc_auc": 0.7, "brier_score": 0.1, "positive_rate": 0.2}
    return {
        "case_name": CASE.name,
        "interval": key(number),
        "until": night(number),
        "model_version": 1,
        "drifted": (False, True, None)[number % 3],
        "due": False,
        "reason": f"made up, {number}",
        "statistics": {
            "num_rows": 6674,
            "quality": quality,
            "quality_of_reference": quality,
            "inputs": [{"name": f"input_{n}", **column, **shares} for n in range(NUM_INPUTS)],
            "prediction": {"name": "probability", **column, **shares},
            "drifted_share": number / NIGHTS,
        },
        "page": f"drift/{number}.html",
        "attempt": 1,
    }


def _promotion(number: int) -> dict:
    return {
        "case_name": CASE.name,
        "interval": key(number),
        "version": number + 1,
        "decision": "promoted" if number % 7 == 0 else "kept",
        "reason": "made up",
        "champion_before": None,
        "cutoff": night(number),
        "roc_auc": 0.7,
        "evidence": {
            "num_rows": 24119,
            "num_class_rows": 4964,
            "roc_auc": {"estimate": 0.7, "low": 0.6, "high": 0.8, "level": 0.95},
            "gain": None,
        },
        "attempt": 1,
    }


def _build(nights: int) -> dict:
    """The night after the last one was built, and not published."""
    common = {"case_name": CASE.name, "interval": key(nights), "attempt": 1}
    return {**common, "table_name": QUARANTINED, "version": nights + 1}


def write_quarantine(settings: Settings, nights: int = NIGHTS) -> None:
    """The table of bad movements as Spark leaves it: one commit a night, collated strings."""
    table = settings.warehouse / "build.db" / "quarantine_flight_delays_movements"
    log = table / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    schema = {"type": "struct", "fields": [{"name": "raw", "type": "string collate UTF8_BINARY"}]}
    metadata = {"metaData": {"schemaString": json.dumps(schema)}}
    _commit(log, 0, metadata, {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}})
    for number in range(nights + 1):
        name = f"known_date={key(number)}/part.parquet"
        (table / name).parent.mkdir(exist_ok=True)
        pq.write_table(_bad_rows(number), table / name, use_deprecated_int96_timestamps=True)
        values = {"known_date": key(number)}
        _commit(log, number + 1, {"add": {"path": name, "partitionValues": values}})


def _commit(log: Path, version: int, *actions: dict) -> None:
    lines = "".join(json.dumps(action) + "\n" for action in actions)
    (log / f"{version:020d}.json").write_text(lines)


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
