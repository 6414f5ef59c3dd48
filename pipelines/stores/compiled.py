"""The SQL that dbt compiled, kept under the home by the digest of the project it came from.

Compiled SQL holds the literals of its interval; which column comes from which does not change with
them, so one copy of each state of the project is enough.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from pipelines.stores.objects import write_whole


@dataclass(frozen=True)
class CompiledModel:
    """One dbt model: the table it builds, its SQL, its columns' types by name."""

    table: str
    description: str
    sql: str
    columns: Mapping[str, str]


def project_digest(project: Path, case: str) -> str:
    """Of the files that a case's compiled SQL depends on.

    Example:
        >>> len(project_digest(Path("/nowhere"), "flight_delays"))
        64
    """
    files = [project / "dbt_project.yml", *project.glob("macros/**/*.sql")]
    files += [*project.glob(f"models/{case}/**/*.sql"), *project.glob(f"models/{case}/**/*.yml")]
    hashed = sha256()
    for file in sorted(each for each in files if each.is_file()):
        hashed.update(f"{file.relative_to(project)}\0".encode() + file.read_bytes() + b"\0")
    return hashed.hexdigest()


def keep(home: Path, case: str, digest: str, models: Iterable[CompiledModel]) -> None:
    """Write a project's compiled SQL, whole or not at all; nothing if it is there already."""
    path = _path(home, case, digest)
    if path.exists():
        return
    write_whole(path, json.dumps([asdict(model) for model in models]))


def read(home: Path, case: str, digest: str) -> list[CompiledModel] | None:
    """What was kept of one state of the project; None: nothing."""
    path = _path(home, case, digest)
    if not path.exists():
        return None
    return [CompiledModel(**model) for model in json.loads(path.read_text())]


def _path(home: Path, case: str, digest: str) -> Path:
    return home / "lineage" / "sql" / f"{case}-{digest}.json"
