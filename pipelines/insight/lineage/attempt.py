"""A stage run's lineage, gathered from the runner's facts and the journal's."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from openlineage.client.event_v2 import InputDataset, OutputDataset
from sqlalchemy import Engine, select

from pipelines.core import journal
from pipelines.core.journal import published, runs, validations
from pipelines.core.outcomes import Outcome
from pipelines.core.registry import Stage
from pipelines.core.settings import Settings
from pipelines.insight.lineage import emit, kept
from pipelines.insight.lineage.datasets import Describer, Noted, Places
from pipelines.insight.lineage.events import StageRun
from pipelines.stores import objects
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import UseCase


def reported(
    settings: Settings,
    engine: Engine,
    case: UseCase,
    stage: Stage[Any],
    interval: Interval,
    attempt: int,
    *,
    options: Mapping[str, str],
) -> AbstractContextManager[None]:
    """Events of an attempt whose row the journal has: START on entering, its end on leaving."""
    row = _row(engine, attempt)
    run = StageRun(
        namespace=settings.lineage_namespace,
        case=case.name,
        stage=stage,
        interval=interval,
        attempt=attempt,
        started_at=row.started_at,
        code_version=row.code_version,
        options=options,
        airflow_run=row.airflow_run,
        model=row.model if len(case.models) > 1 else None,
    )

    def datasets() -> tuple[list[InputDataset], list[OutputDataset]]:
        known = kept.case_lineage(settings, engine, case)
        places = Places(run.namespace, objects.landing(settings).root, settings.mlflow_uri)
        found = _noted(engine, stage, attempt)
        describer = Describer(case, known, places, stage, interval, found, row.model)
        return describer.inputs(), describer.outputs()

    return emit.reported(run, settings.home / "lineage", datasets)


def _row(engine: Engine, attempt: int) -> Any:
    with engine.connect() as connection:
        return connection.execute(select(runs).where(runs.c.attempt == attempt)).one()


def _noted(engine: Engine, stage: Stage[Any], attempt: int) -> Noted:
    """What the journal says of an attempt: its result, its checks, its publications."""
    checks = select(validations).where(validations.c.attempt == attempt)
    noted = select(published).where(published.c.attempt == attempt)
    with engine.connect() as connection:
        checked = connection.execute(checks).all()
        proven = connection.execute(noted).all()
    result = _row(engine, attempt).result
    return Noted(
        outcome=journal.parsed(stage, result) if result else Outcome(details=None),
        checked={row.table_name: (row.statistics["version"], row.results) for row in checked},
        published={row.table_name: row.rows for row in proven},
    )
