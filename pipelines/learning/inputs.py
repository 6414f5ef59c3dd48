"""The inputs of a case's models, as known at each decision: for training and prediction alike."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipelines.core import cases
from pipelines.core.errors import CheckFailed
from pipelines.core.stage import Context
from pipelines.stores import feast, objects, spark
from pipelines.stores.delta import instants_predicate
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.model import DECISIONS

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyspark.sql import DataFrame

# Feast's name for the instant that states are asked of.
_AT = "event_timestamp"


def decisions(context: Context, interval: Interval) -> "DataFrame":
    """The published decisions of an interval, `(start, end]`."""
    table = context.read_known("gold", DECISIONS)
    return context.spark.sql(f"select * from {table} where {instants_predicate(interval)}")


@contextmanager
def as_known(context: Context, asked: "DataFrame") -> Iterator["DataFrame"]:
    """Decisions with all that the model may look at: states as known then, and what follows.

    Of a model that answers online, *then* is `Model.online_after_minutes` before each decision.
    The frame is to be read in the block; its rows are those of `asked`, which the caller should
    count. States are `<state>__<feature>` in it, without the case's name.

    Raises:
        CheckFailed: a state is not published up to the interval's end.
    """
    case = context.case
    for state in case.entity_states:
        context.read_known("gold", state.name)
    target = feast.store(context.settings, case.name, pinned=context.reads)
    before = context.model.online_after_minutes or 0
    then = asked.selectExpr("*", f"known_at - interval {before} minutes as {_AT}")
    joined = feast.point_in_time(target, then)
    if not joined.is_small:
        frame = joined.to_spark_df().drop(_AT)
        yield derived(case.name, frame.toDF(*_names(case.name, frame.columns)))
        return
    table = joined.to_arrow().drop_columns(_AT)
    known = cases.models(case.name).derive(
        table.rename_columns(_names(case.name, table.column_names))
    )
    # Stages of one lease take turns, so nobody else writes there.
    store = objects.artifacts(context.settings).below(
        f"handed/{case.name}/{context.model.name}/{context.stage.name}"
    )
    with spark.handed(context.spark, known, store, f"{context.attempt}.parquet") as frame:
        yield frame


def _names(case: str, columns: Sequence[str]) -> list[str]:
    """The columns of a join without the case's name."""
    return [name.removeprefix(f"{case}_") for name in columns]


def derived(case: str, frame: "DataFrame") -> "DataFrame":
    """What the case's models compute of a row's own columns, by Arrow batch on Spark's workers."""
    import pyarrow as pa
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

    derive = cases.models(case).derive
    empty: Any = to_arrow_schema(frame.schema, timezone="UTC").empty_table()
    schema = from_arrow_schema(derive(empty).schema)

    def batches(parts: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        for part in parts:
            yield from derive(pa.Table.from_batches([part])).to_batches()

    return frame.mapInArrow(batches, schema)


def require_rows(what: str, expected: int, found: int) -> None:
    """Refuse a join that lost rows or made more of them.

    Raises:
        CheckFailed: it did.
    """
    if expected != found:
        raise CheckFailed(
            f"{what}: {expected:,} rows went in, {found:,} came out; an entity state is published "
            "twice for one instant, or lost: run validate of its interval again"
        )
