"""Fetch what a source published in an interval into the landing folder, part by part."""

import logging

from pipelines.core import cases
from pipelines.core.errors import UsageError
from pipelines.core.outcomes import Extracted, Outcome
from pipelines.core.settings import Settings
from pipelines.core.source import Source
from pipelines.core.stage import Context
from pipelines.data.extract.tables import Rows
from pipelines.data.landing import LandedPart, intact, land, part_name
from pipelines.stores import objects
from pipelines.stores.objects import Objects
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Feed, UseCase

log = logging.getLogger(__name__)


def run(context: Context) -> Outcome[Extracted]:
    """Land every part of every feed; a snapshot only once, for the interval's last part.

    Raises:
        UsageError: the interval isn't over yet, or the source or the case refuses it.
    """
    settings, case = context.settings, context.case
    _refuse_unfinished(settings, context.interval)
    source = cases.source(case.name).source(settings, context.interval)
    _refuse_too_long(case, context.interval)
    landed, read = {}, {}
    for feed in case.feeds:
        known = _knowing(context, source, feed)
        landed[feed.name] = _land_feed(context, known, feed)
        if isinstance(known, Rows) and (counts := known.counts(feed)):
            read[feed.name] = counts
    rows = {name: sum(part.rows for part in parts) for name, parts in landed.items()}
    is_new = [part.is_new for parts in landed.values() for part in parts]
    log.info("landed %s", ", ".join(f"{count} {name}" for name, count in rows.items()))
    log.info("%d parts are new, %d as they were", sum(is_new), len(is_new) - sum(is_new))
    details = Extracted(parts=len(is_new), new_parts=sum(is_new), read=read)
    return Outcome(rows=rows, details=details)


def _knowing(context: Context, source: Source, feed: Feed) -> Source:
    """The source; a table that grows knows what of it has landed."""
    if not isinstance(source, Rows):
        return source
    landing, case = objects.landing(context.settings), context.case
    store = landing.below(f"{case.name}/{feed.name}")
    return source.after(store, feed, case.grain, context.settings.clock())


def _land_feed(context: Context, source: Source, feed: Feed) -> list[LandedPart]:
    landing, case = objects.landing(context.settings), context.case
    return [
        _land_part(context, source, feed, part, landing.below(part_name(case, feed, part)))
        for part in feed.parts(context.interval, case.grain)
    ]


def _land_part(
    context: Context, source: Source, feed: Feed, part: Interval, store: Objects
) -> LandedPart:
    known = intact(store) if isinstance(source, Rows) and source.has_landed(part) else None
    if known is not None:
        return LandedPart(known.files, is_new=False)
    files, now = source.files(feed, part), context.settings.clock()
    return land(store, feed, part, files, landed_at=now, commit=context.commit)


def _refuse_unfinished(settings: Settings, interval: Interval) -> None:
    if interval.end > settings.clock():
        raise UsageError(
            f"{interval} is not over yet (now {settings.clock():%Y-%m-%d %H:%M} UTC): "
            "its facts aren't known; take an interval that has ended"
        )


def _refuse_too_long(case: UseCase, interval: Interval) -> None:
    """After the source, which may know better why."""
    most = case.history_days_max
    if most is not None and interval.days > most:
        raise UsageError(
            f"{interval} has {interval.days} days; {case.name} takes at most {most} at a time "
            f"(history_days_max in pipelines/use_cases/{case.name}.py): take fewer days"
        )
