"""The training set of an interval: who is in it, in which part, and that no answer came early."""

from collections.abc import Iterator, Mapping

from expectations.suites import training_set_suite
from pipelines.core import journal
from pipelines.core.errors import CheckFailed
from pipelines.core.journal import runs
from pipelines.core.outcomes import Outcome, Validated
from pipelines.core.registry import ASSEMBLE
from pipelines.core.stage import Context
from pipelines.data.validate.check import Check
from pipelines.data.validate.job import publish_proven

# Without rows of these there is no training; without evaluation the gate says so.
_NEEDED = ("training", "validation")


def run(context: Context) -> Outcome[Validated]:
    """Prove the training set that assemble built, and publish it."""
    return publish_proven(context, checks(context))


def checks(context: Context) -> Iterator[Check]:
    """One check, of the rows by the counts that assemble noted."""
    model = context.model
    version = context.built_version("gold", model.training_set)
    built = f"{context.case.build_table('gold', model.training_set)} version as of {version}"
    counts = _counts(context)
    expected = " ".join(f"when '{part}' then {count}" for part, count in counts.items())
    off = f"count(*) over (partition by part) - case part {expected} else 0 end as num_rows_off"
    yield Check(
        layer="gold",
        name=model.training_set,
        version=version,
        frame=context.spark.sql(f"select *, {off} from {built}"),
        expectations=training_set_suite(
            model.row_key,
            model.label,
            _NEEDED,
            sum(counts.values()),
            labels_later=model.labels_come_later,
        ),
    )


def _counts(context: Context) -> Mapping[str, int]:
    """The rows of each part, as they were split before anything was joined to them."""
    mine = (runs.c.model == context.model.name, runs.c.interval == context.interval.key)
    done = journal.newest_done(context.engine, context.case.name, ASSEMBLE, *mine)
    if done is None:
        raise CheckFailed(f"{context.case.name} has assembled nothing for {context.interval}")
    return done.outcome.rows
