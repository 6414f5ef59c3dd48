"""What extract left in the landing folder, checked before anything is opened."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.core.errors import BatchRefused, MillraceError
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Feed, UseCase

# A day of a feed is some hundred kB; a worker holds a whole file in memory.
FILE_BYTES_MAX = 256 * 2**20
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class LandedFile:
    """One data file: where it is, of which part it is, and what it must hash to."""

    path: Path
    source_file: str
    sha256: str
    part: Interval
    landed_at: datetime


def landed_files(root: Path, case: UseCase, feed: Feed, interval: Interval) -> list[LandedFile]:
    """The data files of every part of an interval that a feed has.

    Raises:
        MillraceError: a part was never extracted.
        BatchRefused: a manifest is broken, or names a file outside its own folder.
    """
    parts = feed.parts(interval, case.grain)
    return [file for part in parts for file in _part_files(root, case, feed, part)]


def _part_files(root: Path, case: UseCase, feed: Feed, part: Interval) -> Iterator[LandedFile]:
    folder = root / case.name / feed.name / part.key
    where = f"{case.name}/{feed.name}/{part.key}"
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        landed_at = datetime.fromisoformat(manifest["landed_at"])
        entries = [(str(e["name"]), str(e["sha256"]), int(e["bytes"])) for e in manifest["files"]]
    except FileNotFoundError as error:
        raise MillraceError(
            f"the landing of {where} is missing; "
            f"run `millrace extract {case.name} --interval {part.key}` first"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BatchRefused(f"{where}/manifest.json is broken ({error!r}); extract it again") from (
            error
        )
    for name, sha256, size in entries:
        _refuse_unsafe(folder, where, name, sha256, size)
        yield LandedFile(folder / name, f"{where}/{name}", sha256, part, landed_at)


def _refuse_unsafe(folder: Path, where: str, name: str, sha256: str, size: int) -> None:
    if not _FILE_NAME.fullmatch(name):
        raise BatchRefused(f"{where}/manifest.json: {name!r} is not the name of a file beside it")
    if not _SHA256.fullmatch(sha256):
        raise BatchRefused(f"{where}/manifest.json: sha256 of {name} is not 64 hex digits")
    if (folder / name).is_symlink() or folder.is_symlink():
        raise BatchRefused(f"{where}/{name} is a symlink; landing files are plain files")
    if not (folder / name).is_file():
        raise MillraceError(f"{where}/{name} is in the manifest but not there; extract it again")
    if size > FILE_BYTES_MAX:
        raise BatchRefused(f"{where}/{name} has {size} bytes, above {FILE_BYTES_MAX}; split it")
