"""The champion of the moment answers the newest interval's decisions."""

from _stages import DEFAULTS, asset, check_key, interval_form, stage
from airflow.sdk import DAG, PartitionedAssetTimetable, chain

from pipelines.use_cases import load
from pipelines.use_cases.spec.use_case import UseCase


def predict_batch(case: UseCase) -> DAG:
    """Runs on *features*; without a champion its tasks are skipped, and say so."""
    with DAG(
        dag_id=f"{case.name}.predict_batch",
        description=f"After each published interval: predictions, checked ({case.name})",
        doc_md=__doc__,
        schedule=PartitionedAssetTimetable(assets=asset(case, "features")),
        max_active_runs=1,
        params=interval_form(case),
        default_args=dict(DEFAULTS),
        tags=[case.name, "model"],
    ) as dag:
        chain(
            check_key(ranges=True),
            stage("predict", case),
            stage("validate_predictions", case, outlets=[asset(case, "predictions")]),
        )
    return dag


for use_case in load().found.values():
    if use_case.training:
        predict_batch(use_case)
