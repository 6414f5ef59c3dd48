"""A case's models in the registry, and their artifacts by address.

An artifact is put once where every worker can read it, and checked where it is opened. A plan of
Spark carries the address and the digest, and not the model.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipelines.core.errors import CheckFailed
from pipelines.core.settings import Settings
from pipelines.stores import mlflow, objects
from pipelines.stores.objects import Objects
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase

if TYPE_CHECKING:
    from models.artifact import Model as Opened

log = logging.getLogger(__name__)

# Of a folder: what says what is in it, so it is put last.
_LAST = "manifest.json"


def of(settings: Settings, case: UseCase, model: Model) -> mlflow.Registered:
    """A model in the registry; what carries no prefix goes on where the case's one model was."""
    return mlflow.registered(settings, case.name, model.name, inherits=not model.prefix)


@dataclass(frozen=True)
class Address:
    """Where an artifact is, and what its bytes must be.

    Args:
        store: the address of the artifacts.
        digest: the sha256 of its registration, which is the name of its folder, too.
    """

    store: str
    digest: str


def address(settings: Settings, case: UseCase, model: Model, number: int) -> Address:
    """The artifact of a registered version, put among the artifacts if it is not there.

    Raises:
        CheckFailed: the registry has none, or another than was registered.
    """
    known = of(settings, case, model)
    found = known.version(number)
    return put(objects.artifacts(settings), found.digest, lambda folder: known.fetch(found, folder))


def put(store: Objects, digest: str, fetch: Callable[[Path], Path]) -> Address:
    """Let the store have the artifact of that digest; fetched only where it lacks or is damaged.

    Raises:
        CheckFailed: what was fetched is not it.
    """
    from models import artifact
    from models.errors import ModelRefused

    own = store.below(digest)
    with TemporaryDirectory(prefix="millrace-") as scratch:
        if _is_whole(own, digest, Path(scratch) / "known"):
            return Address(store.address_of_root, digest)
        folder = fetch(Path(scratch))
        try:
            artifact.checked(folder, digest)
        except ModelRefused as error:
            raise CheckFailed(str(error)) from error
        files = [path for path in folder.rglob("*") if path.is_file()]
        for path in sorted(files, key=lambda path: path.name == _LAST and path.parent == folder):
            own.put_file(str(path.relative_to(folder)), path)
    return Address(store.address_of_root, digest)


def _is_whole(own: Objects, digest: str, scratch: Path) -> bool:
    from models import artifact
    from models.errors import ModelRefused

    if not own.names():
        return False
    try:
        artifact.checked(_copied(own, scratch), digest)
    except ModelRefused as error:
        log.warning("the artifact %s was damaged (%s) and is put anew", digest, error)
        return False
    return True


def _copied(own: Objects, folder: Path) -> Path:
    for name in own.names():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(own.read_bytes(name))
    folder.mkdir(exist_ok=True)
    return folder


# A worker answers for the champion; a second one may be compared with it.
@lru_cache(maxsize=2)
def opened(place: Address) -> "Opened":
    """The model at an address, opened once a process.

    Raises:
        ModelRefused: the bytes there are not those that were registered, or there are none.
    """
    from models import artifact

    with TemporaryDirectory(prefix="millrace-") as scratch:
        folder = _copied(Objects.at(place.store).below(place.digest), Path(scratch) / "artifact")
        return artifact.open_folder(folder, place.digest)
