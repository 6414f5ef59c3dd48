"""Whether the world still is the one that the champion learned from; if not, *drift*."""

from _stages import asset, check_key, dag_of, interval_form, stage
from airflow.sdk import DAG, PartitionedAssetTimetable, chain

from pipelines.use_cases import load
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase


def watch_drift(case: UseCase, model: Model) -> DAG:
    """Runs on *predictions*; `due_drift` is skipped while no retraining is due."""
    with dag_of(
        case,
        model,
        "watch_drift",
        "After predictions: drift report and verdict",
        doc_md=__doc__,
        schedule=PartitionedAssetTimetable(assets=asset(case, "predictions", model)),
        params=interval_form(case),
    ) as dag:
        chain(
            check_key(ranges=True),
            stage("monitor", case, model),
            stage("due_drift", case, model, outlets=[asset(case, "drift", model)]),
        )
    return dag


for use_case in load().found.values():
    for each in use_case.models:
        watch_drift(use_case, each)
