"""A case's tables built once more by its own SQL, from what was known before an instant alone.

History is built as one long run, in which the days after an instant are there to be read; a night
has none. So what SQL takes from the future stands in the training set and is missing at night.
The tables lie in a schema of their own: copies of the published ones that share their files, up to
the midnight before the instant, and the rows since then as dbt builds them.
"""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta

from pipelines.core.stage import Context
from pipelines.stores import dbt, delta, spark
from pipelines.stores.delta import instant
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.model import DECISIONS
from pipelines.use_cases.spec.use_case import Feed, Layer

LAYERS: tuple[Layer, ...] = ("silver", "gold")
# To copy a table is a second of waiting for the catalog.
_COPIES_AT_ONCE = 4


def cuts(context: Context, number: int) -> list[datetime]:
    """Instants of the interval: one of its midnights, and others at which somebody decides.

    They are whole seconds, and the same for the same interval. Of several midnights not the last
    one, after which nothing may be known yet.
    """
    interval, decisions = context.interval, context.read_known("gold", DECISIONS)
    nights = list(_midnights(interval))
    dice = random.Random(interval.key)  # noqa: S311  # no secret
    chosen = [dice.choice(nights[:-1] or nights)] if nights else []
    decided = context.spark.sql(f"""
        select distinct date_trunc('second', known_at) as at
        from {decisions}
        where {delta.instants_predicate(interval)} and known_at > {instant(interval.start)}
        order by xxhash64(at, '{interval.key}') limit {number}
    """).toArrow()
    return list(dict.fromkeys([*chosen, *decided["at"].to_pylist()]))[:number]


def _midnights(interval: Interval) -> Iterator[datetime]:
    """Those after the interval's start, up to its end."""
    at = interval.start.replace(hour=0) + timedelta(days=1)
    while at <= interval.end:
        yield at
        at += timedelta(days=1)


def since(cut: datetime) -> datetime:
    """The midnight before an instant: what is built anew begins there."""
    return (cut - timedelta(microseconds=1)).replace(hour=0, minute=0, second=0, microsecond=0)


@contextmanager
def place(context: Context) -> Iterator[str]:
    """A schema that nobody else reads; it is gone afterwards, and so is what a killed run left."""
    name = f"leaks_{context.case.name}_{context.model.name}"
    _drop(context, name)
    delta.make_schema(context.spark, name)
    try:
        yield name
    finally:
        _drop(context, name)


def _drop(context: Context, schema: str) -> None:
    context.spark.sql(f"drop schema if exists {schema} cascade")


def build(context: Context, schema: str, cut: datetime) -> None:
    """Build the rows from the midnight before an instant up to it, of what was known before it.

    Raises:
        CheckFailed: a table is not published, or a model failed.
    """
    case, start = context.case, since(cut)
    copied = [(layer, name) for layer in LAYERS for name in case.tables(layer)]
    with ThreadPoolExecutor(_COPIES_AT_ONCE) as pool:
        list(pool.map(lambda table: _copy(context, schema, start, *table), copied))
    sources = {f"{case.name}_{feed.name}": _known(context, feed, cut) for feed in case.feeds}
    spark.compile_expressions(context.spark, 1)
    interval = Interval(start, cut, cut.isoformat())
    dbt.models(context.settings, ("run",), case, interval, sources, schema)


def _copy(context: Context, schema: str, until: datetime, layer: Layer, name: str) -> None:
    """A published table as it was before a midnight; no data is copied."""
    published, table = context.read(layer, name), table_in(context, schema, layer, name)
    context.spark.sql(f"create table {table} shallow clone {published}")
    context.spark.sql(f"delete from {table} where known_date >= date'{until:%Y-%m-%d}'")


def table_in(context: Context, schema: str, layer: Layer, name: str) -> str:
    """A table of a case in another schema."""
    return f"{schema}.{context.case.build_table(layer, name).partition('.')[2]}"


def _known(context: Context, feed: Feed, cut: datetime) -> str:
    """What of a feed was known before an instant, as SQL names it.

    A dimension that was first published later counts as known: history is loaded with one
    snapshot only.
    """
    read, known = context.read("bronze", feed.name), f"known_at < {instant(cut)}"
    if feed.kind == "snapshot":
        first = f"known_at = (select min(known_at) from {read})"
        return f"(select * from {read} where {known} or {first})"
    return f"(select * from {read} where known_date <= date'{cut:%Y-%m-%d}' and {known})"


def tables(context: Context) -> Sequence[tuple[Layer, str, tuple[str, ...]]]:
    """What is compared, with the key of a row: facts in silver, entity states, decisions."""
    case = context.case
    facts = (feed for feed in case.feeds if feed.kind == "fact" and feed.name in case.silver)
    return (
        *(("silver", feed.name, feed.key) for feed in facts),
        *(("gold", state.name, state.keys) for state in case.entity_states),
        ("gold", DECISIONS, context.model.row_key),
    )
