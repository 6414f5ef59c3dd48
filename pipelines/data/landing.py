"""A landed part: its files, and the manifest that names them, which is put last.

    <case>/<feed>/<part>/manifest.json
    <case>/<feed>/<part>/<version>/<file>

The version is made of what the files hold, so a changed part brings files of other names. Who has
read a manifest finds all that it names; the files of the manifest before it stay until the part
changes again. In parts that landed before there were versions the files lie beside the manifest.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self, TypeAlias

from pipelines.core.errors import BatchRefused, MillraceError
from pipelines.core.source import SourceFile
from pipelines.stores.objects import Objects
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Feed, UseCase

MANIFEST = "manifest.json"
# A day of a feed is some hundred kB; a worker holds a whole file in memory.
FILE_BYTES_MAX = 256 * 2**20
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_VERSION = re.compile(r"(?:[0-9a-f]{16})?", re.ASCII)
# What reading a manifest raises where it is not one.
_BROKEN = (ValueError, KeyError, TypeError)

# Entered around the moment at which a part becomes visible; refuses an attempt that was replaced.
Commit: TypeAlias = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class LandedFile:
    """One landed file, as the manifest lists it."""

    name: str
    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True)
class Manifest:
    """What a part is: its files, when it landed, and the version they are kept under.

    Args:
        version: 16 hex digits; empty: the files lie beside the manifest.
    """

    feed: str
    part: str
    files: tuple[LandedFile, ...]
    landed_at: datetime
    version: str = ""

    def place(self, file: LandedFile) -> str:
        """A file's name in the part."""
        return f"{self.version}/{file.name}" if self.version else file.name

    def to_json(self) -> str:
        """The text of a manifest."""
        return json.dumps(asdict(self) | {"landed_at": self.landed_at.isoformat()}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a manifest's text.

        Raises:
            ValueError, KeyError, TypeError: it is none.
        """
        found = json.loads(text)
        files = (
            LandedFile(str(e["name"]), str(e["sha256"]), int(e["bytes"]), int(e["rows"]))
            for e in found["files"]
        )
        landed_at = datetime.fromisoformat(found["landed_at"])
        version = str(found.get("version", ""))
        return cls(found["feed"], found["part"], tuple(files), landed_at, version)


@dataclass(frozen=True)
class LandedPart:
    """What a part holds now, and whether this run brought it."""

    files: Sequence[LandedFile]
    is_new: bool

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


@dataclass(frozen=True)
class DataFile:
    """One landed file to read: its address, its name for people, and what it must hash to.

    Args:
        place: its name in the landing store.
        source_file: case, feed, part and name, whatever its version.
    """

    address: str
    place: str
    source_file: str
    sha256: str
    part: Interval
    landed_at: datetime


def land(
    store: Objects,
    feed: Feed,
    part: Interval,
    files: Iterable[SourceFile],
    *,
    landed_at: datetime,
    commit: Commit,
) -> LandedPart:
    """Put one part's files, then its manifest, into the store that is the part's.

    A part that is there with the same checksums stays as it is, with the instant at which it
    first landed, so that a second run changes nothing downstream.

    Raises:
        MillraceError: the disk is full, a right is missing, a file of the source can't be read.
    """
    try:
        with TemporaryDirectory(prefix="millrace-") as folder:
            landed = tuple(_written(Path(folder), file) for file in files)
            known = intact(store)
            if known is not None and known.files == landed:
                return LandedPart(landed, is_new=False)
            made = Manifest(feed.name, part.key, landed, landed_at, _version(landed))
            for file in landed:
                store.put_file(made.place(file), Path(folder, file.name))
        with commit():
            _publish(store, made)
    except OSError as error:
        raise MillraceError(
            f"{feed.name} of {part} did not land ({error}); what had landed before stays: "
            "make room or repair what the message names, then run extract again"
        ) from error
    return LandedPart(landed, is_new=True)


def intact(store: Objects) -> Manifest | None:
    """The manifest of a part that landed; None: never, or its files are not what it says."""
    try:
        manifest = Manifest.from_json(store.read_text(MANIFEST))
        same = (store.sha256(manifest.place(file)) == file.sha256 for file in manifest.files)
        return manifest if all(same) else None
    except (OSError, BatchRefused, *_BROKEN):
        return None


def _written(folder: Path, file: SourceFile) -> LandedFile:
    """A file of the source's in a folder of this process' own, described."""
    path = folder / file.name
    if not _NAME.fullmatch(file.name) or file.name == MANIFEST or path.exists():
        raise BatchRefused(
            f"the source offers a file named {file.name!r}; a name is letters, digits, '.', '_' "
            f"and '-', each once in a part, and {MANIFEST} is ours"
        )
    rows = file.write(path)
    with path.open("rb") as written:
        digest = file_digest(written, "sha256").hexdigest()
    return LandedFile(file.name, digest, path.stat().st_size, rows)


def _version(files: Iterable[LandedFile]) -> str:
    """Equal for the same files: a part that lands again after a kill meets its own."""
    said = "".join(f"{file.name} {file.sha256}\n" for file in files)
    return sha256(said.encode()).hexdigest()[:16]


def _publish(store: Objects, made: Manifest) -> None:
    """Make the part visible; of what it replaces, keep what readers of the last manifest need."""
    keep = {MANIFEST, *map(made.place, made.files)}
    with suppress(FileNotFoundError, *_BROKEN):
        before = Manifest.from_json(store.read_text(MANIFEST))
        keep |= set(map(before.place, before.files))
    store.put(MANIFEST, made.to_json())
    # The part stands; what can't be removed now is removed when it changes again.
    with suppress(OSError):
        store.keep_only(keep)


def landed_files(landing: Objects, case: UseCase, feed: Feed, interval: Interval) -> list[DataFile]:
    """The data files of every part of an interval that a feed has; none was opened.

    Raises:
        MillraceError: a part was never extracted.
        BatchRefused: a manifest is broken, or names a file outside its own part.
    """
    parts = feed.parts(interval, case.grain)
    return [file for part in parts for file in _part_files(landing, case, feed, part)]


def part_name(case: UseCase, feed: Feed, part: Interval) -> str:
    """Where a part is in the landing store."""
    return f"{case.name}/{feed.name}/{part.key}"


def _part_files(landing: Objects, case: UseCase, feed: Feed, part: Interval) -> Iterator[DataFile]:
    where = part_name(case, feed, part)
    try:
        manifest = Manifest.from_json(landing.read_text(f"{where}/{MANIFEST}"))
    except FileNotFoundError as error:
        raise MillraceError(
            f"the landing of {where} is missing; "
            f"run `millrace extract {case.name} --interval {part.key}` first"
        ) from error
    except _BROKEN as error:
        raise BatchRefused(f"{where}/{MANIFEST} is broken ({error!r}); extract it again") from error
    for file in manifest.files:
        _refuse_unsafe(where, manifest.version, file)
        place = f"{where}/{manifest.place(file)}"
        if not landing.exists(place):
            raise MillraceError(f"{place} is in the manifest but not there; extract it again")
        source_file = f"{where}/{file.name}"
        address = landing.address(place)
        yield DataFile(address, place, source_file, file.sha256, part, manifest.landed_at)


def _refuse_unsafe(where: str, version: str, file: LandedFile) -> None:
    said = f"{where}/{MANIFEST}"
    if not _VERSION.fullmatch(version):
        raise BatchRefused(f"{said}: version {version!r} is not 16 hex digits")
    if not _NAME.fullmatch(file.name):
        raise BatchRefused(f"{said}: {file.name!r} is not the name of a file beside it")
    if not _SHA256.fullmatch(file.sha256):
        raise BatchRefused(f"{said}: sha256 of {file.name} is not 64 hex digits")
    if file.bytes > FILE_BYTES_MAX:
        raise BatchRefused(
            f"{where}/{file.name} has {file.bytes} bytes, above {FILE_BYTES_MAX}; split it"
        )
