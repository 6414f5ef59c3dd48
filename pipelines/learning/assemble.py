"""Labelled decisions with all that was known at each: one training set, its versions pinned."""

import logging
from typing import TYPE_CHECKING

from pipelines.core.errors import NothingDue
from pipelines.core.outcomes import Assembled, Outcome
from pipelines.core.stage import Context
from pipelines.learning import inputs
from pipelines.stores import delta, spark
from pipelines.stores.delta import instant
from pipelines.use_cases.spec.model import DECISIONS, LABELS, Split

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

log = logging.getLogger(__name__)


def run(context: Context) -> Outcome[Assembled]:
    """Build the training set of the interval's end, its cutoff.

    Raises:
        NothingDue: the history is too short to learn from.
        CheckFailed: a table is not published up to the cutoff, or the join lost or made rows.
    """
    case, model = context.case, context.model
    split = model.split(context.interval.end)
    spark.compile_expressions(context.spark, (split.cutoff - split.training_from).days)
    asked = labelled(context, split).localCheckpoint()
    rows = _rows(asked)
    if not rows.get("training") or not rows.get("validation"):
        raise NothingDue(
            f"{case.name}.{model.name} has {rows or 'no'} labelled decisions up to "
            f"{split.cutoff:%Y-%m-%d}: training needs more than "
            f"{model.validation_days + model.evaluation_days} days"
        )
    build = case.build_table("gold", model.training_set)
    with inputs.as_known(context, asked) as known:
        delta.save(context.spark, known, build, anew=True)
    num_out = context.lake.num_rows(build)
    inputs.require_rows("training set", sum(rows.values()), num_out)
    version = context.built("gold", model.training_set)
    _drop_joined(context)
    log.info("training set: %s", ", ".join(f"{count:,} {part}" for part, count in rows.items()))
    details = Assembled(split={key: str(at) for key, at in vars(split).items()})
    return Outcome(
        rows=rows, writes={case.table("gold", model.training_set): version}, details=details
    )


def _drop_joined(context: Context) -> None:
    """Drop a second copy of the rows, which earlier versions kept to join fewer the next night.

    Nobody reads it any more. A case of today may have a table of that name: that one stays.
    """
    name = "joined"
    joined = context.case.build_table("gold", name)
    if name not in context.case.tables("gold") and context.lake.newest(joined) is not None:
        context.spark.sql(f"drop table if exists {joined}")


def labelled(context: Context, split: Split) -> "DataFrame":
    """The decisions whose outcome was known by the cutoff, each with its part of the split.

    Of a label that was corrected the newest version known by then counts. Rows between two parts,
    decided in one and known in the next, are in neither.
    """
    label = context.model.label
    decisions, labels = (context.read_known("gold", name) for name in (DECISIONS, LABELS))
    key = ", ".join(f"`{name}`" for name in context.model.row_key)
    span = f"known_at >= {instant(split.training_from)} and known_at < {instant(split.cutoff)}"
    return context.spark.sql(f"""
        with known as (
            select {key}, max_by(`{label}`, known_at) as `{label}`,
                   min(known_at) as label_known_at
            from {labels}
            where {span} and `{label}` is not null
            group by {key}
        )
        select * from (
            select asked.*, known.`{label}`, label_known_at, {_part_of(split)} as part
            from (select * from {decisions} where {span}) as asked inner join known using ({key})
        )
        where part is not null
    """)


def _part_of(split: Split) -> str:
    cases = (
        f"when asked.known_at >= {instant(start)} and asked.known_at < {instant(end)}"
        f" and label_known_at < {instant(end)} then '{part}'"
        for part, (start, end) in split.parts.items()
    )
    return f"case {' '.join(cases)} end"


def _rows(asked: "DataFrame") -> dict[str, int]:
    counted = asked.groupBy("part").count().orderBy("part").collect()
    return {row["part"]: int(row["count"]) for row in counted}
