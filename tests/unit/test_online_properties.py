"""Random views, intervals, rebuilt days, redefinitions and kills: what is read online is right.

Our reader, Feast's client and an oracle that looks at every state agree, on SQLite and on Redis.
More seeds: `MILLRACE_TEST_SEEDS=200 make soak`.
"""

import os
import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.online_world import HOUR, START, Entity, Table, as_feast, by_feast, same, value
from tests.unit.online_project import Killed, Project, kill_at_a_chunk, small_chunks

SEEDS = int(os.environ.get("MILLRACE_TEST_SEEDS", "4"))
STEPS = 8


@pytest.mark.parametrize("seed", range(SEEDS))
def test_r16_r17_r28_what_is_online_is_what_was_known(
    online: Any, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after kills: each entity is as it was, or as it will be, and the mark has not moved."""
    rng, (settings, rows) = random.Random(seed), online  # noqa: S311
    print(f"seed {seed}")
    small_chunks(monkeypatch)
    tables = [Table.drawn(rng, number) for number in range(rng.randint(1, 2))]
    project = Project(tmp_path, settings, tables)
    project.apply()
    now = START
    for _ in range(STEPS):
        table = rng.choice(tables)
        now = _change(rng, project, table, now)
        end = rng.choice([now, now, now - 7 * HOUR])
        if rng.random() < 0.4:
            _killed(rng, project, table, end, rows)
        project.materialize(table, end)
        _check(rng, project, table)


def _change(rng: random.Random, project: Project, table: Table, now: datetime) -> datetime:
    """A new interval of all tables, and at times a rebuilt one, or a redefinition."""
    start, now = now, now + HOUR * rng.choice([1, 5, 24])
    for each in project.tables:
        each.fill(rng, start, now, rng.randrange(12))
        project.publish(each, start, now)
    if rng.random() < 0.4:
        day = START + HOUR * rng.randrange((now - START) // HOUR)
        end = min(day + 9 * HOUR, now)
        table.fill(rng, day, end, rng.randrange(9))
        project.publish(table, day, end)
    if rng.random() < 0.3:
        kind = rng.choice(["Int64", "String", "Array(Float64)"])
        table.features[rng.choice(["more", "other"])] = kind
        for state in table.states.values():
            state |= {name: value(rng, kind) for name, kind in table.features.items()}
        table.write(str(project.folder))
        project.apply()
        project.redefined.add(table.name)
    return now


def _everybody(rng: random.Random, table: Table) -> list[Entity]:
    """All entities that ever were, and some that nobody knows."""
    keys = table.keys.values()
    strangers = [tuple(value(rng, kind) for kind in keys) for _ in range(5)] if keys else [()]
    return [*table.entities, *strangers]


def _check(rng: random.Random, project: Project, table: Table) -> None:
    until = project.marks[table.name].until
    entities = _everybody(rng, table)
    for at in table.moments(rng, until):
        right = [table.expected(entity, until, at) for entity in entities]
        found = project.read(table, entities, at)
        assert same(found, right), [
            each for each in zip(entities, found, right, strict=True) if not same(each[1], each[2])
        ]
    _check_by_feast(project, table, entities, until)


def _check_by_feast(
    project: Project, table: Table, entities: Sequence[Entity], until: datetime
) -> None:
    """Its client wants whole seconds and no null as keys, and some key."""
    asked = [each for each in entities if each and all(map(_is_plain, each))]
    if asked:
        right = [as_feast(table, table.expected(entity, until, until)) for entity in asked]
        assert same(by_feast(project.store(), table, asked, until), right), table


def _is_plain(key: Any) -> bool:
    return key is not None and not getattr(key, "microsecond", 0)


def _killed(rng: random.Random, project: Project, table: Table, end: datetime, rows: type) -> None:
    """Of each entity what was online, or what will be; nobody has moved a mark."""
    entities, mark = _everybody(rng, table), project.marks.get(table.name)
    at = max(end, mark.until if mark else end)
    before = project.read(table, entities, at)
    noted = _noted(project, table)
    with pytest.MonkeyPatch.context() as patch:
        kill_at_a_chunk(patch, rng, rows)
        try:
            project.materialize(table, end)
        except Killed:
            assert project.marks.get(table.name) == mark
            assert _noted(project, table) == noted
        else:
            return
    until = max(end, mark.until) if mark else end
    after = [table.expected(entity, until, at) for entity in entities]
    for now, one, other in zip(project.read(table, entities, at), before, after, strict=True):
        assert same(now, one) or same(now, other), "\n".join(map(repr, (now, one, other)))


def _noted(project: Project, table: Table) -> int | None:
    rows = project.rows(project.store())
    try:
        return rows.mark(table.name)
    finally:
        rows.close()
