"""Golden tables all the way into the lake: rows in the source are kept, quarantined or duplicates.

What the fast tests take for bad, ingest quarantines: no row more, and none less.
"""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from expectations.rules import Between, InSet, Rule
from pipelines.core import runner
from pipelines.core.registry import EXTRACT, INGEST
from pipelines.core.settings import Settings
from pipelines.data.extract.tables import Rows, located
from pipelines.scaffold.infer import Proposal
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Layer, UseCase
from tests.golden_tables import FOLDER, NOW, Expected, expected, feed_of, landed, proposal_of

CHOSEN = {
    "layout/stray_quotes.csv",
    "encodings/one_broken_byte.csv",
    "dates/one_of_2062.csv",
    "keys/empty_keys.csv",
    "keys/conflicting_row.csv",
    "labels/rare_class.csv",
    "json/half_surrogate.jsonl",
    "databases/no_instant.sqlite",
}
TABLES = {f"{t.path.parent.name}/{t.name}": t for t in expected()}


@pytest.mark.parametrize("name", sorted(CHOSEN))
def test_every_row_of_the_source_is_somewhere(settings: Settings, spark: Any, name: str) -> None:
    table = TABLES[name]
    proposal = proposal_of(table)
    wanted = landed(table, proposal)
    interval = Interval.parse(f"{min(r.part for r in wanted)}/{max(r.part for r in wanted)}")
    with made(settings, table, proposal) as (allowing, case):
        runner.run(allowing, case, EXTRACT, interval)
        rows = runner.run(allowing, case, INGEST, interval)["rows"]
        bad = spark.table(case.build_table("quarantine", "rows")).collect()
        drop(spark, case)
    found = {what: rows[f"rows_{what}"] for what in ("in", "kept", "quarantined", "duplicates")}
    num_bad = len(table.quarantined)
    assert found == {
        "in": table.rows,
        "kept": table.rows - num_bad - table.duplicates,
        "quarantined": num_bad,
        "duplicates": table.duplicates,
    }
    assert all(row["raw"] and row["reasons"] for row in bad)
    of_days = sorted(row["known_at"].date().isoformat() for row in bad)
    parts = sorted(row.part for row in wanted if row.bad is not None)
    # No row of a database is before another: one without an instant is of the newest day.
    assert of_days == (
        parts if table.path.suffix != ".sqlite" else [interval.last_date.isoformat()]
    )


@contextmanager
def made(
    settings: Settings, table: Expected, proposal: Proposal
) -> Iterator[tuple[Settings, UseCase]]:
    """A case of one feed, as the proposal has it, for as long as it is needed."""
    name = f"t_{random.SystemRandom().randrange(16**10):x}"
    feeds = (feed_of(proposal),)
    case = UseCase(name=name, description="Parcels", feeds=feeds, silver=(), entity_states=())
    contract = ModuleType(f"expectations.{name}")
    contract.row_rules = lambda: {"rows": rules(proposal)}  # type: ignore[attr-defined]
    contract.table_rules = contract.table_keys = dict  # type: ignore[attr-defined]
    source = ModuleType(f"pipelines.data.extract.sources.{name}")
    allowing = settings.model_copy(update={"data_roots": (FOLDER,), "now": NOW})
    rows = located(allowing, name, table.location, proposal.dialect)
    source.source = lambda _, interval: Rows(rows, proposal.shape, interval)  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        for module in (contract, source):
            patch.setitem(sys.modules, module.__name__, module)
        yield allowing, case


def rules(proposal: Proposal) -> tuple[Rule, ...]:
    """The limits and the classes that would be written into the contract."""
    found = {each.name: each.limits for each in proposal.inputs}
    if proposal.target.limits:
        found[proposal.label] = proposal.target.limits
    between = [_between(name, each.low, each.high) for name, each in found.items() if each.are_any]
    if proposal.target.task != "multiclass":
        return tuple(between)
    return (*between, InSet(proposal.label, tuple(proposal.target.counts), because="the sample"))


def _between(name: str, low: float | None, high: float | None) -> Rule:
    ends = {"min": low, "max": high}
    said = {end: value for end, value in ends.items() if value is not None}
    return Between(name, **said, because="the sample")


def drop(spark: Any, case: UseCase) -> None:
    """The case's tables, so that the next one begins with none."""
    layers: tuple[Layer, ...] = ("bronze", "quarantine")
    for layer in layers:
        spark.sql(f"drop table if exists {case.build_table(layer, 'rows')}")
