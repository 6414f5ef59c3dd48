"""Fetch what a source published in an interval into the landing folder, part by part."""

import logging
from importlib import import_module
from importlib.util import find_spec

from pipelines.core.errors import MillraceError, UsageError
from pipelines.core.outcomes import Extracted, Outcome
from pipelines.core.settings import Settings
from pipelines.core.stage import Context
from pipelines.data.landing import LandedPart, Source, land, part_name
from pipelines.stores import objects
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Feed, UseCase

log = logging.getLogger(__name__)


def run(context: Context) -> Outcome[Extracted]:
    """Land every part of every feed; a snapshot only once, for the interval's last part.

    Raises:
        UsageError: the interval isn't over yet, or is longer than the source has outcomes.
    """
    settings, case = context.settings, context.case
    _refuse(settings, case, context.interval)
    source = open_source(settings, case, context.interval)
    landed = {feed.name: _land_feed(context, source, feed) for feed in case.feeds}
    rows = {name: sum(part.rows for part in parts) for name, parts in landed.items()}
    is_new = [part.is_new for parts in landed.values() for part in parts]
    log.info("landed %s", ", ".join(f"{count} {name}" for name, count in rows.items()))
    log.info("%d parts are new, %d as they were", sum(is_new), len(is_new) - sum(is_new))
    return Outcome(rows=rows, details=Extracted(parts=len(is_new), new_parts=sum(is_new)))


def _land_feed(context: Context, source: Source, feed: Feed) -> list[LandedPart]:
    landing, case = objects.landing(context.settings), context.case
    return [
        land(
            landing.below(part_name(case, feed, part)),
            feed,
            part,
            source.files(feed, part),
            landed_at=context.settings.clock(),
            commit=context.commit,
        )
        for part in feed.parts(context.interval, case.grain)
    ]


def _refuse(settings: Settings, case: UseCase, interval: Interval) -> None:
    if interval.end > settings.clock():
        raise UsageError(
            f"{interval} is not over yet (now {settings.clock():%Y-%m-%d %H:%M} UTC): "
            "its facts aren't known; take an interval that has ended"
        )
    if settings.calendar == "today" and interval.days > case.history_days_max:
        raise UsageError(
            f"{interval} has {interval.days} days; after {case.history_days_max} the source "
            "repeats its outcomes, and a model would know the future: take fewer days"
        )


def open_source(settings: Settings, case: UseCase, interval: Interval) -> Source:
    """The case's own source, from `pipelines/data/extract/sources/<case>.py`.

    Raises:
        MillraceError: there is no such file.
    """
    name = f"pipelines.data.extract.sources.{case.name}"
    if find_spec(name) is None:
        raise MillraceError(f"{case.name} has no source: write {name.replace('.', '/')}.py")
    source: Source = import_module(name).source(settings, interval)
    return source
