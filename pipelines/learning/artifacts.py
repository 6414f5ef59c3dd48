"""A model file by address: put once where every worker can read it, checked where it is opened.

A plan of Spark carries the address and the digest, 1.5 kB with the function, and not the model.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from pipelines.core.errors import CheckFailed
from pipelines.core.settings import Settings
from pipelines.stores import mlflow, objects
from pipelines.stores.objects import Objects

if TYPE_CHECKING:
    from models.scoring import Model

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelFile:
    """Where a model's file is, and what its bytes must be.

    Args:
        store: the address of the artifacts.
        digest: the sha256 of its registration, which is its name there, too.
    """

    store: str
    digest: str

    @property
    def name(self) -> str:
        return f"{self.digest}/model.onnx"


def of_version(settings: Settings, case: str, number: int) -> ModelFile:
    """The file of a registered version, put among the artifacts if it is not there.

    Raises:
        CheckFailed: the registry has no such file, or another than was registered.
    """
    client = mlflow.connect(settings)
    found = mlflow.version(client, case, number)
    return put(objects.artifacts(settings), found.digest, lambda: mlflow.model_file(client, found))


def put(store: Objects, digest: str, fetch: Callable[[], bytes]) -> ModelFile:
    """Let the store have the file of that digest; fetched only where it lacks it, or is damaged.

    Raises:
        CheckFailed: what was fetched is not it.
    """
    file = ModelFile(store.address_of_root, digest)
    known = store.sha256(file.name) if store.exists(file.name) else None
    if known == digest:
        return file
    content = fetch()
    found = sha256(content).hexdigest()
    if found != digest:
        raise CheckFailed(
            f"the model file has sha256 {found}, registered was {digest}; "
            "it was changed or replaced: restore it, or roll back to an earlier version"
        )
    if known is not None:
        log.warning("%s was damaged (sha256 %s) and is put anew", file.name, known)
        store.put(file.name, content)
    else:
        # Another run may have put it meanwhile: then it is the same.
        store.put_if_absent(file.name, content)
    return file


# A worker answers for the champion; a second one may be compared with it.
@lru_cache(maxsize=2)
def load(file: ModelFile) -> "Model":
    """The model, opened once a process.

    Raises:
        ModelRefused: the bytes at its address are not those that were registered.
        FileNotFoundError: there are none; predict puts them before it asks its workers.
    """
    from models import scoring

    return scoring.load(Objects.at(file.store).read_bytes(file.name), file.digest)
