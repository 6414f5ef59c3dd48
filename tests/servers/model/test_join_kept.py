"""What of a night's join is kept for the next, on a real journal and a table of decisions."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.core.errors import CheckFailed
from pipelines.core.journal import published
from pipelines.core.registry import ASSEMBLE
from pipelines.learning import inputs
from pipelines.learning.assemble import joined
from pipelines.stores.delta import instant

NIGHT = "2026-11-20"


@dataclass
class Lake:
    """Decisions twice a day, and their join: each row with the number of the join it is of."""

    made: Any
    tables: Any
    definitions: str = "a"
    join: int = 0
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)
    loses: int = 0

    def states_known(self, _: Any, rows: Any) -> Any:
        """In Feast's place: notes what it is asked for, and loses as many rows as it is told to."""
        instants = sorted(row["known_at"].replace(tzinfo=UTC) for row in rows.collect())
        self.asked.append((instants[0], instants[-1]))
        first = instant(instants[self.loses])
        query = f"select *, {self.join} as number from {{rows}} where known_at >= {first}"
        return rows.sparkSession.sql(query, rows=rows)


@pytest.fixture
def lake(made: Any, tables: Any, monkeypatch: pytest.MonkeyPatch) -> Lake:
    half, first = timedelta(hours=12), made.day(1) - timedelta(days=30)
    instants = [first + half * place for place in range(200)]
    decisions = [(at, (at - timedelta(microseconds=1)).date()) for at in instants]
    tables.make("decisions", "known_at timestamp, known_date date", decisions)
    held = Lake(made, tables)
    monkeypatch.setattr(inputs, "states_known", held.states_known)
    monkeypatch.setattr(inputs, "definitions", lambda _: held.definitions)
    return held


def publish(made: Any, night: str) -> None:
    for name in ("states", "decisions", "labels"):
        made.publish(name, night)


def extend(lake: Lake, night: str, *, noted: bool = True) -> dict[datetime, int]:
    """One night's join; the joins that the rows are of, by instant."""
    made = lake.made
    context = made.context(ASSEMBLE, night)
    lake.join, lake.asked = lake.join + 1, []
    kept = joined.extend(context, made.case.training.split(context.interval.end))
    if noted:
        made.run(ASSEMBLE, night, joined=kept.to_json())
    query = f"select known_at, number from {kept.table} version as of {kept.version}"
    rows = [(row["known_at"].replace(tzinfo=UTC), row["number"]) for row in _rows(lake, query)]
    found = dict(rows)
    # Each decision of the look-back is there once, whatever was kept.
    assert sorted(found) == sorted(at for at, _ in rows)
    since = context.interval.end - timedelta(days=11)
    assert sorted(found) == [since + timedelta(hours=12) * place for place in range(1, 23)]
    return found


def _rows(lake: Lake, query: str) -> list[Any]:
    found: list[Any] = lake.tables.spark.sql(query).collect()
    return found


def joined_anew(lake: Lake) -> tuple[datetime, datetime]:
    return lake.asked[0][0], lake.asked[-1][1]


def test_a_night_joins_its_own_day_and_keeps_what_is_still_true(made: Any, lake: Lake) -> None:
    publish(made, "2026-11-19")
    extend(lake, "2026-11-19")
    assert joined_anew(lake) == (made.day(9, 12), made.day(20))
    publish(made, NIGHT)
    found = extend(lake, NIGHT)
    assert joined_anew(lake) == (made.day(20, 12), made.day(21))
    assert {at for at, join in found.items() if join == 2} == {made.day(20, 12), made.day(21)}


def test_what_was_published_again_is_joined_again_from_there_on(made: Any, lake: Lake) -> None:
    publish(made, "2026-11-19")
    extend(lake, "2026-11-19")
    made.publish("states", "2026-11-15/2026-11-16", version=2)
    made.publish("states", "2026-11-17", version=3)
    publish(made, NIGHT)
    extend(lake, NIGHT)
    assert joined_anew(lake) == (made.day(15, 12), made.day(21))


