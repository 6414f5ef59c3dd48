"""A case made by `millrace new` through all its stages: the whole promise, told once.

History trains the first champion; after a calm day three drift, which retrains the model exactly
once; the newest day again leaves every table equal.
The tests follow one another, in this order.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, Select, Table, select

from pipelines.core import journal, registry
from pipelines.insight import status
from pipelines.stores import delta
from tests.chain.conftest import NOTHING_DUE, Driver
from tests.loans import NAME, ROWS_A_DAY, Loans
from tests.stages import DATA, PREDICTION, TRAINED, TRAINING, WATCH

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession


def of_loans(table: Table) -> "Select[Any]":
    return select(table).where(table.c.case_name == NAME)


def test_history_trains_the_first_champion(driver: Driver, made: Loans, engine: Engine):
    key = f"{made.history[0]}/{made.history[-1]}"
    assert [answer.raised for answer in driver.chain(DATA, key)] == [None] * len(DATA)
    (predicted,) = driver.chain(PREDICTION, key)
    assert predicted.raised == NOTHING_DUE
    assert "has no champion yet" in predicted.result["words"]
    before = status.case_status(engine, made.case)
    assert before["tables"][made.case.table("gold", "labels")]["rows"] > 0
    assert set(before["models"][made.case.model().name].values()) == {None}
    assert [answer.raised for answer in driver.chain(TRAINING, key)] == [None] * len(TRAINING)
    found = status.case_status(engine, made.case)
    champion = found["models"][made.case.model().name]["champion"]
    assert champion["version"] == 1
    assert champion["cutoff"] == f"{made.calm[0]}T00:00:00+00:00"
    # The data are made so: the amount tells most of it.
    assert champion["metric"] == "roc_auc"
    assert champion["value"] > 0.85
    assert found["quarantined"] == 1


def test_nothing_that_was_generated_knows_the_future(
    driver: Driver, made: Loans, session: "SparkSession", engine: Engine
):
    key = f"{made.history[0]}/{made.history[-1]}"
    names = sorted(status.case_status(engine, made.case)["tables"])
    before = {name: delta.digest(session, name) for name in names}
    found = driver.ask(registry.LEAKS.name, key)
    assert [found.details[kind] for kind in ("moved", "fading", "deciding")] == [[], [], []]
    assert len(found.details["cuts"]) == 2
    assert found.details["num_inputs"] > 5
    assert found.details["unsaid"] == []
    assert min(found.result["rows"].values()) > ROWS_A_DAY
    assert {name: delta.digest(session, name) for name in names} == before
    assert not session.catalog.databaseExists(f"leaks_{NAME}_{made.case.model().name}")
    said = status.case_status(engine, made.case)["models"][made.case.model().name]["leaks"]
    assert said["findings"] == []


def test_drift_retrains_once(driver: Driver, made: Loans, engine: Engine):
    nights = [*made.calm, *made.drifted]
    # Not by the cadence, four days after the last; not in calm; and not again while it rests.
    assert [driver.night(str(day)) for day in nights] == [0, 0, 1, 0]
    said = verdicts(engine)
    assert not any(said[str(day)] for day in made.calm)
    assert all(said[str(day)] for day in made.drifted[:2])
    found = status.case_status(engine, made.case)
    assert found["features_known_until"].startswith(str(made.drifted[-1] + timedelta(days=1)))


def verdicts(engine: Engine) -> dict[str, bool | None]:
    """The newest verdict of each interval."""
    table = journal.verdicts
    with engine.connect() as connection:
        rows = connection.execute(of_loans(table).order_by(table.c.id)).all()
    return {row.interval: row.drifted for row in rows}


def test_the_newest_day_again_leaves_every_table_equal(
    driver: Driver, made: Loans, session: "SparkSession", engine: Engine
):
    predictions = made.case.table("gold", "predictions")
    # The new champion answers the day as well: what was said before must still be there.
    said = f"(select * from {predictions} where model_version = 1)"
    tables = sorted({*status.case_status(engine, made.case)["tables"], said} - {predictions})
    before = {name: delta.digest(session, name) for name in tables}
    assert len(before) == 8
    assert driver.night(str(made.drifted[-1])) == 0
    assert {name: delta.digest(session, name) for name in tables} == before


def test_every_prediction_is_kept_with_the_version_that_made_it(
    driver: Driver, made: Loans, session: "SparkSession"
):
    found = session.sql(
        "select decided_date, model_version, count(*) as rows, count(distinct loan) as loans, "
        "min(probability) as low, max(probability) as high "
        f"from {made.case.table('gold', 'predictions')} "
        "group by decided_date, model_version order by decided_date, model_version"
    ).collect()
    assert {row["decided_date"] for row in found} == {*made.calm, *made.drifted}
    for row in found:
        assert (row["rows"], row["loans"]) == (ROWS_A_DAY, ROWS_A_DAY)
        assert 0 <= row["low"] < row["high"] <= 1


def test_the_journal_knows_what_each_stage_did(driver: Driver, made: Loans, engine: Engine):
    table = journal.runs
    with engine.connect() as connection:
        done = connection.execute(of_loans(table).where(table.c.state == "done")).all()
    ingested = {run.interval: run.result["rows"] for run in done if run.stage == "ingest"}
    num_days = len([*made.history, *made.calm, *made.drifted])
    assert sum(rows["rows_in"] for rows in ingested.values()) == ROWS_A_DAY * num_days + 1
    for rows in ingested.values():
        parts = ("kept", "quarantined", "duplicates")
        assert rows["rows_in"] == sum(rows[f"rows_{part}"] for part in parts)
    assert {run.stage for run in done} == {*DATA, *TRAINED, *PREDICTION, *WATCH}
    # Who only asks the journal may take less than the hundredth to which seconds are rounded.
    quick = {registry.DUE_TRAINING.name, registry.DUE_DRIFT.name}
    for run in done:
        assert run.wall_seconds > 0 or (run.wall_seconds == 0 and run.stage in quick)
        assert run.peak_memory_mib > 0
