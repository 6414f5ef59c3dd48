"""The features layer: silver and gold, at the versions that this interval's transform built."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from expectations.suites import decisions_suite, facts_suite, promises, snapshot_suite, states_suite
from pipelines.core import cases
from pipelines.core.outcomes import Outcome, Validated
from pipelines.core.stage import Context
from pipelines.data.validate.check import Check
from pipelines.data.validate.job import publish_proven
from pipelines.stores.delta import instants_predicate, partition_predicate
from pipelines.use_cases.spec.training import DECISIONS
from pipelines.use_cases.spec.use_case import EntityState, Layer

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation
    from pyspark.sql import DataFrame

    from expectations.rules import Rule


def run(context: Context) -> Outcome[Validated]:
    """Prove every silver and gold table, and publish them.

    Raises:
        CheckFailed: a table failed, or holds another interval's work; nothing was published.
    """
    return publish_proven(context, checks(context))


def checks(context: Context) -> Iterator[Check]:
    """A check of every silver and gold table of the case."""
    rules = cases.contract(context.case.name).table_rules()
    states = {state.name: state for state in context.case.entity_states}
    layers: tuple[Layer, Layer] = ("silver", "gold")
    for layer in layers:
        for name in context.case.tables(layer):
            version = context.built_version(layer, name)
            built = f"{context.case.build_table(layer, name)} version as of {version}"
            frame = _rows(context, layer, name, built, states.get(name))
            promised = (*promises(frame.dtypes), *rules.get(f"{layer}.{name}", ()))
            yield Check(
                layer=layer,
                name=name,
                version=version,
                frame=frame,
                expectations=_suite(context, layer, name, states.get(name), promised),
            )


def _is_snapshot(context: Context, layer: Layer, name: str) -> bool:
    return layer == "silver" and any(
        feed.name == name and feed.kind == "snapshot" for feed in context.case.feeds
    )


def _rows(
    context: Context, layer: Layer, name: str, built: str, state: EntityState | None
) -> "DataFrame":
    """The interval's rows; of a snapshot all of them."""
    if _is_snapshot(context, layer, name):
        return context.spark.sql(f"select * from {built}")
    if name == DECISIONS:
        return context.spark.sql(
            f"select * from {built} where {instants_predicate(context.interval)}"
        )
    if state is None or state.step_minutes is None:
        where = partition_predicate(context.interval)
        return context.spark.sql(f"select * from {built} where {where}")
    step = state.step_minutes * 60
    off_grid = f"unix_micros(known_at) % {step * 10**6} / 1e6 as seconds_off_grid"
    where = instants_predicate(context.interval)
    return context.spark.sql(f"select *, {off_grid} from {built} where {where}")


def _suite(
    context: Context,
    layer: Layer,
    name: str,
    state: EntityState | None,
    rules: "Sequence[Rule]",
) -> "list[Expectation]":
    start, end = context.interval.start, context.interval.end
    if state is None:
        keys = _keys(context, layer, name)
        if _is_snapshot(context, layer, name):
            return snapshot_suite(keys, rules)
        if name == DECISIONS:
            return decisions_suite(keys, start, end, rules)
        return facts_suite(keys, start, end, rules)
    if state.step_minutes is None:
        return facts_suite(state.keys, start, end, rules)
    num_instants = (end - start) // timedelta(minutes=state.step_minutes)
    return states_suite(state.keys, start, end, num_instants, rules)


def _keys(context: Context, layer: Layer, name: str) -> tuple[str, ...]:
    """A silver table has its feed's key; any other table says its own."""
    feeds = {feed.name: feed.key for feed in context.case.feeds}
    if layer == "silver" and name in feeds:
        return feeds[name]
    return cases.contract(context.case.name).table_keys()[f"{layer}.{name}"]
