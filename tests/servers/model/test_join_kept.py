"""What of a night's join is kept for the next, on a real journal and a table of decisions."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipelines.core.errors import CheckFailed
from pipelines.core.journal import published
from pipelines.learning import inputs
from pipelines.learning.assemble import joined
from pipelines.stores import delta

pytestmark = pytest.mark.integration

NIGHT = "2026-11-20"


class Rows(list[Any]):
    """A frame as the join needs it."""

    def count(self) -> int:  # type: ignore[override]
        return len(self)


@dataclass
class Lake:
    """The joined table through its versions: decisions twice a day, each with the join it is of."""

    made: Any
    versions: list[Rows] = field(default_factory=lambda: [Rows()])
    definitions: str = "a"
    join: int = 0
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)
    loses: int = 0

    def decisions(self, _: Any, interval: Any) -> Rows:
        half = timedelta(hours=12)
        first = self.made.day(1) - timedelta(days=30)
        instants = [first + half * place for place in range(200)]
        return Rows(at for at in instants if interval.start < at <= interval.end)

    def states_known(self, _: Any, rows: Rows) -> Rows:
        self.asked.append((rows[0], rows[-1]))
        return Rows((at, self.join) for at in rows[self.loses :])

    def reset(self, _: Any, __: str, version: int | None) -> None:
        self.versions.append(Rows(self.versions[version or 0]))

    def save(self, _: Any, rows: Rows, __: str, *, anew: bool) -> None:
        self.versions.append(Rows([*([] if anew else self.versions[-1]), *rows]))

    def version(self, *_: Any) -> int:
        return len(self.versions) - 1

    def count(self, _: Any, __: str, version: int) -> int:
        return len(self.versions[version])

    def sql(self, query: str) -> None:
        said = re.findall(r"known_at (>|<=) timestamp'([^']+)Z'", query)
        (_, after), (_, before) = said
        last, first = (datetime.fromisoformat(f"{at}+00:00") for at in (after, before))
        left = Rows(row for row in self.versions[-1] if first < row[0] <= last)
        self.versions.append(left)


@pytest.fixture
def lake(made: Any, monkeypatch: pytest.MonkeyPatch) -> Lake:
    held = Lake(made)
    for name in ("reset", "save", "version", "count"):
        monkeypatch.setattr(delta, name, getattr(held, name))
    for name in ("decisions", "states_known"):
        monkeypatch.setattr(inputs, name, getattr(held, name))
    monkeypatch.setattr(inputs, "definitions", lambda _: held.definitions)
    return held


def publish(made: Any, night: str) -> None:
    for name in ("states", "decisions", "labels"):
        made.publish(name, night)


def extend(lake: Lake, night: str, *, noted: bool = True) -> dict[datetime, int]:
    """One night's join; the joins that the rows are of, by instant."""
    made = lake.made
    context = made.context(night)
    context.__dict__["spark"] = lake
    lake.join, lake.asked = lake.join + 1, []
    kept = joined.extend(context, made.case.training.split(context.interval.end))
    if noted:
        made.run("assemble", night, joined=kept.to_json())
    rows = lake.versions[kept.version]
    found = dict(rows)
    # Each decision of the look-back is there once, whatever was kept.
    assert sorted(found) == sorted(at for at, _ in rows)
    since = context.interval.end - timedelta(days=11)
    assert sorted(found) == [since + timedelta(hours=12) * place for place in range(1, 23)]
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

    def meanwhile(*given: Any) -> Rows:
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
    made.run("assemble", "2026-11-19", digest="of an older version")
    extend(lake, NIGHT)
    assert joined_anew(lake) == (made.day(10, 12), made.day(21))


def test_a_join_that_loses_rows_is_refused(made: Any, lake: Lake) -> None:
    publish(made, NIGHT)
    lake.loses = 1
    with pytest.raises(CheckFailed, match="point-in-time join: 22 rows went in, 21 came out"):
        extend(lake, NIGHT)
