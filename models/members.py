"""Models inside a model: learned one after the other, each an artifact in a folder of its own."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from models import artifact, families
from models.columns import Columns
from models.errors import ModelError
from models.family import Settings
from models.job import Job
from models.plain import check_fields
from models.tasks import Task

FOLDER = "members"


def refusal(task: Task, columns: Columns, settings: Mapping[str, Settings]) -> str:
    """Why one of these can't learn such a task from such columns; empty: all can."""
    for name, each in settings.items():
        refused = families.find(each.family).refusal(task, columns, each)
        if refused:
            return f"member {name}: {refused}"
    return ""


def settings_to_json(settings: Any) -> dict[str, Any]:
    """Settings that have a `member`, with its own, as plain values."""
    return {**settings.to_json(), "member": families.to_json(settings.member)}


def settings_from_json(kind: type[Settings], values: Mapping[str, Any]) -> Settings:
    """Read what `settings_to_json` gave.

    Raises:
        ValueError: a field is missing or unknown; the message names it.
    """
    check_fields(kind.__name__, values, (each.name for each in fields(kind)))
    return kind(**{**values, "member": families.settings_from_json(values["member"])})


def learn(job: Job, name: str, settings: Settings, tables: Mapping[str, Path]) -> str:
    """Learn one member of a job and put its artifact into the job's; its digest.

    Raises:
        ModelError: it could not be learned; says which and why.
    """
    own = replace(
        job,
        spec=replace(job.spec, settings=settings),
        tables=tables,
        folder=job.folder / FOLDER / name,
    )
    if not (own.folder / "result.json").exists():
        _run(own, name)
    digest = own.seal()
    shutil.copytree(own.artifact, job.artifact / FOLDER / name, dirs_exist_ok=True)
    return digest


def _run(job: Job, name: str) -> None:
    job.folder.mkdir(parents=True, exist_ok=True)
    path, failure = job.folder / "job.json", job.folder / "failure.json"
    # Of an attempt before this one, which may end without a word.
    failure.unlink(missing_ok=True)
    job.write(path)
    family = families.find(job.spec.settings.family)
    command = family.command(path, num_processes=job.num_processes)
    ended = subprocess.run(command, check=False)
    if ended.returncode:
        said = json.loads(failure.read_text())["message"] if failure.exists() else "no model"
        raise ModelError(f"member {name}: {said}")


def opened(
    folder: Path,
    digests: Mapping[str, str],
    bases: Mapping[str, Path],
    *,
    num_threads: int,
    device: str,
) -> dict[str, artifact.Model]:
    """The members of an artifact, by their names.

    Raises:
        ModelRefused: see `models.artifact.open_folder`.
    """
    return {
        place.removeprefix(f"{FOLDER}/"): artifact.open_folder(
            folder / place, digest, bases, num_threads=num_threads, device=device
        )
        for place, digest in digests.items()
    }


def place(name: str) -> str:
    """A member's folder within the artifact."""
    return f"{FOLDER}/{name}"
