"""What the online store promises, one by one, on SQLite and on Redis, by Feast's own interface."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.core.errors import MillraceError, UsageError
from pipelines.stores import feast
from pipelines.stores import online_rows as packed
from pipelines.stores.online import Reader, views_of
from pipelines.stores.online_redis import RedisRows, client
from pipelines.stores.online_rows import Layout
from pipelines.stores.online_sqlite import SqliteRows
from tests.online_world import HOUR, MICROSECOND, START, Table
from tests.unit.online_project import Project

NOON = START + 12 * HOUR
PAIRS = {"first": "String", "second": "String"}
NUMBERS = {"delay": "Float64", "count": "Int64"}


@pytest.fixture
def table() -> Table:
    """Two entities whose keys read alike when they are written together."""
    made = Table("states", dict(PAIRS), dict(NUMBERS), 6 * HOUR)
    made.states[("1,1", "2"), NOON] = {"delay": 1.5, "count": 2**63 - 1}
    made.states[("1", "1,2"), NOON - 6 * HOUR] = {"delay": None, "count": -(2**63)}
    return made


@pytest.fixture
def project(online: Any, table: Table, tmp_path: Path) -> Project:
    """The table, online as of noon."""
    made = Project(tmp_path, online[0], [table])
    made.apply()
    made.publish(table, START, NOON)
    made.materialize(table, NOON)
    return made


def values(project: Project, entity: tuple[str, ...], at: datetime = NOON) -> list[Any]:
    (state,) = project.read(project.tables[0], [entity], at)
    return list(state.values())


def test_b29_an_entity_has_its_own_state_or_none(project: Project) -> None:
    """To the last digit of a bigint, and the default is null with a null instant as its flag."""
    assert values(project, ("1,1", "2")) == [NOON, 1.5, 2**63 - 1]
    assert values(project, ("1", "1,2")) == [NOON - 6 * HOUR, None, -(2**63)]
    for stranger in [("1", "1"), ("1,1,2", ""), ("", "1,1,2"), ("2", "1,1"), (None, "2")]:
        assert values(project, stranger) == [None, None, None]


def test_b29_a_state_counts_from_its_instant_to_the_end_of_its_ttl(project: Project) -> None:
    one, unknown = ("1,1", "2"), [None, None, None]
    assert values(project, one, NOON - MICROSECOND) == unknown
    assert values(project, one, NOON + 6 * HOUR) == [NOON, 1.5, 2**63 - 1]
    assert values(project, one, NOON + 6 * HOUR + MICROSECOND) == unknown


def test_a_state_counts_longer_for_a_model_that_learned_from_older_ones(project: Project) -> None:
    """What its training found 75 minutes before a decision is not too old at the decision."""
    last, after = NOON + 6 * HOUR, 1.25 * HOUR
    found = {
        at: project.read(project.tables[0], [("1,1", "2")], at, after)[0]["known_at"]
        for at in (last + after, last + after + MICROSECOND, NOON - MICROSECOND)
    }
    assert list(found.values()) == [NOON, None, None]


def push(project: Project, at: datetime, **features: Any) -> None:
    row = {"first": ["1,1"], "second": ["2"], "known_at": [at]}
    frame = pd.DataFrame({**row, **{name: [value] for name, value in features.items()}})
    project.store().write_to_online_store("states", frame)


def test_r17_r27_an_older_state_never_replaces_a_newer_one(project: Project) -> None:
    push(project, NOON - MICROSECOND * 10**6, delay=9.0, count=9)
    assert values(project, ("1,1", "2")) == [NOON, 1.5, 2**63 - 1]
    push(project, NOON + HOUR, delay=2.5, count=3)
    assert values(project, ("1,1", "2"), NOON + HOUR) == [NOON + HOUR, 2.5, 3]
    feast.materialize(project.store(), "states", NOON - HOUR, NOON)
    assert values(project, ("1,1", "2"), NOON + HOUR) == [NOON + HOUR, 2.5, 3]
    feast.materialize(project.store(), "states", NOON - 6 * HOUR, NOON)
    assert values(project, ("1,1", "2"), NOON + HOUR) == [NOON + HOUR, 2.5, 3]


def test_what_a_rebuilt_day_lacks_goes_away_and_an_older_state_comes_back(
    project: Project, table: Table
) -> None:
    table.states.clear()
    table.states[("1,1", "2"), NOON - HOUR] = {"delay": 0.5, "count": 1}
    project.publish(table, START, NOON)
    assert project.materialize(table, NOON) == NOON
    assert values(project, ("1,1", "2")) == [NOON - HOUR, 0.5, 1]
    assert values(project, ("1", "1,2")) == [None, None, None]
    store = project.store()
    names = [f"states:{name}" for name in NUMBERS]
    said = store.get_online_features(names, [{"first": "1", "second": "1,2"}]).to_dict()
    assert (said["delay"], said["count"]) == ([None], [None])


def test_only_what_differs_is_written(project: Project, table: Table, online: Any) -> None:
    """Of a rebuilt day with one change, and of a new one with one state: one row each."""
    table.states[("1,1", "2"), NOON]["count"] = 7
    project.publish(table, START, NOON)
    assert written(online, lambda: project.materialize(table, NOON)) == 1
    table.states[("3", "3"), NOON + HOUR] = {"delay": 0.0, "count": 0}
    project.publish(table, NOON, NOON + HOUR)
    assert written(online, lambda: project.materialize(table, NOON + HOUR)) == 1
    assert values(project, ("1,1", "2"), NOON + HOUR) == [NOON, 1.5, 7]


def written(online: Any, work: Any) -> int:
    """How many rows one materialization changed; beside them it notes the mark."""
    settings, kind = online
    if kind is RedisRows:
        with client(settings["connection_string"]) as redis:
            changes = "rdb_changes_since_last_save"
            first = redis.info("persistence")[changes]
            work()
            # To write a layout again counts as well.
            return int(redis.info("persistence")[changes]) - first - 2
    changed, close = [], SqliteRows.close
    with pytest.MonkeyPatch.context() as patch:

        def noting(rows: SqliteRows) -> None:
            changed.append(rows._connection.total_changes if rows._connection else 0)
            close(rows)

        patch.setattr(SqliteRows, "close", noting)
        work()
    return sum(changed) - 1


def test_a_store_that_is_not_as_of_the_mark_is_filled_anew(
    project: Project, table: Table, online: Any
) -> None:
    """As an older copy of the file would be, or a Redis that lost its last second."""
    rows = project.rows(project.store())
    rows.remove("states", [packed.entity(("1,1", "2"))], packed.micros(NOON))
    rows.note_mark("states", packed.micros(NOON - HOUR))
    rows.close()
    assert values(project, ("1,1", "2")) == [None, None, None]
    assert project.materialize(table, NOON) == NOON
    assert values(project, ("1,1", "2")) == [NOON, 1.5, 2**63 - 1]


def test_rows_of_an_earlier_definition_are_read_by_their_names(
    project: Project, table: Table
) -> None:
    table.features = {"more": "Float64", "count": "Int64", "delay": "String"}
    project.apply()
    assert values(project, ("1,1", "2")) == [NOON, None, 2**63 - 1, None]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"first": ["1"]}, "add the keys of states to the entities: second; there is first"),
        ({"first": ["1"], "second": [2]}, "the key second is of type STRING: 2 is a int"),
    ],
)
def test_a_key_that_would_be_another_entity_is_refused(
    project: Project, asked: dict[str, Any], said: str
) -> None:
    store = project.store()
    with (
        Reader(project.rows(store), views_of(store, "all")) as reader,
        pytest.raises(UsageError, match=said),
    ):
        reader.read(asked, NOON)


def test_a_service_that_is_not_there_is_said(project: Project) -> None:
    with pytest.raises(UsageError, match="no feature service v2; there is all"):
        views_of(project.store(), "v2")


def test_a_row_of_an_unknown_layout_is_never_guessed(project: Project) -> None:
    rows = project.rows(project.store())
    other = Layout((("delay", "DOUBLE"),))
    rows.put("states", [(packed.entity(("1,1", "2")), packed.micros(NOON), other.pack([1.0]))])
    rows.close()
    with pytest.raises(MillraceError, match="a row of an unknown layout"):
        values(project, ("1,1", "2"))


def test_a_type_that_can_not_be_packed_is_refused_by_its_name() -> None:
    with pytest.raises(UsageError, match="place: a value of type MAP can't be served online"):
        Layout((("place", "MAP"),))
