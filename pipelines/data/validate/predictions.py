"""The predictions of an interval: every batch decision answered once, by a probability."""

from collections.abc import Iterator

from expectations.suites import predictions_suite
from pipelines.core.errors import NothingDue
from pipelines.core.outcomes import Outcome, Validated
from pipelines.core.stage import Context
from pipelines.data.validate.check import Check
from pipelines.data.validate.job import publish_proven
from pipelines.learning import champion
from pipelines.stores.delta import instant, instants_predicate
from pipelines.use_cases.spec.training import DECISIONS, PREDICTIONS


def run(context: Context) -> Outcome[Validated]:
    """Prove the interval's newest answers, and publish them."""
    return publish_proven(context, checks(context))


def checks(context: Context) -> Iterator[Check]:
    """One check: the answers that the interval's last predict gave.

    Its version counts, not the champion of this moment: another may be promoted in between.
    """
    case, spark = context.case, context.spark
    answered = champion.answered(context.engine, case.name, context.interval.key)
    if answered is None:
        raise NothingDue(f"{case.name} has predicted nothing for {context.interval}")
    answered_by = answered.details.model_version
    decisions = answered.reads[case.table("gold", DECISIONS)]
    version = context.built_version("gold", PREDICTIONS)
    built = f"{case.build_table('gold', PREDICTIONS)} version as of {version}"
    start, end = context.interval.start, context.interval.end
    dates = f"decided_date between date'{start:%Y-%m-%d}' and date'{context.interval.last_date}'"
    within = f"decided_at > {instant(start)} and decided_at <= {instant(end)}"
    asked = (
        f"select * from {context.read_version('gold', DECISIONS, decisions)} "
        f"where {instants_predicate(context.interval)} and is_batch"
    )
    yield Check(
        layer="gold",
        name=PREDICTIONS,
        version=version,
        frame=spark.sql(
            f"select * from {built} where {dates} and {within} and model_version = {answered_by}"
        ),
        expectations=predictions_suite(context.training.row_key, spark.sql(asked).count()),
    )
