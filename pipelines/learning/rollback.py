"""Make an earlier champion the champion again: a person's decision, kept in the journal."""

import logging

from sqlalchemy import insert

from pipelines.core.errors import UsageError
from pipelines.core.journal import promotions
from pipelines.core.outcomes import Outcome, RolledBack
from pipelines.core.stage import Context
from pipelines.learning import champion
from pipelines.learning.champion import ROLLED_BACK

log = logging.getLogger(__name__)


def run(context: Context) -> Outcome[RolledBack]:
    """Name the version in the journal and let the alias follow.

    Raises:
        UsageError: the version never was champion, or is it now.
    """
    case, model, version = context.case.name, context.model.name, int(context.options["to"])
    earlier = champion.of_version(context.engine, case, model, version)
    now = champion.current(context.engine, case, model)
    if earlier is None or now is None:
        raise UsageError(
            f"version {version} of {case}.{model} never was champion; see ops.promotions"
        )
    if now.version == version:
        raise UsageError(f"version {version} is the champion of {case}.{model} already")
    reason = f"asked for by hand; version {now.version} was champion"
    row = {
        "case_name": case,
        "model": model,
        "interval": context.interval.key,
        "version": version,
        "decision": ROLLED_BACK,
        "reason": reason,
        "champion_before": now.version,
        "cutoff": earlier.cutoff,
        "metric": earlier.metric,
        "value": earlier.value,
        "evidence": {},
        "attempt": context.attempt,
    }
    with context.commit() as connection:
        connection.execute(insert(promotions).values(**row))
    champion.align_alias(context)
    log.info("version %d is the champion again; %s", version, reason)
    return Outcome(details=RolledBack(version=version, before=now.version))
