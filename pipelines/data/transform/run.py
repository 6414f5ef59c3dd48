"""The stage `transform`: published bronze into silver and gold, by one dbt invocation."""

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pipelines.core.outcomes import Outcome, Transformed
from pipelines.core.stage import Context
from pipelines.data.transform import docs
from pipelines.stores import compiled, dbt, delta, objects
from pipelines.stores.compiled import CompiledModel
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Layer, UseCase

if TYPE_CHECKING:
    from dbt.artifacts.schemas.results import NodeResult

log = logging.getLogger(__name__)

LAYERS: tuple[Layer, ...] = ("silver", "gold")
# The unit tests of dbt are a developer's: they need no table.
_BUILD = ("build", "--exclude", "test_type:unit")


def run(context: Context) -> Outcome[Transformed]:
    """Build the interval's rows of every silver and gold table, and test them.

    Raises:
        CheckFailed: bronze is not published that far, a model failed, or a data test found rows.
    """
    case = context.case
    sources = {
        f"{case.name}_{name}": context.read_known("bronze", name) for name in case.tables("bronze")
    }
    for layer in LAYERS:
        context.reset_build(layer, case.tables(layer), replaces=True)
    _ = context.spark  # dbt takes the session that there is, or starts an engine of its own.
    models = dbt.models(context.settings, _BUILD, case, context.interval, sources)
    rows = _rows_of_interval(context, models)
    writes = {}
    for layer in LAYERS:
        for name in case.tables(layer):
            table, built = case.table(layer, name), case.build_table(layer, name)
            writes[table] = context.built(layer, name)
            seconds = models[built].execution_time
            log.info("%-44s %9s rows %6.1f s", table, f"{rows[table]:,}", seconds)
    digest = _kept(context, models.values())
    return Outcome(rows=rows, writes=writes, details=Transformed(compiled=digest))


def _kept(context: Context, models: Iterable["NodeResult"]) -> str:
    """Keep what was compiled, for lineage, and dbt's pages; the digest that they are kept by."""
    settings, case = context.settings, context.case
    digest = dbt.digest(case)
    compiled.keep(objects.lineage(settings), case.name, digest, compiled_models(case, models))
    reports = objects.reports(settings)
    if not docs.is_kept(reports, case.name, digest):
        # Of what was just compiled, without asking the engine about each table.
        options = ("--static", "--no-compile", "--empty-catalog")
        dbt.run(settings, ("docs", "generate"), case, context.interval, *options)
        page = dbt.target(settings, case) / "static_index.html"
        docs.keep(reports, case.name, digest, page)
    return digest


def compiled_models(case: UseCase, results: Iterable["NodeResult"]) -> list[CompiledModel]:
    """The SQL of each model as dbt ran it, by the name of its published table."""
    published = {
        case.build_table(layer, name): case.table(layer, name)
        for layer in LAYERS
        for name in case.tables(layer)
    }
    nodes: list[Any] = [result.node for result in results]
    return [
        CompiledModel(
            table=published[name],
            description=node.description,
            sql=node.compiled_code,
            columns={column.name: column.data_type for column in node.columns.values()},
        )
        for node in nodes
        if (name := f"{node.schema}.{node.alias}") in published
    ]


def _rows_of_interval(context: Context, models: Mapping[str, "NodeResult"]) -> dict[str, int]:
    """How many rows of the interval each published table will have, counted in one query."""
    case = context.case
    counts = [
        f"select '{case.table(layer, name)}' as name, count(*) as rows from {built} where "
        + rows_of_interval(models[built].node.config.meta, context.interval)
        for layer in LAYERS
        for name in case.tables(layer)
        if (built := case.build_table(layer, name))
    ]
    counted = context.spark.sql(" union all ".join(counts)).collect()
    return {row["name"]: int(row["rows"]) for row in counted}


def rows_of_interval(meta: Mapping[str, Any], interval: Interval) -> str:
    """Which rows of a model are the interval's; the macro of the same name says the same."""
    if meta.get("snapshot"):
        return "true"
    at_instants = meta.get("step_minutes") or meta.get("instants")
    predicate = delta.instants_predicate if at_instants else delta.partition_predicate
    return predicate(interval)
