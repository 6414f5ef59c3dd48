"""What was known at each decision of the look-back, kept from night to night.

Feast's join of 90 days takes minutes, of one day seconds; and what was known at an instant stays
so until a table behind it is published again for that time. Only then is it joined again.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from pipelines.core import journal
from pipelines.core.journal import published
from pipelines.core.registry import ASSEMBLE
from pipelines.core.stage import Context
from pipelines.learning import inputs
from pipelines.stores import delta
from pipelines.stores.delta import instant
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.training import DECISIONS, Split

log = logging.getLogger(__name__)

# Feast joins by entity and compares the times of all pairs: of 90 days at once 1.4 billion for
# each airport's quarter hours. Of shorter stretches the planning, 20 s each, would take over.
_CHUNK_DAYS = 20


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What the table holds, of decisions at instants `(since, until]`.

    Args:
        table: its name.
        publication: the newest publication that the join has seen.
        definitions: digest of the feature definitions that it was made by.
    """

    table: str
    version: int
    since: datetime
    until: datetime
    publication: int
    definitions: str

    def to_json(self) -> dict[str, Any]:
        return {
            **vars(self),
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Kept":
        instants = {name: datetime.fromisoformat(values[name]) for name in ("since", "until")}
        return cls(**{**values, **instants})


def extend(context: Context, split: Split) -> Kept:
    """Join what the table lacks of the decisions up to the cutoff, or what has changed since.

    Raises:
        CheckFailed: the join lost or made rows.
    """
    spark, table = context.spark, context.case.build_table("gold", "joined")
    publication, definitions = _newest_publication(context), inputs.definitions(context)
    since = split.training_from - timedelta(days=1)
    before = _kept(context)
    start = since
    if before and before.definitions == definitions and before.since <= since:
        changed = _republished(context, before.publication)
        start = max(since, min(before.until, split.cutoff, *changed))
        delta.reset(spark, table, before.version)
    stale = f"known_at > {instant(start)} or known_at <= {instant(since)}"
    if start > since:
        spark.sql(f"delete from {table} where {stale}")
    for begin, end in stretches(start, split.cutoff):
        asked = inputs.decisions(context, Interval(begin, end, context.interval.key))
        delta.save(spark, inputs.states_known(context, asked), table, anew=begin == since)
    version = delta.version(spark, table)
    whole = inputs.decisions(context, Interval(since, split.cutoff, context.interval.key))
    found = delta.count(spark, table, version)
    inputs.require_rows("point-in-time join", whole.count(), found)
    log.info("%d decisions, joined anew from %s on", found, f"{start:%Y-%m-%d}")
    return Kept(
        table=table,
        version=version,
        since=since,
        until=split.cutoff,
        publication=publication,
        definitions=definitions,
    )


def stretches(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Parts of `_CHUNK_DAYS`, oldest first; none if there is nothing between the two."""
    while start < end:
        until = min(start + timedelta(days=_CHUNK_DAYS), end)
        yield start, until
        start = until


def tables(context: Context) -> Sequence[str]:
    """The published tables that are joined."""
    names = (*(state.name for state in context.case.entity_states), DECISIONS)
    return [context.case.table("gold", name) for name in names]


def _kept(context: Context) -> Kept | None:
    done = journal.newest_done(context.engine, context.case.name, ASSEMBLE)
    noted = done and done.outcome.details.joined
    return Kept.from_json(dict(noted)) if noted else None


def _newest_publication(context: Context) -> int:
    """Of what is read: one that came since will be seen by the next training."""
    return max(context.pins[table].publication for table in tables(context))


def _republished(context: Context, publication: int) -> list[datetime]:
    """Where the intervals start that were published since."""
    newer = (
        select(published.c.interval)
        .distinct()
        .where(published.c.table_name.in_(tables(context)), published.c.id > publication)
    )
    with context.engine.connect() as connection:
        return [Interval.parse(key).start for key in connection.scalars(newer)]
