"""Answer an interval's batch decisions by the champion; what was said is never erased."""

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pipelines.core import cases
from pipelines.core.errors import NothingDue
from pipelines.core.outcomes import Outcome, Predicted
from pipelines.core.stage import Context
from pipelines.learning import artifacts, champion, inputs
from pipelines.stores import delta
from pipelines.use_cases.spec.training import PREDICTIONS

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyspark.sql import DataFrame

log = logging.getLogger(__name__)


def run(context: Context) -> Outcome[Predicted]:
    """Score the decisions of the interval that are answered in batch, on Spark's workers.

    A decision that this version has answered before keeps its answer.

    Raises:
        NothingDue: there is no champion yet, or nothing to decide.
        CheckFailed: states or decisions are not published up to the interval's end.
    """
    case = context.case
    now = champion.current(context.engine, case.name)
    if now is None:
        raise NothingDue(f"{case.name} has no champion yet; train and promote one")
    champion.align_alias(context.settings, context.engine, case.name)
    asked = inputs.decisions(context, context.interval).where("is_batch").localCheckpoint()
    num_asked = asked.count()
    if not num_asked:
        raise NothingDue(f"{case.name} has no batch decisions in {context.interval}")
    with inputs.as_known(context, asked) as known:
        answers = _scored(context, known, now.version).localCheckpoint()
    inputs.require_rows("predict", num_asked, answers.count())
    context.reset_build("gold", (PREDICTIONS,), replaces=False)
    context.make_plain("gold", PREDICTIONS)
    build = case.build_table("gold", PREDICTIONS)
    key = (*context.training.row_key, "decided_at", "model_version")
    num_new = delta.append_new(context.spark, answers, build, key, "decided_date")
    version = context.built("gold", PREDICTIONS)
    log.info("version %d answers %d decisions, %d anew", now.version, num_asked, num_new)
    return Outcome(
        rows={"decisions": num_asked, "new": num_new},
        writes={case.table("gold", PREDICTIONS): version},
        details=Predicted(model_version=now.version),
    )


def _scored(context: Context, rows: "DataFrame", version: int) -> "DataFrame":
    """Row key, instant, answer, and the inputs it was given for: what monitoring looks at."""
    columns = cases.model(context.case.name).MODEL.columns
    score = scorer(artifacts.of_version(context.settings, context.case.name, version))
    names = [*context.training.row_key, "known_at", *columns.inputs]
    names = list(dict.fromkeys(names))
    picked = rows.select(*names)
    schema = ", ".join(f"`{name}` {kind}" for name, kind in picked.dtypes) + ", probability float"
    scored = picked.mapInArrow(score, schema)
    return scored.selectExpr(
        *(f"`{name}`" for name in context.training.row_key),
        "known_at as decided_at",
        f"bigint({version}) as model_version",
        "probability",
        "current_timestamp() as predicted_at",
        "to_date(known_at - interval 1 microsecond) as decided_date",
        *(f"`{name}`" for name in columns.inputs if name not in context.training.row_key),
    )


def scorer(
    file: artifacts.ModelFile,
) -> "Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]":
    """What a worker does: it opens the model at its address, and adds each row's probability."""

    def score(parts: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        import pyarrow as pa

        model = artifacts.load(file)
        for part in parts:
            table = pa.Table.from_batches([part])
            scored = table.append_column("probability", pa.array(model.score(table)))
            yield from scored.to_batches()

    return score
