"""Whether the newest verdict on an interval asks for a retraining."""

from pipelines.core.errors import NothingDue
from pipelines.core.outcomes import DriftDue, Outcome
from pipelines.core.stage import Context
from pipelines.learning import verdicts


def run(context: Context) -> Outcome[DriftDue]:
    """Say why to retrain.

    Raises:
        NothingDue: in words, why not.
    """
    found = verdicts.newest(context)
    if not (found and found.due):
        raise NothingDue(found.reason if found else f"{context.interval} was not watched")
    return Outcome(details=DriftDue(reason=found.reason))
