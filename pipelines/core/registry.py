"""What every stage is, said once: runner, command line, Dags, lineage and pages read it here.

Standard library only: Dags import this at parse time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from pipelines.core import outcomes
from pipelines.core.errors import UsageError
from pipelines.core.option import Option

# What a stage may be the only writer of, in a case. Two stages with one lease take turns.
Lease: TypeAlias = Literal[
    "raw", "features", "training set", "predictions", "verdicts", "champion", "leaks"
]
Server: TypeAlias = Literal["postgres", "spark", "mlflow"]

Details = TypeVar("Details")


@dataclass(frozen=True, kw_only=True)
class Stage(Generic[Details]):
    """One stage: what it does, reads and writes, and within which limits.

    Args:
        name: of its command, its Airflow task and its rows in `ops.runs`.
        module: has `run(context) -> Outcome`; imported only when the stage runs.
        details: the type of its outcome's `details`.
        reads, writes: tables and stores, in the words of docs/architecture.md.
        lease: what it is the only writer of; None: it writes nothing but its own row.
        asks_interval: whether its command wants one; else it is of yesterday.
        servers: what must be up.
        page: of the section Millrace, on which its work is shown, by the name of the link.
        engine: the package that does the work.
        timeout, retries: of its Airflow task.
        makes_versions: its `writes` are new versions; of a check they are those it proved.
    """

    name: str
    module: str
    help: str
    details: type[Details]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    lease: Lease | None
    asks_interval: bool = True
    servers: tuple[Server, ...] = ("postgres", "spark")
    page: tuple[str, str] | None = None
    options: tuple[Option, ...] = ()
    engine: str = "pyspark"
    timeout: timedelta = timedelta(hours=1)
    retries: int = 2
    makes_versions: bool = False

    @property
    def of_model(self) -> bool:
        """Whether it is about one model of a case: all are, but those that make the data."""
        return self.lease not in ("raw", "features")


EXTRACT = Stage(
    name="extract",
    module="pipelines.data.extract.job",
    help="Fetch one interval's files from the source into the landing folder.",
    details=outcomes.Extracted,
    reads=("the source",),
    writes=("landing",),
    lease="raw",
    servers=("postgres",),
)
INGEST = Stage(
    name="ingest",
    module="pipelines.data.ingest.job",
    help="Landing files into bronze; rows that break their contract to quarantine.",
    details=outcomes.Ingested,
    reads=("landing",),
    writes=("build.bronze_*", "build.quarantine_*"),
    lease="raw",
    page=("Quarantined rows", "quarantine"),
    makes_versions=True,
)
# The other checks are as this one, of other tables.
VALIDATE_RAW = Stage(
    name="validate_raw",
    module="pipelines.data.validate.raw",
    help="Check bronze and quarantine by Great Expectations; publish them if they pass.",
    details=outcomes.Validated,
    reads=("build.bronze_*", "build.quarantine_*"),
    writes=("bronze.*", "quarantine.*"),
    lease="raw",
    page=("Validation", "validation"),
    engine="great-expectations",
)
TRANSFORM = Stage(
    name="transform",
    module="pipelines.data.transform.run",
    help="Published bronze into silver and gold, by dbt.",
    details=outcomes.Transformed,
    reads=("bronze.*",),
    writes=("build.silver_*", "build.gold_*"),
    lease="features",
    page=("Tables", "data"),
    engine="dbt-core",
    makes_versions=True,
)
VALIDATE_FEATURES = replace(
    VALIDATE_RAW,
    name="validate_features",
    module="pipelines.data.validate.features",
    help="Check silver and gold by Great Expectations; publish them if they pass.",
    reads=("build.silver_*", "build.gold_*"),
    writes=("silver.*", "gold.*"),
    lease="features",
)
MATERIALIZE = Stage(
    name="materialize",
    module="pipelines.data.materialize",
    help="Published entity states into the online store, by Feast.",
    details=outcomes.Materialized,
    reads=("gold.* (entity states)",),
    writes=("the online store", "ops.materialized"),
    lease="features",
    servers=("postgres",),
    engine="feast",
)
DUE_TRAINING = Stage(
    name="due_training",
    module="pipelines.learning.due_training",
    help="Say why the model is to be trained now; exit 99 if it is not.",
    details=outcomes.TrainingDue,
    reads=("ops.runs", "ops.verdicts", "ops.published"),
    writes=(),
    lease=None,
    servers=("postgres",),
    options=(
        Option(name="forced", help="whatever the cadence says", is_flag=True, field="forced"),
    ),
)
DUE_DRIFT = Stage(
    name="due_drift",
    module="pipelines.learning.due_drift",
    help="Say why drift asks for a retraining; exit 99 if it does not.",
    details=outcomes.DriftDue,
    reads=("ops.verdicts",),
    writes=(),
    lease=None,
    servers=("postgres",),
)
ASSEMBLE = Stage(
    name="assemble",
    module="pipelines.learning.assemble",
    help="Labelled decisions and what was known at each: the training set.",
    details=outcomes.Assembled,
    reads=("gold.*_decisions", "gold.*_labels", "gold.* (entity states)"),
    writes=("build.gold_*_training_set",),
    lease="training set",
    makes_versions=True,
)
VALIDATE_TRAINING_SET = replace(
    VALIDATE_RAW,
    name="validate_training_set",
    module="pipelines.data.validate.training_set",
    help="Check the training set by Great Expectations; publish it if it passes.",
    reads=("build.gold_*_training_set",),
    writes=("gold.*_training_set",),
    lease="training set",
)
TRAIN = Stage(
    name="train",
    module="pipelines.learning.train.job",
    help="Learn from the training set as the model's family does; register the challenger.",
    details=outcomes.Trained,
    reads=("gold.*_training_set",),
    writes=("MLflow: a run, a version, the alias challenger",),
    lease="training set",
    servers=("postgres", "spark", "mlflow"),
    page=("Model", "models"),
    engine="mlflow",
    timeout=timedelta(hours=12),
    makes_versions=True,
)
PROMOTE = Stage(
    name="promote",
    module="pipelines.learning.promote",
    help="Judge the challenger by the model's gate; it may become the champion.",
    details=outcomes.Judged,
    reads=("MLflow", "the training set that the challenger learned from"),
    writes=("ops.promotions", "MLflow: the alias champion"),
    lease="champion",
    servers=("postgres", "spark", "mlflow"),
    page=("Gate", "models"),
    engine="mlflow",
)
LEAKS = Stage(
    name="leaks",
    module="pipelines.learning.leaks.job",
    help="Look for inputs that know the future; a finding is a warning.",
    details=outcomes.Audited,
    reads=("bronze.*", "silver.*", "gold.*", "gold.*_training_set"),
    writes=("a schema of its own, which is dropped",),
    lease="leaks",
    page=("Leaks", "models"),
    options=(
        Option(
            name="changed",
            help="only where SQL or inputs changed since it last looked; exit 99 if not",
            is_flag=True,
        ),
        Option(name="json", help="for programs", is_flag=True),
    ),
    engine="dbt-core",
)
REFRESH = Stage(
    name="refresh",
    module="pipelines.learning.refresh",
    help="Let the champion take in new rows of its tables, without a training.",
    details=outcomes.TakenIn,
    reads=("silver.* and gold.* that the model names", "MLflow"),
    writes=("ops.promotions", "MLflow: a run, a version, the alias champion"),
    lease="champion",
    servers=("postgres", "spark", "mlflow"),
    page=("Model", "models"),
    engine="mlflow",
)
PREDICT = Stage(
    name="predict",
    module="pipelines.learning.predict",
    help="Answer the interval's batch decisions by the champion.",
    details=outcomes.Predicted,
    reads=("gold.*_decisions", "gold.* (entity states)", "MLflow"),
    writes=("build.gold_*_predictions",),
    lease="predictions",
    servers=("postgres", "spark", "mlflow"),
    makes_versions=True,
)
VALIDATE_PREDICTIONS = replace(
    VALIDATE_RAW,
    name="validate_predictions",
    module="pipelines.data.validate.predictions",
    help="Check the predictions by Great Expectations; publish them if they pass.",
    reads=("build.gold_*_predictions", "gold.*_decisions"),
    writes=("gold.*_predictions",),
    lease="predictions",
)
MONITOR = Stage(
    name="monitor",
    module="pipelines.learning.monitor.job",
    help="Compare predictions with the champion's reference; give a verdict.",
    details=outcomes.Watched,
    reads=("gold.*_predictions", "gold.*_labels", "MLflow"),
    writes=("ops.verdicts", "reports"),
    lease="verdicts",
    servers=("postgres", "spark", "mlflow"),
    page=("Drift", "drift"),
    engine="evidently",
)
ROLLBACK = Stage(
    name="rollback",
    module="pipelines.learning.rollback",
    help="Make an earlier champion the champion again.",
    details=outcomes.RolledBack,
    reads=("ops.promotions",),
    writes=("ops.promotions", "MLflow: the alias champion"),
    lease="champion",
    asks_interval=False,
    servers=("postgres", "mlflow"),
    options=(Option(name="to", help="a version that was champion before"),),
    engine="mlflow",
)

# In the order in which the data passes them.
_DATA = (EXTRACT, INGEST, VALIDATE_RAW, TRANSFORM, VALIDATE_FEATURES, MATERIALIZE)
_TRAINING = (DUE_TRAINING, ASSEMBLE, VALIDATE_TRAINING_SET, TRAIN, PROMOTE, LEAKS)
_ANSWERS = (REFRESH, PREDICT, VALIDATE_PREDICTIONS, MONITOR, DUE_DRIFT, ROLLBACK)
STAGES: Mapping[str, Stage[Any]] = MappingProxyType(
    {stage.name: stage for stage in (*_DATA, *_TRAINING, *_ANSWERS)}
)


def find(name: str) -> Stage[Any]:
    """The stage of that name.

    Raises:
        UsageError: there is none; the message lists those there are.

    Example:
        >>> find("train").lease
        'training set'
    """
    if name not in STAGES:
        raise UsageError(f"no stage {name!r}; there is {', '.join(STAGES)}")
    return STAGES[name]
