"""The journal's revisions on a real PostgreSQL, each time on a database of its own."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text

from pipelines.core import migrations
from pipelines.core.errors import NewerHome
from pipelines.core.journal import metadata
from pipelines.core.settings import Settings

NAME = "upgraded"
HEAD = migrations.revisions()[-1]


@pytest.fixture
def empty(postgres_part: Settings) -> Iterator[Engine]:
    """A database without anything in it."""
    server = create_engine(postgres_part.database("postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"create database {NAME}"))
    # Without the lock, those who start at once would wait for each other for ever.
    patience = {"options": "-c lock_timeout=20s"}
    made = create_engine(postgres_part.database(NAME), connect_args=patience)
    yield made
    made.dispose()
    with server.connect() as connection:
        connection.execute(text(f"drop database {NAME} with (force)"))
    server.dispose()


@pytest.fixture
def older(empty: Engine) -> Engine:
    """The journal of a home from before the revisions, with rows in it."""
    with empty.begin() as connection:
        migrations.upgrade(connection, to="0001")
        connection.execute(text("drop table ops.alembic_version"))
        connection.execute(text(ROWS))
    return empty


# As the code before wrote them: attempts 1 to 7.
ROWS = """
insert into ops.runs (case_name, stage, interval, state, result) values
    ('loans', 'validate', '2026-11-01', 'done', '{"details": {}}'),
    ('loans', 'validate', '2026-11-01', 'failed', null),
    ('loans', 'validate', '2026-11-01', 'done', '{"details": {}}'),
    ('loans', 'validate', '2026-11-01', 'failed', null),
    ('loans', 'due', '2026-11-01', 'done', '{"details": {"reason": "x", "state": {}}}'),
    ('loans', 'due', '2026-11-01', 'done', '{"details": {"reason": "x"}}'),
    ('loans', 'due', '2026-11-01', 'nothing due', null);
insert into ops.validations
    (case_name, layer, table_name, interval, attempt, passed, statistics, results) values
    ('loans', 'quarantine', 'quarantine.loans_rows', '2026-11-01', 1, 'passed', '{}', '[]'),
    ('loans', 'silver', 'silver.loans_rows', '2026-11-01', 2, 'failed', '{}', '[]'),
    ('loans', 'gold', 'gold.loans_labels', '2026-11-01', 2, 'passed', '{}', '[]'),
    ('loans', 'gold', 'gold.loans_predictions', '2026-11-01', 3, 'passed', '{}', '[]');
insert into ops.fences values ('loans', 7);
"""
# What the one model of a case left, when ROC AUC was the one metric.
OF_ONE_MODEL = """
insert into ops.runs (case_name, stage, interval, state) values
    ('loans', 'ingest', '2026-11-01', 'done'),
    ('loans', 'train', '2026-11-01', 'done'),
    ('flight_delays', 'predict', '2026-11-01', 'done');
insert into ops.promotions
    (case_name, interval, version, decision, reason, cutoff, roc_auc, evidence, attempt) values
    ('loans', 'd', 1, 'promoted', '', now(), 0.75,
     '{"num_rows": 9, "num_class_rows": 4, "gain": null,
       "roc_auc": {"estimate": 0.75, "low": 0.7, "high": 0.8, "level": 0.95}}', 1),
    ('flight_delays', 'd', 1, 'rolled back', '', now(), null, '{}', 1);
insert into ops.verdicts
    (case_name, interval, until, model_version, drifted, due, reason, statistics, attempt) values
    ('loans', 'd', now(), 1, true, false, '',
     '{"num_rows": 8, "drifted_share": 0.5, "inputs": [{"name": "x"}],
       "prediction": {"name": "probability", "distance": 0.1},
       "quality": {"num_labelled": 3, "positive_rate": null, "roc_auc": null, "brier_score": null},
       "quality_of_reference":
         {"num_labelled": 50, "positive_rate": 0.2, "roc_auc": 0.7, "brier_score": 0.1}}', 1),
    ('flight_delays', 'd', now(), 1, null, false, '', '{}', 1);
"""


def differences(connection: Connection) -> list[object]:
    """Between a database's schema `ops` and what the code says: types, defaults and keys, too."""
    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, _: kind != "schema" or name == "ops",
        "version_table_schema": "ops",
        "compare_type": True,
        "compare_server_default": True,
    }
    context = MigrationContext.configure(connection, opts=options)
    return [*compare_metadata(context, metadata), *_other_keys(connection)]


def _other_keys(connection: Connection) -> Iterator[tuple[str, list[str]]]:
    """Primary keys that are not the code's, which Alembic does not compare."""
    found = inspect(connection)
    for table in metadata.sorted_tables:
        if found.has_table(table.name, "ops"):
            key = found.get_pk_constraint(table.name, "ops")["constrained_columns"]
            if key != [column.name for column in table.primary_key]:
                yield table.name, key


def revision(engine: Engine) -> str:
    with engine.connect() as connection:
        (found,) = connection.scalars(text("select version_num from ops.alembic_version")).all()
    return str(found)


def test_an_empty_database_becomes_exactly_what_the_code_says(empty: Engine) -> None:
    migrations.bring_to_head(empty)
    assert revision(empty) == HEAD
    with empty.connect() as connection:
        assert differences(connection) == []


