"""Published entity states into the online store, by Feast.

The online store holds what was known at the *mark* of each view: `ops.materialized`, which never
moves back. What came after the mark is added. All of the last TTL is compared, and what differs
written, where a view is filled anew: the first time, after a redefinition, a rebuilt day or a long
pause, or where the store itself says that it is not as of the mark. A state older than its view's
TTL is unknown to any reader, so no longer a range is ever asked for.
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
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import EntityState

if TYPE_CHECKING:
    from feast import FeatureStore

log = logging.getLogger(__name__)


_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Mark:
    """As of when a view is online, and by which version of its gold table."""

    until: datetime
    version: int


@dataclass(frozen=True)
class Publication:
    """What a publication of a gold table may have changed: the states of its interval."""

    start: datetime
    until: datetime
    version: int


@dataclass(frozen=True)
class Fill:
    """Which states to bring online: those from `start` to `until`, both ends included."""

    start: datetime
    until: datetime


def fill(
    end: datetime,
    ttl: timedelta,
    mark: Mark | None,
    publications: Sequence[Publication],
    *,
    anew: bool,
) -> Fill | None:
    """What a view lacks online up to an interval's end; None: nothing.

    At or before the mark there is one reason to write, as of the mark: what is online differs from
    what is published, since the view is to be made anew, or a day within its TTL was rebuilt.

    Args:
        anew: the view was redefined, or is not online as of its mark.
    """
    if mark is None:
        return Fill(end - ttl, end)
    until = max(end, mark.until)
    oldest = until - ttl
    rebuilt = any(
        each.version > mark.version and each.start < mark.until and each.until >= oldest
        for each in publications
    )
    if anew or rebuilt:
        return Fill(oldest, until)
    return Fill(max(mark.until + _INSTANT, oldest), until) if end > mark.until else None


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
    publications, marks = _publications(context), _marks(context)
    written: dict[str, datetime] = {}
    with feast.applied(context.settings, case.name, definitions, pinned=context.reads) as (
        store,
        redefined,
    ):
        for state in case.entity_states:
            mark = marks.get(_view(context, state))
            needed = fill(
                context.interval.end,
                _counts_for(context, state),
                mark,
                publications[state.name],
                anew=redefined or not _is_online(context, state, mark),
            )
            if needed:
                _write(context, store, state, needed)
                written[state.name] = needed.until
            else:
                log.info("%s left alone: it is online as of %s", state.name, mark and mark.until)
    return Outcome(
        details=Materialized(
            definitions_applied=redefined,
            online_as_of=written,
            left_alone=sorted({state.name for state in case.entity_states} - set(written)),
        ),
    )


def _write(context: Context, store: "FeatureStore", state: EntityState, needed: Fill) -> None:
    """One view and its mark, under the fence: the online store can't refuse a replaced attempt."""
    view = _view(context, state)
    mark = journal.insert_or_update(
        journal.materialized,
        case_name=context.case.name,
        feature_view=view,
        until=needed.until,
        version=context.reads[context.case.table("gold", state.name)],
        attempt=context.attempt,
    )
    with context.commit() as connection:
        feast.materialize(store, view, needed.start, needed.until)
        connection.execute(mark)
    log.info("%s online as of %s, from %s on", state.name, needed.until, needed.start)


def _counts_for(context: Context, state: EntityState) -> timedelta:
    """How long a reader may use a state: those that learned from older ones so much longer."""
    online_after = max(
        (model.online_after_minutes or 0 for model in context.case.models), default=0
    )
    return timedelta(minutes=state.ttl_minutes + online_after)


def _is_online(context: Context, state: EntityState, mark: Mark | None) -> bool:
    """Whether the store itself says that it is as of the mark: it may be an older copy."""
    view = _view(context, state)
    noted = feast.online_mark(context.settings, context.case.name, view)
    return noted == (mark and mark.until)


def _view(context: Context, state: EntityState) -> str:
    return f"{context.case.name}_{state.name}"


def _publications(context: Context) -> Mapping[str, Sequence[Publication]]:
    """Of each entity state, oldest first."""
    table = journal.published
    states = {
        context.case.table("gold", state.name): state.name for state in context.case.entity_states
    }
    rows = (
        select(table.c.table_name, table.c.interval, table.c.until, table.c.version)
        .where(table.c.table_name.in_(states))
        .order_by(table.c.id)
    )
    found: dict[str, list[Publication]] = {}
    with context.engine.connect() as connection:
        for row in connection.execute(rows):
            publication = Publication(Interval.parse(row.interval).start, row.until, row.version)
            found.setdefault(states[row.table_name], []).append(publication)
    return found


def _marks(context: Context) -> dict[str, Mark]:
    table = journal.materialized
    rows = select(table.c.feature_view, table.c.until, table.c.version).where(
        table.c.case_name == context.case.name
    )
    with context.engine.connect() as connection:
        return {row.feature_view: Mark(row.until, row.version) for row in connection.execute(rows)}
