"""Published entity states into the online store, by Feast.

The online store holds what was known at the *mark* of each view: `ops.materialized`, which never
moves back. A state older than its view's TTL is unknown to any reader, so writing the newest
states of the last TTL before the mark is enough, however long the interval or the pause before
it. It also heals whatever came between: a removed file, a new feature, a rebuilt day.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from pipelines.core import cases, journal
from pipelines.core.outcomes import Materialized, Outcome
from pipelines.core.stage import Context
from pipelines.stores import feast
from pipelines.use_cases.spec.use_case import EntityState

if TYPE_CHECKING:
    from feast import FeatureStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reach:
    """How far a gold table is published, or its view online, and at which version of the table."""

    until: datetime
    version: int


def instant_to_write(
    end: datetime,
    ttl: timedelta,
    mark: Reach | None,
    publications: Sequence[Reach],
    *,
    redefined: bool,
) -> datetime | None:
    """The instant as of which a view is to be written online; None: leave it alone.

    At or before the mark there is one reason to write, as of the mark: what is online differs
    from what is published, since the view was redefined (or emptied), or a day within its TTL of
    the mark was rebuilt.
    """
    if mark is None or end > mark.until:
        return end
    rebuilt = any(
        publication.version > mark.version and publication.until >= mark.until - ttl
        for publication in publications
    )
    return mark.until if redefined or rebuilt else None


def run(context: Context) -> Outcome[Materialized]:
    """Bring every feature view of the case online, up to the interval's end."""
    return bring_online(context, cases.features(context.case))


def bring_online(
    context: Context, definitions: Sequence[feast.Definition]
) -> Outcome[Materialized]:
    """Apply the definitions where they changed, write each view, and move its mark.

    Raises:
        CheckFailed: a gold table is not published up to the interval's end; nothing was written.
    """
    case = context.case
    for state in case.entity_states:
        context.read_known("gold", state.name)
    publications = _publications(context)
    marks = _marks(context)
    written: dict[str, datetime] = {}
    with feast.applied(context.settings, case.name, definitions, pinned=context.reads) as (
        store,
        redefined,
    ):
        for state in case.entity_states:
            mark, published = marks.get(_view(context, state)), publications[state.name]
            ttl = timedelta(minutes=state.ttl_minutes)
            until = instant_to_write(
                context.interval.end, ttl, mark, published, redefined=redefined
            )
            if until:
                _write(context, store, state, until)
                written[state.name] = until
            else:
                log.info("%s left alone: it is online as of %s", state.name, mark and mark.until)
    return Outcome(
        details=Materialized(
            definitions_applied=redefined,
            online_as_of=written,
            left_alone=sorted({state.name for state in case.entity_states} - set(written)),
        ),
    )


def _write(context: Context, store: "FeatureStore", state: EntityState, until: datetime) -> None:
    """One view and its mark, under the fence: SQLite can't refuse a replaced attempt by itself."""
    view = _view(context, state)
    oldest = until - timedelta(minutes=state.ttl_minutes)
    mark = journal.insert_or_update(
        journal.materialized,
        case_name=context.case.name,
        feature_view=view,
        until=until,
        version=context.reads[context.case.table("gold", state.name)],
        attempt=context.attempt,
    )
    with context.commit() as connection:
        feast.materialize(store, view, oldest, until)
        connection.execute(mark)
    log.info("%s online as of %s", state.name, until)


def _view(context: Context, state: EntityState) -> str:
    return f"{context.case.name}_{state.name}"


def _publications(context: Context) -> Mapping[str, Sequence[Reach]]:
    """Of each entity state, oldest first."""
    table = journal.published
    states = {
        context.case.table("gold", state.name): state.name for state in context.case.entity_states
    }
    rows = (
        select(table.c.table_name, table.c.until, table.c.version)
        .where(table.c.table_name.in_(states))
        .order_by(table.c.id)
    )
    found: dict[str, list[Reach]] = {}
    with context.engine.connect() as connection:
        for row in connection.execute(rows):
            found.setdefault(states[row.table_name], []).append(Reach(row.until, row.version))
    return found


def _marks(context: Context) -> dict[str, Reach]:
    table = journal.materialized
    rows = select(table.c.feature_view, table.c.until, table.c.version).where(
        table.c.case_name == context.case.name
    )
    with context.engine.connect() as connection:
        return {row.feature_view: Reach(row.until, row.version) for row in connection.execute(rows)}
