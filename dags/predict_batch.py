"""The champion of the moment answers the newest interval's decisions."""

from _stages import asset, check_key, dag_of, interval_form, stage
from airflow.sdk import DAG, PartitionedAssetTimetable, chain

from pipelines.use_cases import load
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase


def predict_batch(case: UseCase, model: Model) -> DAG:
    """Runs on *features*; without a champion its tasks are skipped, and say so."""
    with dag_of(
        case,
        model,
        "predict_batch",
        "After each published interval: predictions, checked",
        doc_md=__doc__,
        schedule=PartitionedAssetTimetable(assets=asset(case, "features")),
        params=interval_form(case),
    ) as dag:
        chain(
            check_key(ranges=True),
            *([stage("refresh", case, model)] if model.is_refreshed else []),
            stage("predict", case, model),
            stage("validate_predictions", case, model, outlets=[asset(case, "predictions", model)]),
        )
    return dag


for use_case in load().found.values():
    for each in use_case.models:
        predict_batch(use_case, each)
