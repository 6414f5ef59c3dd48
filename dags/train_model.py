"""A new challenger after every published interval, if it is due; the gate decides on it.

Then `leaks` looks for inputs that know the future: after a first training, and whenever the SQL or
the inputs have changed since; else it is skipped.
"""

from _stages import asset, check_key, dag_of, stage, training_form
from airflow.sdk import DAG, PartitionedAssetTimetable, chain

from pipelines.use_cases import load
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase


def train_model(case: UseCase, model: Model) -> DAG:
    """Runs on *features*, and on *drift*, which says the same interval once more."""
    with dag_of(
        case,
        model,
        "train_model",
        "When due: assemble, train, promote",
        doc_md=__doc__,
        schedule=PartitionedAssetTimetable(
            assets=asset(case, "features") | asset(case, "drift", model)
        ),
        params=training_form(case),
    ) as dag:
        chain(
            check_key(ranges=True),
            stage("due_training", case, model),
            stage("assemble", case, model),
            stage("validate_training_set", case, model),
            stage("train", case, model),
            stage("promote", case, model),
            stage("leaks", case, model, flags=("--changed", "--json")),
        )
    return dag


for use_case in load().found.values():
    for each in use_case.models:
        train_model(use_case, each)
