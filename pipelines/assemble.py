"""Labelled decisions with all that was known at each: one training set, its versions pinned."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from pipelines import inputs
from pipelines.errors import NothingDue
from pipelines.stage import Context, Outcome
from pipelines.stores import delta
from pipelines.stores.delta import instant
from pipelines.use_cases.interval import Interval
from pipelines.use_cases.training import DECISIONS, LABELS, TRAINING_SET, Split, Training

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

log = logging.getLogger(__name__)

# Feast joins by entity and compares the times of all pairs: of 90 days at once 1.4 billion for
# each airport's quarter hours. In stretches it only reads the states of each.
_CHUNK_DAYS = 20


def run(context: Context) -> Outcome:
    """Build the training set of the interval's end, its cutoff.

    Raises:
        NothingDue: the history is too short to learn from.
        CheckFailed: a table is not published up to the cutoff, or the join lost or made rows.
    """
    case, training = context.case, context.training
    split = training.split(context.interval.end)
    reads = {
        case.table("gold", name): context.require_published("gold", name)
        for name in (*(state.name for state in case.entity_states), DECISIONS, LABELS)
    }
    asked = labelled(context, training, split).localCheckpoint()
    rows = _rows(asked)
    if not rows.get("training") or not rows.get("validation"):
        raise NothingDue(
            f"{case.name} has {rows or 'no'} labelled decisions up to {split.cutoff:%Y-%m-%d}: "
            f"training needs more than {training.validation_days + training.evaluation_days} days"
        )
    build = case.build_table("gold", TRAINING_SET)
    for number, chunk in enumerate(chunks(split)):
        joined = inputs.as_known(context, asked.where(chunk))
        delta.save(context.spark, joined, build, anew=number == 0)
    version = delta.version(context.spark, build)
    built = f"{build} version as of {version}"
    num_out = delta.count(context.spark, build, version)
    inputs.require_rows("point-in-time join", sum(rows.values()), num_out)
    context.built("gold", TRAINING_SET, version)
    context.publish({"gold": {TRAINING_SET: version}})
    log.info("training set: %s", ", ".join(f"{count:,} {part}" for part, count in rows.items()))
    digest = delta.digest(context.spark, built)
    return Outcome(
        rows=rows,
        reads=reads,
        writes={case.table("gold", TRAINING_SET): version},
        details={"digest": digest, "split": {key: str(at) for key, at in vars(split).items()}},
    )


def labelled(context: Context, training: Training, split: Split) -> "DataFrame":
    """The decisions whose outcome was known by the cutoff, each with its part of the split.

    Of a label that was corrected the newest version known by then counts. Rows between two parts,
    decided in one and known in the next, are in neither.
    """
    table = context.case.table("gold", LABELS)
    key = ", ".join(f"`{name}`" for name in training.row_key)
    span = Interval(split.training_from, split.cutoff, context.interval.key)
    inputs.decisions(context, span).createOrReplaceTempView("asked")
    return context.spark.sql(f"""
        with known as (
            select {key}, max_by(`{training.label}`, known_at) as label,
                   min(known_at) as label_known_at
            from {table}
            where known_at < {instant(split.cutoff)} and `{training.label}` is not null
            group by {key}
        )
        select asked.*, known.label as `{training.label}`, label_known_at,
               {_part_of(split)} as part
        from asked inner join known using ({key})
        where {_part_of(split)} is not null
    """)


def chunks(split: Split) -> Iterator[str]:
    """Predicates that part the decisions into stretches of `_CHUNK_DAYS`, oldest first."""
    start = split.training_from
    while start < split.cutoff:
        end = min(start + timedelta(days=_CHUNK_DAYS), split.cutoff)
        yield f"known_at >= {instant(start)} and known_at < {instant(end)}"
        start = end


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