def test_an_older_home_is_upgraded_and_keeps_its_rows(older: Engine) -> None:
    migrations.bring_to_head(older)
    assert revision(older) == HEAD
    with older.connect() as connection:
        assert differences(connection) == []
        stages = connection.scalars(text("select stage from ops.runs order by attempt")).all()
        assert connection.scalar(text("select count(*) from ops.validations")) == 4
        assert connection.scalar(text("select count(*) from ops.fences")) == 0
    checks = ["validate_raw", "validate_features", "validate_predictions", "validate"]
    assert stages == [*checks, "due_training", "due_drift", "due"]


def test_what_the_one_model_of_a_case_left_is_of_a_named_model(older: Engine) -> None:
    with older.begin() as connection:
        connection.execute(text(OF_ONE_MODEL))
    migrations.bring_to_head(older)
    with older.connect() as connection:
        asked = "select case_name, stage, model from ops.runs where attempt > 7 order by attempt"
        assert [tuple(row) for row in connection.execute(text(asked))] == [
            ("loans", "ingest", None),
            ("loans", "train", "model"),
            ("flight_delays", "predict", "late"),
        ]
        promoted, rolled_back = connection.execute(
            text("select model, metric, value, evidence from ops.promotions order by id")
        ).all()
        judged, empty = connection.execute(
            text("select model, statistics from ops.verdicts order by id")
        ).all()
    value = {"estimate": 0.75, "low": 0.7, "high": 0.8, "level": 0.95}
    evidence = {"num_rows": 9, "num_class_rows": 4, "gain": None}
    looked_at = {**evidence, "metric": "roc_auc", "value": value}
    assert tuple(promoted) == ("model", "roc_auc", 0.75, looked_at)
    assert tuple(rolled_back) == ("late", None, None, {})
    assert judged.statistics == {
        "num_rows": 8,
        "drifted_share": 0.5,
        "inputs": [{"name": "x"}],
        "answers": [{"name": "probability", "distance": 0.1}],
        "quality": {"num_rows": 3},
        "quality_of_reference": {
            "num_rows": 50,
            "positive_rate": 0.2,
            "roc_auc": 0.7,
            "brier_score": 0.1,
        },
    }
    assert (judged.model, empty.model, empty.statistics) == ("model", "late", {})


def test_one_from_before_some_of_the_tables_gets_them(older: Engine) -> None:
    with older.begin() as connection:
        connection.execute(text("drop table ops.verdicts"))
    migrations.bring_to_head(older)
    with older.connect() as connection:
        assert differences(connection) == []


def test_many_that_start_at_once_upgrade_once(older: Engine) -> None:
    made: list[str] = []
    event.listen(older, "before_cursor_execute", lambda *sent: made.append(sent[2]))
    together = threading.Barrier(4)

    def open_it(_: int) -> None:
        together.wait()
        migrations.bring_to_head(older)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(open_it, range(4)))
    assert revision(older) == HEAD
    assert sum(statement.startswith("ALTER TABLE ops.fences ADD COLUMN") for statement in made) == 1


def test_an_upgrade_that_fails_leaves_everything_as_it_was(older: Engine) -> None:
    with older.begin() as connection:
        # The last revision finds its column taken.
        connection.execute(text("alter table ops.fences add column lease integer"))
        connection.execute(text("drop table ops.verdicts"))
    with pytest.raises(Exception, match='column "lease" of relation "fences" already exists'):
        migrations.bring_to_head(older)
    with older.connect() as connection:
        assert connection.scalar(text("select to_regclass('ops.alembic_version')")) is None
        assert connection.scalar(text("select to_regclass('ops.verdicts')")) is None
        assert connection.scalar(text("select count(*) from ops.fences")) == 1


def test_a_newer_home_is_refused_in_words_and_left_alone(empty: Engine) -> None:
    migrations.bring_to_head(empty)
    with empty.begin() as connection:
        connection.execute(text("update ops.alembic_version set version_num = '9999'"))
    said = (
        f"the journal in database {NAME} of .* has revision 9999, and this code knows revisions up "
        f"to {HEAD}: the home was written by a newer Millrace. Update this checkout"
    )
    with pytest.raises(NewerHome, match=said) as refused:
        migrations.bring_to_head(empty)
    assert not re.search("password|postgresql", str(refused.value))
    assert revision(empty) == "9999"


def test_the_command_line_says_it_in_one_line(journal: Engine, environment: dict[str, str]) -> None:
    written = "update ops.alembic_version set version_num = '{}'"
    with journal.begin() as connection:
        connection.execute(text(written.format("9999")))
    try:
        status = [sys.executable, "-m", "pipelines", "status"]
        ended = subprocess.run(status, env=environment, capture_output=True, text=True, check=False)
    finally:
        with journal.begin() as connection:
            connection.execute(text(written.format(HEAD)))
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert "millrace: the journal in database millrace of" in line
    assert "the home was written by a newer Millrace" in line


def test_a_journal_at_head_costs_two_selects(empty: Engine) -> None:
    migrations.bring_to_head(empty)
    sent: list[str] = []
    event.listen(empty, "before_cursor_execute", lambda *said: sent.append(said[2]))
    began = time.perf_counter()
    migrations.bring_to_head(empty)
    took = time.perf_counter() - began
    assert [statement.split()[0] for statement in sent] == ["select", "select"]
    # Under 1 ms on a quiet machine; a lock, an import or a transaction more would show.
    assert took < 0.1
