"""The landing folder: the files of one part, complete, checksummed, renamed into place at once."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Protocol, TypeAlias
from uuid import uuid4

from pipelines.core.errors import BatchRefused, MillraceError
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Feed

MANIFEST = "manifest.json"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", re.ASCII)

# Entered around the moment at which a part becomes visible; refuses an attempt that was replaced.
Commit: TypeAlias = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class SourceFile:
    """A file that a source offers: its name, and how to write it to a path; gives its rows."""

    name: str
    write: Callable[[Path], int]


class Source(Protocol):
    """A source system: the files that it published of one feed in one part."""

    def files(self, feed: Feed, part: Interval) -> Iterable[SourceFile]: ...


@dataclass(frozen=True)
class LandedFile:
    """One landed file, as the manifest lists it."""

    name: str
    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True)
class LandedPart:
    """What lies in a part's folder now, and whether this run brought it."""

    files: Sequence[LandedFile]
    is_new: bool

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


def land(
    folder: Path,
    feed: Feed,
    part: Interval,
    files: Iterable[SourceFile],
    *,
    landed_at: datetime,
    commit: Commit,
) -> LandedPart:
    """Write one part's files and its manifest, all or nothing.

    A part that is there with the same checksums stays as it is, with the instant at which it
    first landed, so that a second run changes nothing downstream.

    Raises:
        MillraceError: the disk is full, a right is missing, a file of the source can't be read.
    """
    try:
        temporary = _fresh_sibling(folder)
        try:
            landed = [_write(temporary, file) for file in files]
            is_new = landed != landed_files(folder)
            if is_new:
                _seal(temporary, feed, part, landed, landed_at)
                with commit():
                    _swap(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise MillraceError(
            f"{feed.name} of {part} did not land ({error}); what had landed before stays: "
            "make room or repair what the message names, then run extract again"
        ) from error
    return LandedPart(landed, is_new)


def landed_files(folder: Path) -> list[LandedFile] | None:
    """The files of a part that landed; None: never, or they are not what the manifest says."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        datetime.fromisoformat(manifest["landed_at"])
        files = [LandedFile(**file) for file in manifest["files"]]
        intact = all(_sha256(folder / file.name) == file.sha256 for file in files)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return files if intact else None


def _fresh_sibling(folder: Path) -> Path:
    """A new folder beside the part's; what killed runs of this part left there goes."""
    for left in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(left, ignore_errors=True)
    fresh = folder.with_name(f".{folder.name}.{uuid4().hex}")
    fresh.mkdir(parents=True)
    return fresh


def _write(folder: Path, file: SourceFile) -> LandedFile:
    path = folder / file.name
    if not _NAME.fullmatch(file.name) or file.name == MANIFEST or path.exists():
        raise BatchRefused(
            f"the source offers a file named {file.name!r}; a name is letters, digits, '.', '_' "
            f"and '-', each once in a part, and {MANIFEST} is ours"
        )
    rows = file.write(path)
    with path.open("rb") as written:
        os.fsync(written.fileno())
    return LandedFile(file.name, _sha256(path), path.stat().st_size, rows)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _seal(
    folder: Path, feed: Feed, part: Interval, landed: Iterable[LandedFile], landed_at: datetime
) -> None:
    manifest = {
        "feed": feed.name,
        "part": part.key,
        "files": [asdict(file) for file in landed],
        "landed_at": landed_at.isoformat(),
    }
    with (folder / MANIFEST).open("w") as file:
        json.dump(manifest, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(folder)


def _swap(temporary: Path, folder: Path) -> None:
    """Put the new part in place of the old; a kill in between leaves no part, never half a one."""
    old = folder.with_name(f".{folder.name}.old")
    if folder.exists():
        folder.rename(old)
    temporary.rename(folder)
    _sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
