"""A champion takes in new rows of its tables: a version of its own, champion at once."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from models import artifact, families
from models.errors import ModelRefused
from models.job import Job
from models.spec import ModelSpec
from pipelines.core import cases
from pipelines.core.errors import CheckFailed, MillraceError, NothingDue, Superseded
from pipelines.core.journal import promotions
from pipelines.core.registry import REFRESH
from pipelines.learning import champion, refresh
from pipelines.learning.champion import PROMOTED, REFRESHED
from tests.model import toys
from tests.model.toys import samples, worker
from tests.servers.contexts import replace_holder

NIGHT, NEXT = "2026-11-20", "2026-11-21"
ITEMS = "item string, kind string, known_at timestamp"


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    toys.register(monkeypatch.setitem)
    families.find.cache_clear()
    yield
    families.find.cache_clear()


@pytest.fixture
def stage(
    made: Any, registry: Any, tables: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Any:
    """Version 1, champion up to 10 November, which ranks 60 items; its family is a toy."""
    sample = samples.ordering()
    spec = ModelSpec(columns=sample.columns, task=sample.task, settings=sample.settings)
    (model,) = made.case.models
    model = replace(
        model, task="ordering", family="ranked_items", tables=("gold.items",), is_refreshed=True,
        look_back_days=30,
    )  # fmt: skip
    made.case = replace(made.case, gold=(*made.case.gold, "items"), models=(model,))
    monkeypatch.setattr(cases, "model", lambda *_: spec)
    files = {name: tmp_path / f"{name}.parquet" for name in sample.tables}
    for name, table in sample.tables.items():
        pq.write_table(table, files[name])
    job = Job(spec=spec, label=sample.label, tables=files, folder=tmp_path)
    worker.run(job)
    made.artifacts = {1: (job.artifact, job.seal())}

    def fetch(version: Any, folder: Path) -> Path:
        return Path(shutil.copytree(made.artifacts[version.number][0], folder / "artifact"))

    def register(_: Any, now: Any, before: Any, folder: Path, digest: str, facts: Any) -> Any:
        number = max(made.artifacts) + 1
        kept = tmp_path / str(number)
        made.artifacts[number] = shutil.copytree(folder, kept), digest
        registry.add(number, before.interval, before.cutoff)
        return digested(number)

    def digested(number: int) -> Any:
        found = next(version for version in registry.held if version.number == number)
        return replace(found, digest=made.artifacts[number][1])

    registry.fetch, registry.version = fetch, digested
    registry.add(1, "2026-11-10", made.day(10))
    monkeypatch.setattr(refresh, "_registered", register)
    made.promote(1, made.day(10))
    return made


def publish(made: Any, tables: Any, num_items: int, interval: str) -> None:
    """Items that were known from 2 November on; the last of them a second too late."""
    shown = samples.items(0, num_items + 1).to_pylist()
    late = made.day(int(interval[-2:]) + 1)
    rows = [(row["item"], row["kind"], made.day(2)) for row in shown[:-1]]
    tables.publish("items", ITEMS, [*rows, (shown[-1]["item"], shown[-1]["kind"], late)], interval)


def run(made: Any, interval: str = NIGHT) -> Any:
    return refresh.run(made.context(REFRESH, interval))


def judged(made: Any) -> list[tuple[int, str, int | None]]:
    return [(row.version, row.decision, row.champion_before) for row in made.rows(promotions)]


def test_new_rows_make_a_version_that_knows_them_and_is_champion(
    stage: Any, tables: Any, registry: Any
) -> None:
    publish(stage, tables, 120, NIGHT)
    outcome = run(stage)
    # What came to be known at the interval's end belongs to the next one.
    assert outcome.details.facts == {"num_items": 120}
    assert (outcome.details.before, outcome.details.version) == (1, 2)
    assert judged(stage) == [(1, PROMOTED, None), (2, REFRESHED, 1)]
    assert registry.aliases == {"champion": 2}
    now = champion.current(stage.engine, stage.case.name, "late")
    assert now is not None
    assert (now.version, now.learned, now.cutoff) == (2, 1, stage.day(10))
    # Its answers are out of sample from the night on that it knows; version 1's from its cutoff.
    known = champion.cutoffs(stage.engine, stage.case.name, "late")
    assert known == {1: stage.day(10), 2: stage.day(21)}
    older, newer = (artifact.open_folder(*stage.artifacts[number]) for number in (1, 2))
    assert newer.manifest.corpus == {stage.case.table("gold", "items"): 0}
    shown = samples.shown(50, seed=9, first=60)
    assert set(older.score(shown)["score"].to_pylist()) == {0.0}
    assert len(set(newer.score(shown)["score"].to_pylist())) > 1


def test_the_same_tables_are_taken_in_once_and_newer_ones_on_top(stage: Any, tables: Any) -> None:
    publish(stage, tables, 80, NIGHT)
    run(stage)
    assert run(stage).details == refresh.TakenIn(version=2, before=2)
    publish(stage, tables, 90, NEXT)
    assert run(stage, NEXT).details.version == 3
    now = champion.current(stage.engine, stage.case.name, "late")
    assert now is not None
    assert (now.version, now.learned) == (3, 1)


def test_an_older_interval_or_a_table_that_lags_changes_nothing(stage: Any, tables: Any) -> None:
    publish(stage, tables, 80, "2026-11-08")
    assert run(stage, "2026-11-08").details == refresh.TakenIn(version=1, before=1)
    with pytest.raises(CheckFailed, match="items is published up to 2026-11-09"):
        run(stage)
    assert judged(stage) == [(1, PROMOTED, None)]


def test_what_its_family_refuses_leaves_the_champion(
    stage: Any, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ModelRefused("the index finds 0.4 of what is nearest, 0.95 are needed")

    publish(stage, tables, 80, NIGHT)
    monkeypatch.setattr(type(families.find("ranked_items")), "refresh", refuse)
    with pytest.raises(MillraceError, match=r"was not refreshed, its champion stays: the index"):
        run(stage)
    assert judged(stage) == [(1, PROMOTED, None)]


def test_without_a_champion_there_is_nothing_to_refresh(made: Any) -> None:
    with pytest.raises(NothingDue, match="has no champion yet"):
        run(made)


def test_a_promotion_in_the_meantime_is_not_undone(
    stage: Any, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(stage, tables, 80, NIGHT)
    register = refresh._registered

    def overtaken(*given: Any) -> Any:
        stage.promote(7, stage.day(12))
        return register(*given)

    monkeypatch.setattr(refresh, "_registered", overtaken)
    with pytest.raises(Superseded, match="version 7 became the champion"):
        run(stage)
    assert [row[0] for row in judged(stage)] == [1, 7]


def test_a_replaced_attempt_notes_nothing(stage: Any, tables: Any) -> None:
    publish(stage, tables, 80, NIGHT)
    context = stage.context(REFRESH, NIGHT)
    replace_holder(stage.engine, stage.case.name, "champion of late", context.attempt + 1)
    with pytest.raises(Superseded):
        refresh.run(context)
    assert judged(stage) == [(1, PROMOTED, None)]
