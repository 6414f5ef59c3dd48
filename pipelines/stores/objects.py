"""The object layer: all that lies below the lake, the landing, the artifacts and the reports.

A store is an address and its fsspec filesystem; nobody else opens a path below one. An object
appears whole or not at all, and nothing is renamed: objects that belong together are committed by
one more object that names them, put last.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import file_digest
from io import BufferedIOBase
from pathlib import Path
from typing import Self, cast

from fsspec import AbstractFileSystem  # type: ignore[import-untyped]
from fsspec.core import url_to_fs  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from pipelines.core.errors import BatchRefused
from pipelines.core.settings import Settings
from pipelines.stores.local_files import WholeFiles, refuse_links

# Neither `..` nor what begins with a dot, which is how an unfinished file is named.
_PIECE = re.compile(r"[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]{0,254}")


@dataclass(frozen=True)
class Objects:
    """Objects below one address.

    Args:
        root: the address, as the filesystem has it; no name leads out of it.
        prefix: where in it the names begin, such as `flight_delays/weather`.

    Example:
        >>> store = Objects.at("memory://lake").below("landing")
        >>> store.put("a/manifest.json", "{}")
        >>> store.names(), store.read_text("a/manifest.json")
        (['a/manifest.json'], '{}')
    """

    root: str
    files: AbstractFileSystem
    prefix: str = ""

    @classmethod
    def at(cls, address: str) -> Self:
        """The store at an address: a folder's absolute path, or what else fsspec knows."""
        # A listing that is kept would not show what another process has put.
        files, root = url_to_fs(address, use_listings_cache=False)
        if isinstance(files, LocalFileSystem):
            files = WholeFiles(use_listings_cache=False)
        return cls(root.rstrip("/"), files)

    def below(self, prefix: str) -> Self:
        """The part of this store whose names begin with a prefix; its root is the same."""
        return replace(self, prefix=self._name(prefix))

    @property
    def name(self) -> str:
        """The last piece of the store's own address."""
        return f"{self.root}/{self.prefix}".rstrip("/").rpartition("/")[2]

    @property
    def address_of_root(self) -> str:
        """What `at` takes, for a store that another process opens."""
        return str(self.files.unstrip_protocol(self.root))

    def address(self, name: str) -> str:
        """An object's address as other programs take it, such as `file:///lake/a`."""
        return str(self.files.unstrip_protocol(self._path(name)))

    def exists(self, name: str) -> bool:
        """Whether there is a whole object of that name."""
        return bool(self.files.isfile(self._path(name)))

    def open(self, name: str) -> BufferedIOBase:
        """An object for reading.

        Raises:
            FileNotFoundError: there is none.
            BatchRefused: the name leads elsewhere.
        """
        return cast("BufferedIOBase", self.files.open(self._path(name), "rb"))

    def read_bytes(self, name: str) -> bytes:
        """An object's content."""
        with self.open(name) as file:
            return file.read()

    def read_text(self, name: str) -> str:
        """An object's content, as UTF-8."""
        return self.read_bytes(name).decode()

    def sha256(self, name: str) -> str:
        """An object's digest, in hex, read in pieces."""
        with self.open(name) as file:
            return file_digest(file, "sha256").hexdigest()

    def put(self, name: str, content: bytes | str) -> None:
        """Write an object, or replace it: readers see the old or the new one."""
        self.files.pipe_file(self._path(name), _bytes(content))

    def put_file(self, name: str, source: Path) -> None:
        """Write an object from a file of this machine."""
        self.files.put_file(str(source), self._path(name))

    def put_if_absent(self, name: str, content: bytes | str) -> bool:
        """Write an object where there is none; whether it was this call that wrote it."""
        try:
            self.files.pipe_file(self._path(name), _bytes(content), mode="create")
        except FileExistsError:
            return False
        return True

    def names(self, prefix: str = "") -> list[str]:
        """The names of the objects below a prefix, sorted."""
        found = self._below(prefix)
        return sorted(name for name in found if not name.rpartition("/")[2].startswith("."))

    def keep_only(self, names: Iterable[str]) -> None:
        """Remove all others, and what killed writers left unfinished: for a store's only writer."""
        for name in set(self._below("")).difference(names):
            self.files.rm_file(f"{self._start('')}/{name}")

    def _below(self, prefix: str) -> list[str]:
        start = self._start("")
        return [path.removeprefix(f"{start}/") for path in self.files.find(self._start(prefix))]

    def _start(self, prefix: str) -> str:
        """Where a listing begins; of the whole store there is no name to check."""
        return self._path(prefix) if prefix or self.prefix else self.root

    def _path(self, name: str) -> str:
        full = self._name(name)
        if isinstance(self.files, WholeFiles):
            refuse_links(self.root, full)
        return f"{self.root}/{full}"

    def _name(self, name: str) -> str:
        full = "/".join(part for part in (self.prefix, name) if part)
        if not all(map(_PIECE.fullmatch, full.split("/"))):
            raise BatchRefused(
                f"{full!r} is not the name of an object: its pieces are plain, none is empty or "
                "begins with a dot"
            )
        return full


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def landing(settings: Settings) -> Objects:
    """The sources' files, by case, feed and part (`pipelines.data.landing`)."""
    return Objects.at(settings.objects.landing)


def warehouse(settings: Settings) -> Objects:
    """Spark's tables, which are read here and written by Spark alone."""
    return Objects.at(settings.objects.warehouse)


def artifacts(settings: Settings) -> Objects:
    """Large files by their sha256, which workers open by address."""
    return Objects.at(settings.objects.artifacts)


def reports(settings: Settings) -> Objects:
    """Pages for people, served as they are."""
    return Objects.at(settings.objects.reports)


def lineage(settings: Settings) -> Objects:
    """Compiled SQL and worked out columns, by the digest of the code they came from."""
    return Objects.at(settings.objects.lineage)
