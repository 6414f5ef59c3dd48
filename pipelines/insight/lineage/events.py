"""OpenLineage events of one stage run: pure, from what the journal says of it.

Standard classes and facets only. A run's id is made of its attempt and start, so that START and
its end are of one run, and whoever knows the journal's row knows the id.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.generated.base import JobFacet, RunFacet, set_producer
from openlineage.client.generated.documentation_job import DocumentationJobFacet
from openlineage.client.generated.error_message_run import ErrorMessageRunFacet
from openlineage.client.generated.job_type_job import JobTypeJobFacet
from openlineage.client.generated.nominal_time_run import NominalTimeRunFacet
from openlineage.client.generated.parent_run import Job as ParentJob
from openlineage.client.generated.parent_run import ParentRunFacet, Root, RootJob, RootRun
from openlineage.client.generated.parent_run import Run as ParentRun
from openlineage.client.generated.processing_engine_run import ProcessingEngineRunFacet
from openlineage.client.generated.tags_run import TagsRunFacet, TagsRunFacetFields
from openlineage.client.uuid import generate_static_uuid

from pipelines.core.registry import Stage
from pipelines.use_cases.spec.interval import Interval

# Who says it; OpenLineage wants a URI here.
_PRODUCER = f"urn:millrace:{version('millrace')}"


@dataclass(frozen=True, kw_only=True)
class StageRun:
    """One attempt of a stage, as its events name it.

    Args:
        model: what the stage is about, where the case has several.
        airflow_run: `dag_id/run_id/task_id` where Airflow started it.
    """

    namespace: str
    case: str
    stage: Stage[Any]
    interval: Interval
    attempt: int
    started_at: datetime
    code_version: str
    options: Mapping[str, str] = field(default_factory=dict)
    airflow_run: str | None = None
    model: str | None = None

    @property
    def job(self) -> str:
        """Such as `flight_delays.ingest`, or `flight_delays.late.train`."""
        return ".".join(each for each in (self.case, self.model, self.stage.name) if each)

    @property
    def run_id(self) -> str:
        """Of the attempt and its start."""
        data = f"{self.namespace}/{self.case}/{self.attempt}".encode()
        return str(generate_static_uuid(self.started_at, data))


def event(
    stage: StageRun,
    state: RunState,
    at: datetime,
    *,
    inputs: Sequence[InputDataset] = (),
    outputs: Sequence[OutputDataset] = (),
    error: str | None = None,
) -> RunEvent:
    """One event of a stage run.

    Example:
        >>> from pipelines.core.registry import INGEST
        >>> stage = StageRun(
        ...     namespace="millrace", case="flight_delays", stage=INGEST, attempt=7,
        ...     interval=Interval.parse("2026-11-20"), code_version="0.1.0",
        ...     started_at=datetime(2026, 11, 21, tzinfo=UTC))
        >>> made = event(stage, RunState.START, stage.started_at)
        >>> made.job.name, made.run.facets["nominalTime"].nominalEndTime
        ('flight_delays.ingest', '2026-11-21T00:00:00Z')
    """
    set_producer(_PRODUCER)
    return RunEvent(
        eventType=state,
        eventTime=_instant(at),
        run=Run(runId=stage.run_id, facets=_run_facets(stage, error)),
        job=Job(namespace=stage.namespace, name=stage.job, facets=_job_facets(stage)),
        inputs=list(inputs),
        outputs=list(outputs),
        producer=_PRODUCER,
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _run_facets(stage: StageRun, error: str | None) -> dict[str, RunFacet]:
    engine = stage.stage.engine
    tags = {
        "attempt": str(stage.attempt),
        "code_version": stage.code_version,
        "interval": stage.interval.key,
        **stage.options,
    }
    facets: dict[str, RunFacet] = {
        "nominalTime": NominalTimeRunFacet(
            nominalStartTime=_instant(stage.interval.start),
            nominalEndTime=_instant(stage.interval.end),
        ),
        "processing_engine": ProcessingEngineRunFacet(
            name=engine, version=version(engine), openlineageAdapterVersion=version("millrace")
        ),
        "tags": TagsRunFacet(
            tags=[TagsRunFacetFields(key, value, "MILLRACE") for key, value in tags.items()]
        ),
    }
    if stage.airflow_run:
        facets["parent"] = _parent(stage.airflow_run)
    if error:
        facets["errorMessage"] = ErrorMessageRunFacet(message=error, programmingLanguage="PYTHON")
    return facets


def _parent(airflow_run: str) -> ParentRunFacet:
    """The Airflow task that started the stage, and the Dag's run that it belongs to."""
    dag, _, rest = airflow_run.partition("/")
    run, _, task = rest.rpartition("/")
    return ParentRunFacet(
        run=ParentRun(runId=str(uuid5(NAMESPACE_URL, f"airflow:{airflow_run}"))),
        job=ParentJob(namespace="airflow", name=f"{dag}.{task}"),
        root=Root(
            run=RootRun(runId=str(uuid5(NAMESPACE_URL, f"airflow:{dag}/{run}"))),
            job=RootJob(namespace="airflow", name=dag),
        ),
    )


def _job_facets(stage: StageRun) -> dict[str, JobFacet]:
    return {
        "documentation": DocumentationJobFacet(description=_documentation(stage.stage.module)),
        "jobType": JobTypeJobFacet(processingType="BATCH", integration="MILLRACE", jobType="TASK"),
    }


def _documentation(module: str) -> str:
    """The first paragraph of a module's docstring, without importing it: stages are heavy."""
    spec = find_spec(module)
    text = Path(spec.origin).read_text() if spec and spec.origin else ""
    return " ".join((ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0].split())
