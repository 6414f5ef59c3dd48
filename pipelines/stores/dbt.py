"""dbt: one command for one case and one stretch of time, in this process and its Spark session."""

import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pipelines.core.errors import CheckFailed
from pipelines.core.settings import Settings
from pipelines.stores import compiled
from pipelines.stores.dbt_project import PROJECT
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import UseCase

if TYPE_CHECKING:
    from dbt.artifacts.schemas.results import NodeResult
    from dbt.artifacts.schemas.run import RunExecutionResult

log = logging.getLogger(__name__)

# Where models are written, unless somebody says another place.
BUILD = "build"


def models(
    settings: Settings,
    command: Sequence[str],
    case: UseCase,
    interval: Interval,
    sources: Mapping[str, str],
    schema: str = BUILD,
) -> "dict[str, NodeResult]":
    """`dbt build` or `dbt run` of one case and interval; what became of each model, by its table.

    Args:
        sources: what each table of bronze is read from, as SQL names it.
        schema: of the catalog, in which the models are written and read.

    Raises:
        CheckFailed: a model failed, or a data test found rows; the message names the first.
    """
    from dbt.contracts.graph.nodes import ModelNode

    done = run(settings, command, case, interval, sources=sources, schema=schema)
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


def run(
    settings: Settings,
    command: Sequence[str],
    case: UseCase,
    interval: Interval,
    *options: str,
    sources: Mapping[str, str] | None = None,
    schema: str = BUILD,
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
        "schema": schema,
    }
    ended = dbtRunner().invoke(
        [
            *("--quiet", "--log-level", "none", "--log-level-file", "info"),
            *("--no-populate-cache", "--log-path", str(_logs(settings))),
            *command,
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(target(settings, case, schema))),
            *("--select", f"path:models/{case.name}", *options),
            *("--vars", json.dumps(variables)),
        ]
    )
    if ended.exception is not None:
        said = _one_line(str(ended.exception))
        raise CheckFailed(f"dbt {' '.join(command)}: {said}") from ended.exception
    return ended.result


def digest(case: UseCase) -> str:
    """Of the files that a case's SQL depends on."""
    return compiled.project_digest(PROJECT, case.name)


def target(settings: Settings, case: UseCase, schema: str = BUILD) -> Path:
    """Where dbt writes what it compiles and generates; of each schema apart."""
    return settings.scratch("dbt") / (case.name if schema == BUILD else schema)


def _logs(settings: Settings) -> Path:
    return settings.logs / "dbt"


def _failure(result: "NodeResult") -> str:
    """One line on what went wrong with a model or a data test."""
    if result.failures:
        return f"data test {result.node.name} found {result.failures} rows that break it"
    return f"{result.node.resource_type} {result.node.name}: {_one_line(result.message or '')}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
