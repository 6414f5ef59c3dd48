"""MLflow: a run a training, a registered model for each model of a case, versions and aliases."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pipelines.core import addresses
from pipelines.core.errors import CheckFailed
from pipelines.core.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

# Below a run: MLflow's own layout, in it our artifact; and the rows that predictions are compared
# with.
MODEL, ARTIFACT = "model", "model/data/artifact"
REFERENCE = "reference/reference.parquet"
# What a version was before models were folders.
_OLD_FILE = "model/model.onnx"


@dataclass(frozen=True)
class Version:
    """One registered version: where it came from, and what its bytes must be.

    Args:
        fingerprint: of the training data and the settings; equal ones give equal models.
        digest: sha256 of the artifact's manifest; of a version without a family of its one file.
        training_set: the version of the training set that it learned from.
        cutoff: nothing known later was learned from.
        family: empty where the version is from before models were folders.
        refreshed_from: the version that was learned, where this one has only taken in new rows.
    """

    number: int
    run_id: str
    interval: str
    fingerprint: str
    digest: str
    training_set: int
    cutoff: datetime
    family: str = ""
    refreshed_from: int | None = None


def connect(settings: Settings) -> "MlflowClient":
    """A client of the server that the settings name, which is also the default of this process."""
    # MLflow colours and animates its uploads, and asks PyPI nothing where telemetry is off.
    os.environ |= {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "MLFLOW_DISABLE_TELEMETRY": "1"}
    import mlflow

    mlflow.set_tracking_uri(settings.mlflow_uri)
    return mlflow.MlflowClient(settings.mlflow_uri)


@dataclass(frozen=True)
class Registered:
    """One registered model."""

    client: "MlflowClient"
    name: str

    def register(self, run_id: str, tags: Mapping[str, str]) -> Version:
        """Register what a run logged as the newest version; what was learned is *challenger*."""
        from mlflow.exceptions import RestException

        try:
            self.client.create_registered_model(self.name)
        except RestException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        source = f"runs:/{run_id}/{MODEL}"
        made = self.client.create_model_version(self.name, source, run_id, tags=dict(tags))
        if "refreshed_from" not in tags:
            self.point_alias("challenger", int(made.version))
        return _version(made)

    def versions(self) -> list[Version]:
        """All versions that train has completed, newest first; none that was only refreshed."""
        found = self.client.search_model_versions(f"name = '{self.name}'", max_results=1000)
        made = [_version(version) for version in found if "digest" in version.tags]
        learned = [version for version in made if version.refreshed_from is None]
        return sorted(learned, key=lambda version: version.number, reverse=True)

    def version(self, number: int) -> Version:
        """One version."""
        return _version(self.client.get_model_version(self.name, str(number)))

    def point_alias(self, alias: str, number: int) -> None:
        """Let an alias follow the journal, which decides."""
        self.client.set_registered_model_alias(self.name, alias, str(number))

    def fetch(self, found: Version, folder: Path) -> Path:
        """A version's artifact below a folder of this machine; where it lies there.

        Raises:
            CheckFailed: the run has none that can be read.
        """
        if found.family:
            return _downloaded(self.client, found.run_id, ARTIFACT, folder)
        return _downloaded(self.client, found.run_id, _OLD_FILE, folder).parent

    def reference(self, found: Version) -> bytes:
        """The Parquet file of a version's scored evaluation rows."""
        with TemporaryDirectory() as folder:
            return _downloaded(self.client, found.run_id, REFERENCE, Path(folder)).read_bytes()


def registered(settings: Settings, case: str, model: str, *, inherits: bool) -> Registered:
    """A model of a case in the registry.

    Args:
        inherits: it goes on where the case's one model was, which was registered by the case's
            name: that is renamed, with its versions and aliases.
    """
    client, name = connect(settings), addresses.registered(case, model)
    if inherits:
        _inherit(client, case, name)
    return Registered(client, name)


@lru_cache
def _inherit(client: "MlflowClient", before: str, name: str) -> None:
    from mlflow.exceptions import RestException

    try:
        client.rename_registered_model(before, name)
    except RestException as error:
        # There is none, or none any more.
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS"):
            raise


@contextmanager
def run(settings: Settings, experiment: str, name: str, tags: Mapping[str, Any]) -> Iterator[str]:
    """A new run of an experiment; gives its id. If the block fails, so did it."""
    import mlflow

    connect(settings)
    mlflow.set_experiment(experiment)
    with mlflow.start_run(
        run_name=name, tags={key: str(value) for key, value in tags.items()}
    ) as made:
        yield made.info.run_id


def _downloaded(client: "MlflowClient", run_id: str, name: str, folder: Path) -> Path:
    from mlflow.exceptions import MlflowException

    try:
        place = Path(client.download_artifacts(run_id, name, str(folder)))
    except (MlflowException, OSError) as error:
        raise CheckFailed(
            f"MLflow run {run_id} has no readable {name}: {error}; train again, or roll back"
        ) from error
    if not place.exists():
        raise CheckFailed(f"MLflow run {run_id} has no {name}; train again, or roll back")
    return place


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
        family=tags.get("family", ""),
        refreshed_from=int(tags["refreshed_from"]) if "refreshed_from" in tags else None,
    )
