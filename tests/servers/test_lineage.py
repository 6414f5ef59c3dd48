"""Lineage against a real PostgreSQL: a prediction's path, what is kept, the graph."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from sqlalchemy import Engine, insert

from pipelines.core import registry
from pipelines.core.errors import CheckFailed, UsageError
from pipelines.core.journal import published, runs
from pipelines.core.settings import Settings
from pipelines.insight.lineage import facts, graph, history, kept, predictions
from pipelines.insight.lineage.case import CaseLineage, Node
from pipelines.insight.lineage.edges import Field, How, Relation, Source, Value
from pipelines.stores import compiled, objects
from pipelines.stores.compiled import CompiledModel
from pipelines.use_cases.flight_delays import FLIGHT_DELAYS
from pipelines.use_cases.spec.interval import Interval

CASE = replace(FLIGHT_DELAYS, name="traced")
LATE = CASE.model("late")
DAY = Interval.parse("2026-11-20")
AT = datetime(2026, 11, 21, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def noted(journal: Engine, stage: str, hour: int, **result: Any) -> int:
    """A finished run of an hour."""
    whole = {"rows": {}, "reads": {}, "writes": {}, "details": {}, **result}
    row = insert(runs).values(
        case_name=CASE.name,
        model="late" if registry.find(stage).of_model else None,
        stage=stage,
        interval=DAY.key,
        state="done",
        started_at=AT + timedelta(hours=hour),
        ended_at=AT + timedelta(hours=hour, minutes=30),
        result=whole,
    )
    with journal.begin() as connection:
        return int(connection.execute(row.returning(runs.c.attempt)).scalar_one())


def publish(journal: Engine, table: str, version: int) -> None:
    row = insert(published).values(
        case_name=CASE.name,
        table_name=table,
        interval=DAY.key,
        until=DAY.end,
        version=version,
        rows=2,
        attempt=1,
    )
    with journal.begin() as connection:
        connection.execute(row)


def reading(name: str, *tables: str) -> Node:
    """A table that takes one column of each of some others."""
    sources = frozenset(Source(Field(table, "x"), How.IDENTITY) for table in tables)
    return Node(
        name=name,
        kind="table",
        title="",
        columns={"x": "int"},
        relation=Relation({"x": Value(sources)}),
    )


LINEAGE = CaseLineage(
    CASE.name,
    [
        reading("silver.traced_weather", "bronze.traced_weather"),
        reading("gold.traced_origin_states", "silver.traced_weather"),
        reading("features.traced_origin_states", "gold.traced_origin_states"),
        reading("gold.traced_training_set", "features.traced_origin_states"),
        reading("gold.traced_predictions", "features.traced_origin_states", "models.traced.late"),
    ],
)


@pytest.fixture
def predicted(home: Settings, journal: Engine) -> Settings:
    """The journal of one day, and the answers that it led to."""
    file = "traced/weather/2026-11-20/weather.csv"
    noted(
        journal,
        "ingest",
        0,
        writes={"bronze.traced_weather": 11, "bronze.traced_planes": 11},
        details={"files": {"weather": {file: "a" * 64}}},
    )
    noted(
        journal,
        "transform",
        1,
        reads={"bronze.traced_weather": 11, "bronze.traced_planes": 11},
        writes={"silver.traced_weather": 12, "gold.traced_origin_states": 13},
        details={"compiled": None},
    )
    noted(
        journal,
        "assemble",
        2,
        reads={"gold.traced_origin_states": 13},
        writes={"gold.traced_training_set": 14},
        details={"digest": "d", "split": {}},
    )
    model = {"number": 15, "run_id": "r", "cutoff": "2026-11-21T00:00:00+00:00"}
    model |= {"fingerprint": "f", "digest": "d", "interval": DAY.key}
    noted(
        journal,
        "train",
        3,
        reads={"gold.traced_training_set": 14},
        details={**model, "reused": False},
    )
    noted(
        journal,
        "predict",
        4,
        reads={"gold.traced_origin_states": 13},
        writes={"gold.traced_predictions": 0},
        details={"model_version": 15},
    )
    for table, version in {
        "bronze.traced_weather": 11,
        "silver.traced_weather": 12,
        "gold.traced_origin_states": 13,
        "gold.traced_training_set": 14,
        "gold.traced_predictions": 0,
    }.items():
        publish(journal, table, version)
    answers = pa.table(
        {
            "flight_id": ["2026-11-21_UA_1_EWR", "2026-11-21_UA_2_EWR"],
            "decided_at": pa.array([DAY.end] * 2, pa.timestamp("us", "UTC")),
            "model_version": [15, 15],
            "probability": pa.array([0.25, 0.5], pa.float32()),
            "predicted_at": pa.array([AT + timedelta(hours=4, minutes=5)] * 2),
            "decided_date": [date(2026, 11, 20)] * 2,
        }
    )
    folder = Path(home.objects.warehouse, "build.db", "gold_traced_predictions")
    write_deltalake(folder, answers, mode="overwrite", partition_by=["decided_date"])
    return home


def test_a_prediction_is_followed_to_the_landing_files(
    predicted: Settings, journal: Engine
) -> None:
    past = history.read(journal, CASE.name)
    asked = "2026-11-21_UA_1_EWR@2026-11-21T00:00:00Z@v15"
    said = predictions.find(predicted, past, CASE, LATE, asked)
    assert (str(said.id), said.answer) == (asked, {"probability": 0.25})
    fact = facts.Provenance(CASE, LINEAGE, past).prediction(said)
    found = facts.to_json(fact)["facts"]
    assert found[asked]["made_of"] == ["models.traced.late@15", "gold.traced_origin_states@13"]
    assert found["models.traced.late@15"]["made_of"] == ["gold.traced_training_set@14"]
    assert found["gold.traced_training_set@14"]["made_of"] == ["gold.traced_origin_states@13"]
    # The run read planes as well; this table does not.
    assert found["gold.traced_origin_states@13"]["made_of"] == ["silver.traced_weather@12"]
    assert found["silver.traced_weather@12"]["made_of"] == ["bronze.traced_weather@11"]
    [files] = found["bronze.traced_weather@11"]["made_of"]
    assert found[files]["files"] == [
        {"name": "traced/weather/2026-11-20/weather.csv", "sha256": "a" * 64}
    ]
    assert found[files]["not_noted"] == []
    words = facts.in_words(fact).splitlines()
    assert words[0].startswith(
        f"{asked}  probability 0.2500, said 2026-11-21T05:05:00+00:00 by predict of"
    )
    assert words[-1] == "└─ gold.traced_origin_states@13  (shown above)"


def test_the_newest_prediction_is_found_and_others_are_refused_with_the_nearest(
    predicted: Settings, journal: Engine
) -> None:
    past = history.read(journal, CASE.name)
    newest = predictions.find(predicted, past, CASE, LATE, predictions.NEWEST)
    assert str(newest.id) == "2026-11-21_UA_2_EWR@2026-11-21T00:00:00Z@v15"
    for asked, nearest in (
        ("2026-11-21_UA_22_EWR@2026-11-21T00:00:00Z@v15", "2026-11-21_UA_2_EWR"),
        ("2026-11-21_UA_1_EWR@2026-11-21T00:00:00Z@v16", "2026-11-21_UA_1_EWR"),
    ):
        with pytest.raises(UsageError, match=f"there is {nearest}@2026-11-21T00:00:00Z@v15, "):
            predictions.find(predicted, past, CASE, LATE, asked)
    with pytest.raises(UsageError, match="the row key of traced is"):
        predictions.find(predicted, past, CASE, LATE, "a,b@2026-11-21T00:00:00Z@v15")


def test_without_predictions_it_says_so(home: Settings) -> None:
    with pytest.raises(CheckFailed, match="has published no predictions yet"):
        predictions.find(home, history.History([], []), CASE, LATE, predictions.NEWEST)


def test_before_the_first_transform_only_landing_and_bronze_are_known(
    home: Settings, journal: Engine
) -> None:
    early = replace(CASE, name="traced_early")
    found = kept.case_lineage(home, journal, early)
    assert {node.name.partition(".")[0] for node in found.nodes} == {
        "landing",
        "bronze",
        "quarantine",
    }
    kept_file = next((home.home / "lineage" / "columns").iterdir())
    before = kept_file.stat().st_mtime_ns
    assert kept.case_lineage(home, journal, early).edges == found.edges
    assert kept_file.stat().st_mtime_ns == before


def test_sql_that_was_noted_but_is_not_here_yet_is_not_taken_for_none(
    home: Settings, journal: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = replace(
        CASE,
        name="traced_moved",
        silver=("weather",),
        entity_states=(),
        gold=(),
        models=(),
    )
    row = insert(runs).values(
        case_name=case.name,
        stage="transform",
        interval=DAY.key,
        state="done",
        result={"details": {"compiled": "abc"}},
    )
    with journal.begin() as connection:
        connection.execute(row)
    assert "silver.traced_moved_weather" not in kept.case_lineage(home, journal, case).by_name
    monkeypatch.setattr(kept, "_views", lambda _case: {})
    sql = "select origin, known_at from bronze.traced_moved_weather"
    columns = {"origin": "string", "known_at": "timestamp"}
    model = CompiledModel("silver.traced_moved_weather", "Weather", sql, columns)
    compiled.keep(objects.lineage(home), case.name, "abc", [model])
    assert "silver.traced_moved_weather" in kept.case_lineage(home, journal, case).by_name


def test_the_graph_has_what_the_journal_says_of_each_node(
    predicted: Settings, journal: Engine
) -> None:
    known = kept.case_lineage(predicted, journal, CASE)
    shown = graph.graph(known, graph.statuses(journal, CASE, known))
    found = {box.node.name: box for box in shown.boxes}
    weather = found["bronze.traced_weather"].status
    assert (weather.version, weather.rows) == ("11", 2)
    assert weather.run is not None
    assert (weather.run.stage, weather.run.state, weather.run.interval) == (
        "ingest",
        "done",
        "2026-11-20",
    )
    assert found["landing.traced_weather"].status.run is None
