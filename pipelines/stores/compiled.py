"""The SQL that dbt compiled, kept by the digest of the project it came from.

Compiled SQL holds the literals of its interval; which column comes from which does not change with
them, so one copy of each state of the project is enough.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path

from pipelines.stores.objects import Objects


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
    folders = ("macros/shared", f"macros/{case}", f"models/{case}")
    found = [project.glob(f"{folder}/**/*.{kind}") for folder in folders for kind in ("sql", "yml")]
    files = [project / "dbt_project.yml", *chain.from_iterable(found)]
    hashed = sha256()
    for file in sorted(each for each in files if each.is_file()):
        hashed.update(f"{file.relative_to(project)}\0".encode() + file.read_bytes() + b"\0")
    return hashed.hexdigest()


def keep(store: Objects, case: str, digest: str, models: Iterable[CompiledModel]) -> None:
    """Write a project's compiled SQL; nothing if it is there already."""
    name = _name(case, digest)
    if not store.exists(name):
        store.put(name, json.dumps([asdict(model) for model in models]))


def read(store: Objects, case: str, digest: str) -> list[CompiledModel] | None:
    """What was kept of one state of the project; None: nothing."""
    name = _name(case, digest)
    if not store.exists(name):
        return None
    return [CompiledModel(**model) for model in json.loads(store.read_text(name))]


def _name(case: str, digest: str) -> str:
    return f"sql/{case}-{digest}.json"
