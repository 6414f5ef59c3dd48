"""The stage `transform`: published bronze into silver and gold, by one dbt invocation."""

import json
import logging
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pipelines.core.errors import CheckFailed
from pipelines.core.outcomes import Outcome, Transformed
from pipelines.core.settings import Settings
from pipelines.core.stage import Context
from pipelines.data.transform import docs
from pipelines.stores import compiled, delta, objects
from pipelines.stores.compiled import CompiledModel
from pipelines.stores.dbt_project import PROJECT
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Layer, UseCase

if TYPE_CHECKING:
    from dbt.artifacts.schemas.results import NodeResult
    from dbt.artifacts.schemas.run import RunExecutionResult

log = logging.getLogger(__name__)

LAYERS: tuple[Layer, ...] = ("silver", "gold")


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
    models = build(context.settings, case, context.interval, sources)
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
    digest = compiled.project_digest(PROJECT, case.name)
    compiled.keep(objects.lineage(settings), case.name, digest, compiled_models(case, models))
    reports = objects.reports(settings)
    if not docs.is_kept(reports, case.name, digest):
        # Of what was just compiled, without asking the engine about each table.
        options = ("--static", "--no-compile", "--empty-catalog")
        dbt(settings, ("docs", "generate"), case, context.interval, *options)
        page = target(settings, case) / "static_index.html"
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


def build(
    settings: Settings, case: UseCase, interval: Interval, sources: Mapping[str, str]
) -> dict[str, "NodeResult"]:
    """`dbt build` of one case and interval; what became of each model, by its table.

    Args:
        sources: what each table of bronze is read from, as SQL names it: a pinned version.

    Raises:
        CheckFailed: a model failed, or a data test found rows; the message names the first.
    """
    from dbt.contracts.graph.nodes import ModelNode

    done = dbt(settings, ("build",), case, interval, "--exclude", "test_type:unit", sources=sources)
    ended = cast("RunExecutionResult", done).results
    for result in ended:
        if result.status == "warn":
            log.warning("%s", _failure(result))
    failed = [result for result in ended if result.status in ("error", "fail")]
    if failed:
        more = f" (and {len(failed) - 1} more)" if failed[1:] else ""
        raise CheckFailed(f"{_failure(failed[0])}{more}; see {_logs(settings) / 'dbt.log'}")
    return {
        f"{node.schema}.{node.alias}": result
        for result in ended
        if isinstance(node := result.node, ModelNode)
    }


def dbt(
    settings: Settings,
    command: Sequence[str],
    case: UseCase,
    interval: Interval,
    *options: str,
    sources: Mapping[str, str] | None = None,
) -> object:
    """Run one dbt command for one case and interval; what dbt calls its result.

    Raises:
        CheckFailed: dbt itself could not start, such as after a mistake in a YAML file.
    """
    from dbt.cli.main import dbtRunner

    # dbt-spark asks for Hive at each statement, which Connect answers with a warning.
    warnings.filterwarnings("ignore", module=r"pyspark\..*|dbt.*")
    variables = {
        "case": case.name,
        "interval_start": interval.start.isoformat(),
        "interval_end": interval.end.isoformat(),
        "sources": dict(sources or {}),
    }
    ended = dbtRunner().invoke(
        [
            *("--quiet", "--log-level", "none", "--log-level-file", "info"),
            *("--no-populate-cache", "--log-path", str(_logs(settings))),
            *command,
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(target(settings, case))),
            *("--select", f"path:models/{case.name}", *options),
            *("--vars", json.dumps(variables)),
        ]
    )
    if ended.exception is not None:
        said = _one_line(str(ended.exception))
        raise CheckFailed(f"dbt {' '.join(command)}: {said}") from ended.exception
    return ended.result


def target(settings: Settings, case: UseCase) -> Path:
    """Where dbt writes what it compiles and generates."""
    return settings.scratch("dbt") / case.name


def _logs(settings: Settings) -> Path:
    return settings.logs / "dbt"


def _failure(result: "NodeResult") -> str:
    """One line on what went wrong with a model or a data test."""
    if result.failures:
        return f"data test {result.node.name} found {result.failures} rows that break it"
    return f"{result.node.resource_type} {result.node.name}: {_one_line(result.message or '')}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]


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
