"""The inputs of a case's model, as known at each decision: for training and prediction alike."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pipelines.core import cases
from pipelines.core.errors import CheckFailed
from pipelines.core.stage import Context
from pipelines.stores import feast, feast_history
from pipelines.stores.delta import instants_predicate
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.training import DECISIONS

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyspark.sql import DataFrame


def decisions(context: Context, interval: Interval) -> "DataFrame":
    """The published decisions of an interval, `(start, end]`."""
    table = context.read_known("gold", DECISIONS)
    return context.spark.sql(f"select * from {table} where {instants_predicate(interval)}")


def as_known(context: Context, asked: "DataFrame") -> "DataFrame":
    """Decisions with all that the model may look at: states as known then, and what follows.

    The frame is lazy.

    Raises:
        CheckFailed: see `pipelines.stores.feast_history.point_in_time`.
    """
    return derived(context.case.name, states_known(context, asked))


def states_known(context: Context, asked: "DataFrame") -> "DataFrame":
    """Decisions with the entity states as known then, `<state>__<feature>` without the case's name.

    The frame is lazy.

    Raises:
        CheckFailed: a state is not published up to the interval's end.
    """
    case = context.case
    _ = context.spark  # Feast takes the session that there is.
    sources = {
        f"{case.name}_{state.name}": context.read_known("gold", state.name)
        for state in case.entity_states
    }
    target = feast.store(context.settings, case.name)
    joined = feast_history.point_in_time(target, sources, asked)
    return joined.toDF(*(name.removeprefix(f"{case.name}_") for name in joined.columns))


def definitions(context: Context) -> str:
    """A digest of the feature definitions that `states_known` joins by."""
    return feast.applied_digest(feast.store(context.settings, context.case.name)) or ""


def derived(case: str, frame: "DataFrame") -> "DataFrame":
    """What the case's model computes of a row's own columns, by Arrow batch on Spark's workers."""
    import pyarrow as pa
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

    derive = cases.model(case).derive
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
