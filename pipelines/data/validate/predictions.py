"""The predictions of an interval: every batch decision answered once, as its task says."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from expectations.rules import Between, NotNull, Ordered, Rule
from expectations.suites import predictions_suite
from pipelines.core import cases
from pipelines.core.errors import NothingDue
from pipelines.core.outcomes import Outcome, Validated
from pipelines.core.stage import Context
from pipelines.data.validate.check import Check
from pipelines.data.validate.job import publish_proven
from pipelines.data.validate.levels import level_rules, off_levels
from pipelines.learning import champion
from pipelines.stores.delta import instant, instants_predicate
from pipelines.use_cases.spec.model import DECISIONS

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]


def run(context: Context) -> Outcome[Validated]:
    """Prove the interval's newest answers, and publish them."""
    return publish_proven(context, checks(context))


def checks(context: Context) -> Iterator[Check]:
    """One check: the answers that the interval's last predict gave.

    Its version counts, not the champion of this moment: another may be promoted in between.
    """
    case, model, spark = context.case, context.model, context.spark
    answered = champion.answered(context.engine, case.name, model.name, context.interval.key)
    if answered is None:
        raise NothingDue(f"{case.name}.{model.name} has predicted nothing for {context.interval}")
    answered_by = answered.details.model_version
    decisions = answered.reads[case.table("gold", DECISIONS)]
    version = context.built_version("gold", model.predictions)
    built = f"{case.build_table('gold', model.predictions)} version as of {version}"
    start, end = context.interval.start, context.interval.end
    dates = f"decided_date between date'{start:%Y-%m-%d}' and date'{context.interval.last_date}'"
    within = f"decided_at > {instant(start)} and decided_at <= {instant(end)}"
    asked = (
        f"select * from {context.read_version('gold', DECISIONS, decisions)} "
        f"where {instants_predicate(context.interval)} and is_batch"
    )
    task = cases.model(case.name, model).task
    answers = spark.sql(
        f"select *{off_levels(task.levels)} from {built} "
        f"where {dates} and {within} and model_version = {answered_by}"
    )
    rules = [*answer_rules(task.answer), *level_rules(task.levels)]
    yield Check(
        layer="gold",
        name=model.predictions,
        version=version,
        frame=answers,
        expectations=predictions_suite(model.row_key, rules, spark.sql(asked).count()),
    )


def answer_rules(answer: "pa.Schema") -> list[Rule]:
    """What every answer must satisfy: the bounds of its fields."""
    from models.tasks.fields import limit_of, said_of

    rules: list[Rule] = []
    for field in answer:
        low, high = (limit_of(field, end) for end in ("low", "high"))
        meaning, other = said_of(field, "meaning") or field.name, said_of(field, "not_above")
        rules.append(NotNull(field.name, because=meaning))
        if low is not None or high is not None:
            ends = {name: at for name, at in (("min", low), ("max", high)) if at is not None}
            rules.append(Between(field.name, **ends, because=meaning))
        if other is not None:
            rules.append(Ordered(field.name, other, because=f"{meaning}: never above {other}"))
    return rules
