"""A new challenger after every published interval, if it is due; the gate decides on it."""

from _stages import DEFAULTS, asset, check_key, stage, training_form
from airflow.sdk import DAG, PartitionedAssetTimetable, chain

from pipelines.use_cases import load
from pipelines.use_cases.spec.use_case import UseCase


def train_model(case: UseCase) -> DAG:
    """Runs on *features*, and on *drift*, which says the same interval once more."""
    with DAG(
        dag_id=f"{case.name}.train_model",
        description=f"When due: assemble, train on several processes, promote ({case.name})",
        doc_md=__doc__,
        schedule=PartitionedAssetTimetable(assets=asset(case, "features") | asset(case, "drift")),
        max_active_runs=1,
        params=training_form(case),
        default_args=dict(DEFAULTS),
        tags=[case.name, "model"],
    ) as dag:
        chain(
            check_key(ranges=True),
            stage("due_training", case),
            stage("assemble", case),
            stage("validate_training_set", case),
            stage("train", case),
            stage("promote", case),
        )
    return dag


for use_case in load().found.values():
    if use_case.training:
        train_model(use_case)
