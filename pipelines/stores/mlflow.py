"""MLflow: a run a training, one registered model a case, its versions and their aliases."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import CheckFailed
from pipelines.core.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

MODEL = "model"
REFERENCE = "reference/reference.parquet"


@dataclass(frozen=True)
class Version:
    """One registered version: where it came from, and what its bytes must be.

    Args:
        fingerprint: of the training data and the settings; equal ones give equal models.
        digest: sha256 of the model file.
        training_set: the version of the training set that it learned from.
        cutoff: nothing known later was learned from.
    """

    number: int
    run_id: str
    interval: str
    fingerprint: str
    digest: str
    training_set: int
    cutoff: datetime


def connect(settings: Settings) -> "MlflowClient":
    """A client of the server that the settings name, which is also the default of this process."""
    # MLflow colours and animates its uploads, and asks PyPI nothing where telemetry is off.
    os.environ |= {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "MLFLOW_DISABLE_TELEMETRY": "1"}
    import mlflow

    mlflow.set_tracking_uri(settings.mlflow_uri)
    return mlflow.MlflowClient(settings.mlflow_uri)


@contextmanager
def run(settings: Settings, case: str, name: str, tags: Mapping[str, Any]) -> Iterator[str]:
    """A new run of the case's experiment; gives its id. If the block fails, so did it."""
    import mlflow

    connect(settings)
    mlflow.set_experiment(case)
    with mlflow.start_run(
        run_name=name, tags={key: str(value) for key, value in tags.items()}
    ) as made:
        yield made.info.run_id


def register(
    client: "MlflowClient", case: str, run_id: str, source: str, tags: Mapping[str, str]
) -> Version:
    """Register what a run logged as the newest version of the case's model, the *challenger*."""
    from mlflow.exceptions import RestException

    try:
        client.create_registered_model(case)
    except RestException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    made = client.create_model_version(case, source, run_id, tags=dict(tags))
    client.set_registered_model_alias(case, "challenger", made.version)
    return _version(made)


def versions(client: "MlflowClient", case: str) -> list[Version]:
    """All versions of a case's model that train has completed, newest first."""
    found = client.search_model_versions(f"name = '{case}'", max_results=1000)
    made = [_version(version) for version in found if "digest" in version.tags]
    return sorted(made, key=lambda version: version.number, reverse=True)


def version(client: "MlflowClient", case: str, number: int) -> Version:
    """One version of a case's model."""
    return _version(client.get_model_version(case, str(number)))


def point_alias(client: "MlflowClient", case: str, alias: str, number: int) -> None:
    """Let an alias follow the journal, which decides."""
    client.set_registered_model_alias(case, alias, str(number))


def model_file(client: "MlflowClient", found: Version) -> bytes:
    """The ONNX file of a version; `models.scoring.load` compares it with the version's digest."""
    return _artifact(client, found.run_id, f"{MODEL}/model.onnx")


def reference_file(client: "MlflowClient", found: Version) -> bytes:
    """The Parquet file of a version's scored evaluation rows."""
    return _artifact(client, found.run_id, REFERENCE)


def _artifact(client: "MlflowClient", run_id: str, name: str) -> bytes:
    """Through a folder that is gone afterwards: MLflow would leave one behind each time."""
    from mlflow.exceptions import MlflowException

    try:
        with TemporaryDirectory() as folder:
            return Path(client.download_artifacts(run_id, name, folder)).read_bytes()
    except (MlflowException, OSError) as error:
        raise CheckFailed(
            f"MLflow run {run_id} has no readable {name}: {error}; train again, or roll back"
        ) from error


def _version(found: "ModelVersion") -> Version:
    tags = found.tags
    return Version(
        number=int(found.version),
        run_id=str(found.run_id),
        interval=tags["interval"],
        fingerprint=tags["fingerprint"],
        digest=tags["digest"],
        training_set=int(tags["training_set"].rpartition("@")[2]),
        cutoff=datetime.fromisoformat(tags["cutoff"]),
    )
