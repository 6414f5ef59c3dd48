"""What is corrected of Feast's own SQLite store."""

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest

from pipelines.stores import feast


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_r28_an_instant_is_the_same_in_a_zone_where_that_hour_does_not_exist(monkeypatch, zone):
    feast.load()
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    at = datetime(2026, 3, 8, 2, 30)  # noqa: DTZ001  # Feast hands over UTC without a zone
    with closing(sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES)) as connection:
        connection.execute("create table t (at timestamp)")
        connection.execute("insert into t values (?)", [at])
        (read,) = connection.execute("select at from t").fetchone()
    monkeypatch.undo()
    time.tzset()
    assert read == at.replace(tzinfo=UTC)