def test_labels_and_other_cases_are_no_part_of_the_join(made: Any, lake: Lake) -> None:
    publish(made, "2026-11-19")
    extend(lake, "2026-11-19")
    made.publish("labels", "2026-11-12", version=2)
    made.add(
        published, table_name="gold.other_states", interval="2026-11-12", until=made.day(13),
        version=2, rows=1, attempt=1,
    )  # fmt: skip
    publish(made, NIGHT)
    extend(lake, NIGHT)
    assert joined_anew(lake) == (made.day(20, 12), made.day(21))


def test_what_is_published_while_a_night_is_joined_is_joined_again_the_next(
    made: Any, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(made, "2026-11-19")
    states_known = lake.states_known

    def meanwhile(*given: Any) -> Any:
        made.publish("states", "2026-11-12", version=2)
        return states_known(*given)

    monkeypatch.setattr(inputs, "states_known", meanwhile)
    extend(lake, "2026-11-19")
    monkeypatch.setattr(inputs, "states_known", states_known)
    publish(made, NIGHT)
    extend(lake, NIGHT)
    assert joined_anew(lake)[0] == made.day(12, 12)


def test_other_feature_definitions_join_all_anew(made: Any, lake: Lake) -> None:
    publish(made, "2026-11-19")
    extend(lake, "2026-11-19")
    lake.definitions = "b"
    publish(made, NIGHT)
    assert set(extend(lake, NIGHT).values()) == {2}
    assert joined_anew(lake) == (made.day(10, 12), made.day(21))


def test_a_rebuilt_old_night_gets_what_the_table_has_not_and_nothing_newer(
    made: Any, lake: Lake
) -> None:
    publish(made, NIGHT)
    extend(lake, NIGHT)
    assert set(extend(lake, "2026-11-19").values()) == {2}
    assert joined_anew(lake) == (made.day(9, 12), made.day(20))


def test_the_same_night_again_joins_nothing(made: Any, lake: Lake) -> None:
    publish(made, NIGHT)
    extend(lake, NIGHT)
    assert set(extend(lake, NIGHT).values()) == {1}
    assert lake.asked == []


def test_what_a_killed_attempt_left_is_not_built_upon(made: Any, lake: Lake) -> None:
    publish(made, "2026-11-18")
    extend(lake, "2026-11-18")
    publish(made, "2026-11-19")
    extend(lake, "2026-11-19", noted=False)
    publish(made, NIGHT)
    found = extend(lake, NIGHT)
    assert joined_anew(lake) == (made.day(19, 12), made.day(21))
    assert set(found.values()) == {1, 3}


def test_what_a_killed_attempt_joined_by_other_definitions_is_put_back(
    made: Any, lake: Lake
) -> None:
    publish(made, "2026-11-19")
    extend(lake, "2026-11-19")
    publish(made, NIGHT)
    lake.definitions = "b"
    extend(lake, NIGHT, noted=False)
    lake.definitions = "a"
    assert set(extend(lake, NIGHT).values()) == {1, 3}


def test_what_was_published_again_before_the_look_back_joins_no_more_than_it(
    made: Any, lake: Lake
) -> None:
    publish(made, "2026-11-19")
    extend(lake, "2026-11-19")
    made.publish("states", "2026-11-01", version=2)
    publish(made, NIGHT)
    assert set(extend(lake, NIGHT).values()) == {2}
    assert joined_anew(lake) == (made.day(10, 12), made.day(21))


def test_a_training_noted_without_its_join_is_joined_anew(made: Any, lake: Lake) -> None:
    publish(made, NIGHT)
    made.run(ASSEMBLE, "2026-11-19", digest="of an older version")
    extend(lake, NIGHT)
    assert joined_anew(lake) == (made.day(10, 12), made.day(21))


def test_a_join_that_loses_rows_is_refused(made: Any, lake: Lake) -> None:
    publish(made, NIGHT)
    lake.loses = 1
    with pytest.raises(CheckFailed, match="point-in-time join: 22 rows went in, 21 came out"):
        extend(lake, NIGHT)
