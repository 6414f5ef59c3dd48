"""Data from its source into published features: nightly, and a stretch of history as one run."""

from _stages import (
    DEFAULTS,
    SCHEDULE_SINCE,
    asset,
    check_key,
    interval_form,
    range_form,
    stage,
    unavailable,
)
from airflow.sdk import DAG, CronPartitionTimetable, PartitionedAtRuntime, chain

from pipelines.use_cases import load
from pipelines.use_cases.spec.interval import KEY_FORMATS
from pipelines.use_cases.spec.use_case import UseCase


def build(case: UseCase, ranges: bool) -> None:
    """The way of the data, the same for one night and for a range."""
    chain(
        check_key(ranges),
        stage("extract", case),
        stage("ingest", case),
        stage("validate_raw", case),
        stage("transform", case),
        stage("validate_features", case, outlets=[asset(case, "features")]),
        stage("materialize", case),
    )


def build_features(case: UseCase) -> DAG:
    """The Dag that runs by itself; its partition key is the part that has just ended."""
    with DAG(
        dag_id=f"{case.name}.build_features",
        description=f"By schedule: a part from the source to published features ({case.name})",
        doc_md=__doc__,
        schedule=CronPartitionTimetable(
            case.cron, timezone="UTC", run_offset=-1, key_format=KEY_FORMATS[case.grain]
        ),
        # A night that was missed, because the machine slept, is made up for, in order.
        start_date=SCHEDULE_SINCE,
        catchup=SCHEDULE_SINCE is not None,
        max_active_runs=1,
        params=interval_form(case),
        default_args=dict(DEFAULTS),
        tags=[case.name, "data", *unavailable(case)],
    ) as dag:
        build(case, ranges=False)
    return dag


def load_history(case: UseCase) -> DAG:
    """The same tasks over a range of days, as one run, by hand."""
    with DAG(
        dag_id=f"{case.name}.load_history",
        description=f"By hand: a range of days as one run ({case.name})",
        doc_md=__doc__,
        schedule=PartitionedAtRuntime(),
        max_active_runs=1,
        params=range_form(),
        default_args=dict(DEFAULTS),
        tags=[case.name, "data", *unavailable(case)],
    ) as dag:
        build(case, ranges=True)
    return dag


for use_case in load().found.values():
    build_features(use_case)
    load_history(use_case)
