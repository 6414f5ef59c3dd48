"""The features layer: silver and gold, at the versions that this interval's transform built."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from expectations.suites import decisions_suite, facts_suite, promises, snapshot_suite, states_suite
from pipelines.core import cases
from pipelines.core.outcomes import Outcome, Validated
from pipelines.core.stage import Context
from pipelines.data.validate.check import Check
from pipelines.data.validate.job import publish_proven
from pipelines.stores.delta import instants_predicate, partition_predicate
from pipelines.use_cases.spec.model import DECISIONS
from pipelines.use_cases.spec.use_case import Layer

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

    from expectations.rules import Rule


def run(context: Context) -> Outcome[Validated]:
    """Prove every silver and gold table, and publish them."""
    return publish_proven(context, checks(context))


def checks(context: Context) -> Iterator[Check]:
    """A check of every silver and gold table of the case."""
    rules = cases.contract(context.case.name).table_rules()
    layers: tuple[Layer, Layer] = ("silver", "gold")
    for layer in layers:
        for name in context.case.tables(layer):
            yield _check(context, layer, name, rules.get(f"{layer}.{name}", ()))


def _check(context: Context, layer: Layer, name: str, rules: "Sequence[Rule]") -> Check:
    """Of the interval's rows; of a snapshot's all."""
    case, interval = context.case, context.interval
    feed = next((f for f in case.feeds if layer == "silver" and f.name == name), None)
    state = next((s for s in case.entity_states if s.name == name), None)
    if state:
        keys = state.keys
    elif feed:
        keys = feed.key
    else:
        keys = cases.contract(case.name).table_keys()[f"{layer}.{name}"]
    times = (keys, interval.start, interval.end)
    columns, where = "*", instants_predicate(interval)
    suite: Callable[[Iterable[Rule]], list[Expectation]]
    if feed and feed.kind == "snapshot":
        where, suite = "true", partial(snapshot_suite, keys)
    elif name == DECISIONS:
        suite = partial(decisions_suite, *times)
    elif state is None or state.step_minutes is None:
        where, suite = partition_predicate(interval), partial(facts_suite, *times)
    else:
        step = timedelta(minutes=state.step_minutes)
        micros = step // timedelta(microseconds=1)
        columns = f"*, unix_micros(known_at) % {micros} / 1e6 as seconds_off_grid"
        suite = partial(states_suite, *times, (interval.end - interval.start) // step)
    version = context.built_version(layer, name)
    built = f"{case.build_table(layer, name)} version as of {version}"
    frame = context.spark.sql(f"select {columns} from {built} where {where}")
    return Check(
        layer=layer,
        name=name,
        version=version,
        frame=frame,
        expectations=suite((*promises(frame.dtypes), *rules)),
    )
