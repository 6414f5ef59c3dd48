"""Judge tables by Great Expectations; publish them only if all of them pass."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import insert

from pipelines.core import journal
from pipelines.core.errors import CheckFailed
from pipelines.core.outcomes import Outcome, Validated
from pipelines.core.stage import Context
from pipelines.data.validate.check import Check, Verdict, judge
from pipelines.stores import gx, gx_docs, objects

if TYPE_CHECKING:
    from pipelines.use_cases.spec.use_case import Layer

log = logging.getLogger(__name__)

# Where each table's page of Data Docs is below the reports, once they are built.
Pages: TypeAlias = Mapping[str, str]


def publish_proven(context: Context, asked: Iterable[Check]) -> Outcome[Validated]:
    """Judge every table, keep the verdicts, and publish the proven versions.

    Raises:
        CheckFailed: a table failed, or holds another interval's work; nothing was published.
    """
    checks = list(asked)
    verdicts, pages = _judged(context, checks)
    _record(context, checks, verdicts, pages)
    _refuse(context, verdicts)
    proven: dict[Layer, dict[str, int]] = {}
    for check in checks:
        proven.setdefault(check.layer, {})[check.name] = check.version
    context.publish(proven)
    versions = {context.case.table(check.layer, check.name): check.version for check in checks}
    return Outcome(
        reads=versions,
        writes=versions,
        details=Validated(
            states={verdict.table: verdict.state for verdict in verdicts},
            warnings=[f"{v.table}: {found}" for v in verdicts for found in v.warnings],
        ),
    )


def _judged(context: Context, checks: Sequence[Check]) -> tuple[Sequence[Verdict], Pages]:
    """The verdicts in the checks' order, and where each table's page of Data Docs will be."""
    table = context.case.table
    batches = [
        gx.Batch(table(check.layer, check.name), check.frame, check.expectations)
        for check in checks
    ]
    kept = gx_docs.Kept(context.case.name, context.interval)
    with TemporaryDirectory(prefix="millrace-") as folder:
        run = Path(folder).resolve()
        name = kept.run_name(_layer(context), context.attempt)
        results = gx.validate(gx.open_context(run), batches, name)
        pages = gx_docs.keep(run, objects.reports(context.settings), kept)
    return [judge(name, result) for name, result in results.items()], pages


def _layer(context: Context) -> str:
    """What is checked: raw, features, training_set or predictions."""
    return context.stage.name.removeprefix("validate_")


def _record(
    context: Context,
    checks: Sequence[Check],
    verdicts: Sequence[Verdict],
    pages: Pages,
) -> None:
    rows = [
        {
            "case_name": context.case.name,
            "layer": check.layer,
            "table_name": verdict.table,
            "interval": context.interval.key,
            "attempt": context.attempt,
            "passed": verdict.state,
            "statistics": {**verdict.statistics, "version": check.version},
            "results": [asdict(finding) for finding in verdict.findings],
            "page": pages.get(verdict.table),
        }
        for check, verdict in zip(checks, verdicts, strict=True)
    ]
    with context.engine.begin() as connection:
        connection.execute(insert(journal.validations), rows)
    for verdict in verdicts:
        log.info("%s: %s", verdict.table, verdict.state)
        for found in (*verdict.failures, *verdict.warnings):
            log.warning("  %s", found)


def _refuse(context: Context, verdicts: Sequence[Verdict]) -> None:
    failed = [verdict for verdict in verdicts if verdict.state == "failed"]
    if failed:
        said = "; ".join(f"{v.table}: {found}" for v in failed for found in v.failures)
        raise CheckFailed(
            f"{context.case.name} {_layer(context)} of {context.interval} was not published: "
            f"{said}; Airflow shows all findings under Millrace, Validation"
        )
