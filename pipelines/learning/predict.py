"""Answer an interval's batch decisions by the champion; what was said is never erased."""

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pipelines.core import cases
from pipelines.core.errors import NothingDue
from pipelines.core.outcomes import Outcome, Predicted
from pipelines.core.stage import Context
from pipelines.learning import champion, inputs, registry
from pipelines.stores import delta, spark

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyspark.sql import DataFrame

    from models.tasks import Task

log = logging.getLogger(__name__)


def run(context: Context) -> Outcome[Predicted]:
    """Score the decisions of the interval that are answered in batch, on Spark's workers.

    A decision that this version has answered before keeps its answer.

    Raises:
        NothingDue: there is no champion yet, or nothing to decide.
        CheckFailed: states or decisions are not published up to the interval's end, or an answer
            is none of the task; nothing is written then.
    """
    case, model = context.case, context.model
    now = champion.current(context.engine, case.name, model.name)
    if now is None:
        raise NothingDue(f"{case.name}.{model.name} has no champion yet; train and promote one")
    champion.align_alias(context)
    asked = inputs.decisions(context, context.interval).where("is_batch").localCheckpoint()
    num_asked = asked.count()
    if not num_asked:
        raise NothingDue(f"{case.name} has no batch decisions in {context.interval}")
    answering = f"version {now.version} of {case.name}.{model.name}"
    with inputs.as_known(context, asked) as known, spark.in_words(answering):
        answers = _scored(context, known, now.version).localCheckpoint()
    inputs.require_rows("predict", num_asked, answers.count())
    context.reset_build("gold", (model.predictions,), replaces=False)
    context.make_plain("gold", model.predictions)
    build = case.build_table("gold", model.predictions)
    key = (*model.row_key, "decided_at", "model_version")
    num_new = delta.append_new(context.spark, answers, build, key, "decided_date")
    version = context.built("gold", model.predictions)
    log.info("version %d answers %d decisions, %d anew", now.version, num_asked, num_new)
    return Outcome(
        rows={"decisions": num_asked, "new": num_new},
        writes={case.table("gold", model.predictions): version},
        details=Predicted(model_version=now.version),
    )


def _scored(context: Context, rows: "DataFrame", version: int) -> "DataFrame":
    """Row key, instant, answer, and the inputs it was given for: what monitoring looks at."""
    spec, row_key = cases.model(context.case.name, context.model), context.model.row_key
    score = scorer(registry.address(context.settings, context.case, context.model, version))
    names = dict.fromkeys([*row_key, "known_at", *spec.task.together, *spec.columns.inputs])
    scored = _by_workers(rows.select(*names), spec.task, score)
    return scored.selectExpr(
        *(f"`{name}`" for name in row_key),
        "known_at as decided_at",
        f"bigint({version}) as model_version",
        *(f"`{name}`" for name in spec.task.answer.names),
        "current_timestamp() as predicted_at",
        "to_date(known_at - interval 1 microsecond) as decided_date",
        *(f"`{name}`" for name in spec.columns.inputs if name not in row_key),
    )


def _by_workers(rows: "DataFrame", task: "Task", score: "Score") -> "DataFrame":
    """The rows with their answers; those that are scored together at once."""
    import pyarrow as pa
    from pyspark.sql.pandas.types import from_arrow_schema

    added = from_arrow_schema(task.answer).fields
    schema = type(rows.schema)([*rows.schema.fields, *added])
    if not task.together:
        return rows.mapInArrow(score, schema)

    def scored(rows: "pa.Table") -> "pa.Table":
        return pa.Table.from_batches(score(iter(rows.combine_chunks().to_batches())))

    return rows.groupBy(*task.together).applyInArrow(scored, schema)


Score = Callable[[Iterator["pa.RecordBatch"]], Iterator["pa.RecordBatch"]]


def scorer(place: registry.Address) -> Score:
    """What a worker does: it opens the model at its address, and adds each row's answer."""

    def score(parts: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        import pyarrow as pa

        model = registry.opened(place)
        for part in parts:
            table = pa.Table.from_batches([part])
            answer = model.score(table)
            for field in answer.schema:
                table = table.append_column(field, answer[field.name])
            yield from table.to_batches()

    return score
