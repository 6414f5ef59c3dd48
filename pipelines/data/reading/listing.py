"""The files of a location, on a disk or in an object store: which are data, and of what kind.

Hidden and unfinished ones are left alone, and folders named `key=value` are columns, as Hive has
them.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import unquote

import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import fs

from pipelines.core.errors import BatchRefused, MillraceError
from pipelines.data.reading.batches import FileRefused
from pipelines.data.reading.paths import allowed

_STORES = re.compile(r"(?:s3|gs|gcs|abfs|abfss|hdfs)://")
_KINDS: Mapping[str, str] = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".psv", ".txt", ".dat"), "delimited"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "json"),
    **dict.fromkeys((".parquet", ".pq", ".arrow", ".feather", ".ipc"), "arrow"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "excel"),
}
_PACKED = (".gz", ".bz2", ".zst", ".lz4", ".zip")
# In a folder these are as often notes as data: they count only where nothing else does.
_PERHAPS = (".txt", ".dat", ".tab")
# What editors, browsers and copying programs call what is not done yet, or not meant to be read.
_LEFT_ALONE = re.compile(r"[._~].*|.*(?:~|\.tmp|\.part|\.partial|\.crdownload|\.swp|\.bak)")
_HIVE = re.compile(r"([A-Za-z_][A-Za-z0-9_ ]*)=(.*)")
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Found:
    """One file of data.

    Args:
        name: its path in the location.
        partition: the columns that the names of its folders are.
        signature: changes when its content does.
    """

    store: fs.FileSystem
    path: str
    name: str
    kind: str
    signature: str
    partition: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        """What its name ends with, apart from how it is packed; in lower case."""
        return _suffix(self.path)

    def open(self) -> BinaryIO:
        """Its bytes from the start, unpacked.

        Raises:
            FileRefused: a zip of none or several files.
        """
        if self.path.lower().endswith(".zip"):
            return _unzipped(self.store.open_input_file(self.path))
        opened: Any = self.store.open_input_stream(self.path)
        return opened  # type: ignore[no-any-return]

    def open_seekable(self) -> BinaryIO:
        """Its bytes, packed as they are, in any order."""
        opened: Any = self.store.open_input_file(self.path)
        return opened  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Folder:
    """A folder that is one table by its own log."""

    store: fs.FileSystem
    path: str

    @property
    def name(self) -> str:
        """Its last piece."""
        return PurePosixPath(self.path).name

    def open(self, name: str) -> BinaryIO:
        """One of its files, to be read in any order."""
        opened: Any = self.store.open_input_file(f"{self.path}/{name}")
        return opened  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Listing:
    """The files of a location in the order of their paths, and what was left alone there.

    Args:
        delta: the location is a Delta table, whose log names its files.
    """

    files: Sequence[Found]
    left_alone: Sequence[str] = ()
    delta: Folder | None = None


def listed(location: str, roots: Sequence[Path]) -> Listing:
    """The files at a path in one of the roots, or below the URL of an object store.

    Raises:
        BatchRefused: the path is outside the roots, or nothing there is data.
        MillraceError: there is nothing, or the store can't be reached.
    """
    with failing_plainly(location):
        if _STORES.match(location):
            store, path = fs.FileSystem.from_uri(location)
            return _listed(store, path)
        return _listed(fs.LocalFileSystem(), str(allowed(location, roots)), roots)


@contextmanager
def failing_plainly(where: str) -> Iterator[None]:
    """What a store or a packed file raises, in words."""
    try:
        yield
    except (OSError, pa.ArrowException, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BatchRefused(f"{where} can't be read: {error}") from error


def _listed(store: fs.FileSystem, path: str, roots: Sequence[Path] = ()) -> Listing:
    info = store.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        raise MillraceError(f"there is no {path}; run extract again once it is there")
    if info.is_file:
        return Listing([_found(store, info, info.base_name)])
    if store.get_file_info(f"{path}/_delta_log").type == fs.FileType.Directory:
        return Listing((), delta=Folder(store, path))
    below = store.get_file_info(fs.FileSelector(path, recursive=True))
    named = {
        str(PurePosixPath(each.path).relative_to(path)): each for each in below if each.is_file
    }
    plain = {name: each for name, each in named.items() if not _is_left_alone(name)}
    sure = {name: each for name, each in plain.items() if _is_data(name)}
    chosen = sure or {name: each for name, each in plain.items() if _suffix(name) in _PERHAPS}
    for each in chosen.values():
        if roots:
            allowed(each.path, roots)
    if not chosen:
        raise BatchRefused(
            f"{path} holds no file named {', '.join('*' + suffix for suffix in _KINDS)}"
        )
    files = [_found(store, chosen[name], name) for name in sorted(chosen)]
    return Listing(files, sorted(named.keys() - chosen.keys()))


def _found(store: fs.FileSystem, info: fs.FileInfo, name: str) -> Found:
    pairs = (_HIVE.fullmatch(step) for step in PurePosixPath(name).parts[:-1])
    partition = {
        pair[1]: None if pair[2] == _HIVE_NULL else unquote(pair[2]) for pair in pairs if pair
    }
    signature = f"{info.size} {info.mtime_ns}"
    kind = _KINDS.get(_suffix(name), "delimited")
    return Found(store, info.path, name, kind, signature, partition)


def _suffix(name: str) -> str:
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    plain = [suffix for suffix in suffixes if suffix not in _PACKED]
    return plain[-1] if plain else ""


def _is_data(name: str) -> bool:
    return _suffix(name) in _KINDS and _suffix(name) not in _PERHAPS


def _is_left_alone(name: str) -> bool:
    return any(
        _LEFT_ALONE.fullmatch(step) and not _HIVE.fullmatch(step)
        for step in PurePosixPath(name).parts
    )


def _unzipped(packed: Any) -> BinaryIO:
    archive = zipfile.ZipFile(packed)
    names = [name for name in archive.namelist() if not name.endswith("/")]
    names = [name for name in names if not _is_left_alone(name) and "__MACOSX" not in name]
    if len(names) != 1:
        raise FileRefused(f"the zip has {len(names)} files; unpack it, and name one or the folder")
    return archive.open(names[0])  # type: ignore[return-value]
