"""Whether the world still is the one that the champion learned from; if not, *drift*."""

from _stages import DEFAULTS, asset, check_key, interval_form, stage
from airflow.sdk import DAG, PartitionedAssetTimetable, chain

from pipelines.use_cases import load
from pipelines.use_cases.spec.use_case import UseCase


def watch_drift(case: UseCase) -> DAG:
    """Runs on *predictions*; `due_drift` is skipped while no retraining is due."""
    with DAG(
        dag_id=f"{case.name}.watch_drift",
        description=f"After predictions: drift report and verdict ({case.name})",
        doc_md=__doc__,
        schedule=PartitionedAssetTimetable(assets=asset(case, "predictions")),
        max_active_runs=1,
        params=interval_form(case),
        default_args=dict(DEFAULTS),
        tags=[case.name, "model"],
    ) as dag:
        chain(
            check_key(ranges=True),
            stage("monitor", case),
            stage("due_drift", case, outlets=[asset(case, "drift")]),
        )
    return dag


for use_case in load().found.values():
    if use_case.training:
        watch_drift(use_case)
