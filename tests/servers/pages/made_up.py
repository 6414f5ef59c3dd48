"""A year of nights in the journal, made up; every figure follows from the night's number."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine, insert

from pipelines.core.journal import builds, promotions, published, runs, validations, verdicts
from pipelines.core.registry import STAGES as STAGE_OF
from pipelines.use_cases import find
from pipelines.use_cases.spec.model import DECISIONS, LABELS, PREDICTIONS, TRAINING_SET
from pipelines.use_cases.spec.use_case import Layer

CASE = find("flight_delays")
FIRST = date(2025, 11, 20)
NIGHTS = 365
STAGES = (
    "extract", "ingest", "validate_raw", "transform", "validate_features", "materialize",
    "due_training", "assemble", "validate_training_set", "train", "promote", "leaks",
    "predict", "validate_predictions", "monitor", "due_drift",
)  # fmt: skip


def tables(layer: Layer, *more: str) -> list[str]:
    return [CASE.table(layer, name) for name in (*CASE.tables(layer), *more)]


TABLES = [
    *(name for layer in ("bronze", "quarantine", "silver") for name in tables(layer)),
    *tables("gold", TRAINING_SET, PREDICTIONS),
]
STATES = [CASE.table("gold", state.name) for state in CASE.entity_states]
DECIDED, LABELLED, LEARNED, PREDICTED = (
    CASE.table("gold", name) for name in (DECISIONS, LABELS, TRAINING_SET, PREDICTIONS)
)
# What each stage reads and writes; the rest is proven or published.
READS = {
    "transform": tables("bronze"),
    "assemble": [*STATES, DECIDED, LABELLED],
    "train": [LEARNED],
    "predict": [*STATES, DECIDED],
}
WRITES = {
    "ingest": [*tables("bronze"), *tables("quarantine")],
    "transform": [*tables("silver"), *tables("gold")],
    "assemble": [LEARNED],
    "predict": [PREDICTED],
}
HOSTILE = "<script>alert(1)</script>"
QUARANTINED = CASE.table("quarantine", "movements")
NUM_BAD = 3  # rows a night
NUM_INPUTS, NUM_EXPECTATIONS = 97, 16
# What an input tells of the label alone.
ALONE = {"estimate": 0.99, "low": 0.98, "high": 0.995}


def night(number: int) -> datetime:
    """The midnight that ends it."""
    day = FIRST + timedelta(days=number + 1)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def key(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


def write(engine: Engine) -> None:
    """All rows of the journal."""
    numbers = range(NIGHTS)
    with engine.begin() as connection:
        connection.execute(insert(runs), [row for n in numbers for row in _runs(n)])
        connection.execute(insert(published), [row for n in numbers for row in _published(n)])
        connection.execute(insert(validations), [row for n in numbers for row in _validations(n)])
        connection.execute(insert(verdicts), [_verdict(n) for n in numbers])
        connection.execute(insert(promotions), [_promotion(n) for n in numbers])
        connection.execute(insert(builds), _build())


def _runs(number: int) -> list[dict]:
    failed = number % 50 == 49
    run = f"scheduled__{key(number)}"
    common = {"case_name": CASE.name, "interval": key(number), "wall_seconds": 60.0 + number}
    return [
        {
            **common,
            "model": "late" if STAGE_OF[stage].of_model else None,
            "stage": stage,
            "state": "failed" if failed and stage.startswith("validate") else "done",
            "error": f"CheckFailed: {HOSTILE}" if failed and stage.startswith("validate") else None,
            "airflow_run": f"{CASE.name}.build_features/{run}/{stage}",
            "result": _result(stage, number),
            "started_at": night(number) + timedelta(minutes=step),
            "ended_at": night(number) + timedelta(minutes=step + 1),
        }
        for step, stage in enumerate(STAGES)
    ]


def _result(stage: str, number: int) -> dict:
    file = f"{CASE.name}/movements/{key(number)}/movements.jsonl"
    details = {
        "ingest": {"files": {"movements": {file: "a" * 64}}},
        "assemble": {"digest": "d", "split": {}},
        "predict": {"model_version": number + 1},
        "train": _trained(number),
        "leaks": {
            "deciding": [{"input": HOSTILE, "power": ALONE, "num_rows": 24000}],
            "cuts": [night(number).isoformat()],
            "num_inputs": NUM_INPUTS,
        },
    }
    return {
        "rows": {},
        "reads": dict.fromkeys(READS.get(stage, ()), number + 1),
        "writes": dict.fromkeys(WRITES.get(stage, ()), number + 1),
        "details": details.get(stage, {}),
    }


def _trained(number: int) -> dict:
    return {
        "interval": key(number),
        "fingerprint": "f",
        "digest": "d",
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
        "expected": {"mostly": 0.99},
        "observed": f"1 of 772 bad, such as {HOSTILE}" if broken else "0 of 772 bad",
        "samples": [f"one{HOSTILE}", "another"] if broken else [],
        "because": "it names the row",
        "error": None,
    }


def _verdict(number: int) -> dict:
    column = {"distance": 0.1, "drifted": False}
    shares = {"missing_share_reference": 0.0, "missing_share_current": 0.1}
    quality = {"num_rows": 600, "roc_auc": 0.7, "brier_score": 0.1, "positive_rate": 0.2}
    return {
        "case_name": CASE.name,
        "model": "late",
        "interval": key(number),
        "until": night(number),
        "model_version": 1,
        "drifted": (False, True, None)[number % 3],
        "due": False,
        "reason": f"made up, {number}{HOSTILE}",
        "statistics": {
            "num_rows": 6674,
            "quality": quality,
            "quality_of_reference": quality,
            "inputs": [
                {"name": f"input_{n}{HOSTILE}", **column, **shares} for n in range(NUM_INPUTS)
            ],
            "answers": [
                {
                    "name": "probability",
                    **column,
                    **shares,
                    "distance_max": 0.4321,
                    "notes": [f"new 'moon{HOSTILE}' (5 rows, 21%)", "gone 'north' (9 rows, 3%)"],
                }
            ],
            "drifted_share": number / NIGHTS,
        },
        "page": f"drift/{number}.html",
        "attempt": 1,
    }


def _promotion(number: int) -> dict:
    return {
        "case_name": CASE.name,
        "model": "late",
        "interval": key(number),
        "version": number + 1,
        "decision": "promoted" if number % 7 == 0 else "kept",
        "reason": f"made up{HOSTILE}",
        "champion_before": None,
        "cutoff": night(number),
        "metric": "roc_auc",
        "value": 0.7,
        "evidence": {
            "num_rows": 24119,
            "metric": "roc_auc",
            "value": {"estimate": 0.7, "low": 0.6, "high": 0.8, "level": 0.95},
            "gain": None,
        },
        "attempt": 1,
    }


def _build() -> dict:
    """The night after the last one was built, and not published."""
    common = {"case_name": CASE.name, "interval": key(NIGHTS), "attempt": 1}
    return {**common, "table_name": QUARANTINED, "version": NIGHTS + 1}
