"""A model as a folder with a manifest: sealed when it is made, checked before it is opened.

Nothing in it is executed and nothing is unpickled: a family opens only files that its patterns
allow, and only after each was compared with the manifest.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Self

import pyarrow as pa  # type: ignore[import-untyped]

from models import families, tasks
from models.columns import Columns
from models.errors import ModelRefused
from models.family import NOTHING, Family, Scorer
from models.files import write_atomically
from models.tasks import Task

MANIFEST = "manifest.json"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an artifact is.

    Args:
        files: sha256 of each file in the folder, by its path there.
        members: digests of the artifacts that lie inside it, by their folders.
        bases: sha256 of files that it is built upon and does not hold.
        corpus: the versions of the tables that it holds an index of.
    """

    family: str
    task: Task
    columns: Columns
    files: Mapping[str, str]
    members: Mapping[str, str] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)
    corpus: Mapping[str, int] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The manifest's file; the version's digest is of these bytes."""
        values = {
            "format": _FORMAT,
            "family": self.family,
            "task": tasks.to_json(self.task),
            "columns": self.columns.to_json(),
            "asked": _described(self.columns.schema),
            "answer": _described(self.task.answer),
            **{name: dict(getattr(self, name)) for name in _MAPPINGS},
        }
        return json.dumps(values, indent=2, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` gave.

        Raises:
            ModelRefused: it is none, or of a newer version of this code.
        """
        try:
            values = json.loads(content)
            if values["format"] != _FORMAT:
                raise ModelRefused(
                    f"the model was not opened: its manifest has format {values['format']}, known "
                    f"is {_FORMAT}; it is of another version of this code: use that one, or train "
                    "again"
                )
            return cls(
                family=values["family"],
                task=tasks.from_json(values["task"]),
                columns=Columns.from_json(values["columns"]),
                **{name: values[name] for name in _MAPPINGS},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise _refusal(f"a {MANIFEST} that can't be read ({error})") from error


_MAPPINGS = ("files", "members", "bases", "corpus")


@dataclass(frozen=True)
class Model:
    """An opened artifact, ready to be asked."""

    manifest: Manifest
    digest: str
    scorer: Scorer

    @property
    def task(self) -> Task:
        return self.manifest.task

    @property
    def columns(self) -> Columns:
        return self.manifest.columns

    @property
    def requires(self) -> frozenset[str]:
        """The packages without which it, or a member of it, can't be opened."""
        return frozenset(families.find(self.manifest.family).requires) | self.scorer.requires

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:
        """An answer a row, in the order of the rows.

        Raises:
            DataRefused: a column is absent or of the wrong kind, or an answer is none of the
                task: NaN, or out of its bounds.
        """
        return self.task.checked(self.scorer.score(table, options))

    def close(self) -> None:
        """Let go of what it holds."""
        self.scorer.close()


def sha256_of(path: Path) -> str:
    """The digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(content: bytes) -> str:
    """The digest of bytes."""
    return hashlib.sha256(content).hexdigest()


def seal(
    folder: Path,
    task: Task,
    columns: Columns,
    family: str,
    *,
    members: Mapping[str, str] = NOTHING,
    bases: Mapping[str, str] = NOTHING,
    corpus: Mapping[str, int] = NOTHING,
) -> str:
    """Write the manifest of a folder that a family has filled; its digest.

    Raises:
        ModelRefused: a file is there that the family would not open, or a member is not what its
            digest says.
    """
    for place, digest in members.items():
        checked(folder / place, digest)
    files = {name: sha256_of(folder / name) for name in _names(folder)}
    manifest = Manifest(
        family=family,
        task=task,
        columns=columns,
        files=files,
        members=members,
        bases=bases,
        corpus=corpus,
    )
    _check_allowed(families.find(family), folder, manifest)
    content = manifest.to_bytes()
    write_atomically(folder / MANIFEST, content)
    return digest_of(content)


def open_folder(
    folder: Path,
    expected_digest: str,
    bases: Mapping[str, Path] = NOTHING,
    *,
    num_threads: int = 1,
    device: str = "cpu",
) -> Model:
    """Open a model whose files are those that were registered.

    The folder may be gone afterwards: what a family needs of it, it has read by then.

    Raises:
        ModelRefused: another digest, a file more, less or changed, or one that its family does not
            open; nothing was opened.
        FamilyMissing: its family is not there.
    """
    manifest = _verified(folder, expected_digest, bases)
    family = families.find(manifest.family)
    scorer = family.open(folder, manifest, bases, num_threads=num_threads, device=device)
    return Model(manifest, expected_digest, scorer)


def _verified(folder: Path, expected_digest: str, bases: Mapping[str, Path]) -> Manifest:
    """Its manifest, when all is as it should be, in the members too: then it may be opened."""
    manifest = checked(folder, expected_digest)
    for name, digest in manifest.bases.items():
        if name not in bases or not bases[name].is_file() or sha256_of(bases[name]) != digest:
            raise _refusal(f"no base {name} of sha256 {digest} at hand")
    for place, digest in manifest.members.items():
        _verified(folder / place, digest, bases)
    _check_allowed(families.find(manifest.family), folder, manifest)
    return manifest


def checked(folder: Path, expected_digest: str) -> Manifest:
    """The manifest of a folder that holds exactly its files.

    Raises:
        ModelRefused: another digest, or a file more, less or changed.
    """
    if not (folder / MANIFEST).exists():
        return _older(folder, expected_digest)
    content = (folder / MANIFEST).read_bytes()
    found = digest_of(content)
    if found != expected_digest:
        raise _refusal(f"a manifest of sha256 {found}, registered was {expected_digest}")
    manifest = Manifest.from_bytes(content)
    names = set(_names(folder))
    wrong = sorted(names ^ set(manifest.files))
    changed = sorted(
        name
        for name in names & set(manifest.files)
        if sha256_of(folder / name) != manifest.files[name]
    )
    if wrong or changed:
        raise _refusal(
            f"{', '.join(wrong) or 'no file'} missing or not in the manifest, "
            f"{', '.join(changed) or 'none'} changed"
        )
    return manifest


def _older(folder: Path, expected_digest: str) -> Manifest:
    """Of a version from before manifests: one file, whose digest is the version's."""
    from models.tabular_net import FAMILY, FILE
    from models.tabular_net.onnx_file import check

    if _names(folder) != [FILE]:
        raise _refusal(f"no {MANIFEST}")
    found = sha256_of(folder / FILE)
    if found != expected_digest:
        raise _refusal(f"a {FILE} of sha256 {found}, registered was {expected_digest}")
    columns, _ = check((folder / FILE).read_bytes())
    return Manifest(
        family=FAMILY.name, task=tasks.Binary(), columns=columns, files={FILE: expected_digest}
    )


def _names(folder: Path) -> list[str]:
    """The files below a folder, without its manifest; a member's manifest is one of them.

    Raises:
        ModelRefused: one is a link, a pipe or the like; it was not read.
    """
    found = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    odd = [path.name for path in found if path.is_symlink() or not path.is_file()]
    if odd:
        raise _refusal(f"{', '.join(sorted(odd))}, which is no plain file")
    return sorted(str(path.relative_to(folder)) for path in found if path != folder / MANIFEST)


def _check_allowed(family: Family, folder: Path, manifest: Manifest) -> None:
    """What lies in a member's folder is that member's family's to say."""
    members = [Path(place) for place in manifest.members]
    for name in manifest.files:
        if any(Path(name).is_relative_to(place) for place in members):
            continue
        allowed = [size for pattern, size in family.files.items() if fnmatch(name, pattern)]
        if not allowed:
            raise _refusal(f"{name}, which {family.name} does not write")
        size = (folder / name).stat().st_size
        if size > max(allowed):
            raise _refusal(f"{name} of {size:,} bytes, {max(allowed):,} at most")


def _described(schema: pa.Schema) -> list[dict[str, str]]:
    """Each field's name, type and what its metadata says, for whoever reads the manifest."""
    return [
        {
            "name": field.name,
            "type": str(field.type),
            **{key.decode(): value.decode() for key, value in (field.metadata or {}).items()},
        }
        for field in schema
    ]


def _refusal(found: str) -> ModelRefused:
    return ModelRefused(
        f"the model was not opened: it has {found}; it was changed or replaced: restore it, or "
        "roll back to an earlier version"
    )
