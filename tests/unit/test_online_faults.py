"""An online store that is locked, away, killed while it is written, or of an earlier version."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks.harness import free_ports
from pipelines.core.errors import ServiceUnavailable
from pipelines.stores import online_rows as packed
from pipelines.stores.online_redis import RedisRows, client
from pipelines.stores.online_sqlite import SqliteRows
from tests.online_world import HOUR, START, Table
from tests.unit.online_project import PROJECT, Project

NOON = START + 12 * HOUR


def test_r18_a_locked_file_is_said_within_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "online.db"
    rows = SqliteRows(path, timeout_seconds=0.2)
    rows.prepare(["states"])
    rows.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("pragma locking_mode = exclusive")
        holder.execute("begin exclusive")
        began = time.monotonic()
        with pytest.raises(ServiceUnavailable, match="locked"):
            rows.read([("states", [b"x"])])
        assert time.monotonic() - began < 10
        holder.execute("commit")
    rows.close()


def test_r18_a_redis_that_is_away_is_said_within_the_limit() -> None:
    rows = RedisRows(f"127.0.0.1:{free_ports('nobody')['nobody']}", PROJECT, timeout_seconds=0.2)
    began = time.monotonic()
    with pytest.raises(ServiceUnavailable, match="Redis, does not answer"):
        rows.read([("states", [b"x"])])
    assert time.monotonic() - began < 10
    rows.close()


def test_what_feasts_own_store_left_is_removed_and_the_view_filled_anew(
    online: Any, tmp_path: Path
) -> None:
    """A store of an earlier version: its layout was Feast's own. Others' keys in Redis stay."""
    settings, kind = online
    table = Table("states", {"first": "String"}, {"delay": "Float64"}, 6 * HOUR)
    table.states[("1",), NOON] = {"delay": 1.5}
    _write_as_feast(Project(tmp_path, _stock(settings), [table]))
    project = Project(tmp_path, settings, [table])
    rows = project.rows(project.store())
    assert not rows.is_ready()
    rows.close()
    project.apply()
    rows = project.rows(project.store())
    assert rows.is_ready()
    assert rows.mark("states") is None
    rows.close()
    assert (
        left(settings, kind)
        == (["layouts", "marks", "view_states"], [b"theirs"])[kind is RedisRows]
    )
    project.publish(table, START, NOON)
    project.materialize(table, NOON)
    assert project.read(table, [("1",)], NOON) == [{"known_at": NOON, "delay": 1.5}]


def _stock(settings: dict[str, str]) -> dict[str, str]:
    name = "sqlite" if "path" in settings else "redis"
    return {**settings, "type": name}


def _write_as_feast(stock: Project) -> None:
    """What the store had before: a protobuf for each value."""
    store = stock.store()
    store.apply(stock.tables[0].definition())
    frame = pd.DataFrame({"first": ["1"], "known_at": [NOON], "delay": [1.5]})
    store.write_to_online_store("states", frame)
    if "path" not in stock.online:
        with client(stock.online["connection_string"]) as redis:
            redis.set(b"theirs", 1)
            redis.set(f"millrace:{PROJECT}:prepared", 1)


def left(settings: dict[str, str], kind: type) -> list[Any]:
    """The tables, or the keys that are not of the format's own."""
    if kind is SqliteRows:
        with closing(sqlite3.connect(settings["path"])) as connection:
            names = connection.execute("select name from sqlite_master where type = 'table'")
            return sorted(name for (name,) in names)
    with client(settings["connection_string"]) as redis:
        return [key for key in redis.scan_iter() if not key.startswith(b"millrace:")]


# A writer of a file that never ends: all rows of a round are that round's.
_WRITER = """
import sys
from pathlib import Path
from pipelines.stores.online_rows import Layout, entity
from pipelines.stores.online_sqlite import SqliteRows
layout, rows = Layout((("a", "INT64"), ("b", "INT64"))), SqliteRows(Path(sys.argv[1]))
rows.prepare(["states"])
rows.note_layout(layout.digest, layout.text)
for round in range(10**6):
    rows.put("states", [(entity([n]), round, layout.pack([round, -round])) for n in range(500)])
    print(round, flush=True)
"""


def test_r16_a_writer_killed_at_any_moment_leaves_each_entity_whole(tmp_path: Path) -> None:
    """It ends by SIGKILL while it writes; the file opens, and no row is half of two rounds."""
    path = tmp_path / "online.db"
    for seconds in (0.0, 0.01, 0.03):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout
            first = writer.stdout.readline()
            assert first == "0\n"
            time.sleep(seconds)
            writer.kill()
    rows = SqliteRows(path)
    columns = packed.Columns(rows, [("a", "INT64"), ("b", "INT64")])
    (found,) = rows.read([("states", [packed.entity([n]) for n in range(500)])])
    for each in found:
        assert each
        a, b = columns.of(each[1])
        assert (a, b) == (each[0], -each[0])
    rows.close()
