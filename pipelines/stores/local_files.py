"""The local disk as an object store: an object is whole or absent, and a plain file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfileobj
from stat import S_ISREG
from typing import IO, Any
from uuid import uuid4

from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from pipelines.core.errors import BatchRefused


class WholeFiles(LocalFileSystem):  # type: ignore[misc]
    """fsspec's local files, but never half written, and never read through a symlink.

    What a bucket does by itself is done here by a hidden file that takes its name at the end; so
    nobody above this class renames anything.
    """

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **_: Any) -> None:
        """Write one object.

        Raises:
            FileExistsError: the mode is `create`, and it is there.
        """
        with _whole(Path(path), is_new=mode == "create") as file:
            file.write(value)

    def put_file(self, path1: str, path2: str, *_: Any, **__: Any) -> None:
        """Copy a file of this machine to an object."""
        with Path(path1).open("rb") as source, _whole(Path(path2), is_new=False) as file:
            copyfileobj(source, file, 2**20)

    def _open(self, path: str, mode: str = "rb", *_: Any, **__: Any) -> IO[bytes]:
        """A plain file for reading; what is anything else is not there.

        Not through a symlink that was put there since its path was checked, and without waiting
        for the other end of a pipe.
        """
        if mode != "rb":
            raise ValueError(f"{path}: objects are written whole, not opened as {mode!r}")
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
        if not S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise FileNotFoundError(f"{path} is not a plain file")
        return file

    def find(self, path: str, *_: Any, **__: Any) -> list[str]:
        """All that lies below a path, unfinished files and links too, which are not followed."""
        return [
            str(Path(folder, name))
            for folder, folders, files in os.walk(path)
            for name in (*files, *(each for each in folders if Path(folder, each).is_symlink()))
        ]


def refuse_links(root: str, name: str) -> None:
    """Refuse a name that leads through a symlink; the root itself may be one: it was set by hand.

    Raises:
        BatchRefused: names the link.
    """
    step = Path(root)
    for piece in name.split("/"):
        step /= piece
        if step.is_symlink():
            raise BatchRefused(f"{name}: {step} is a symlink; objects are plain files")


@contextmanager
def _whole(path: Path, *, is_new: bool) -> Iterator[IO[bytes]]:
    """A file to write, which takes its name when the block has ended well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{uuid4().hex}")
    try:
        with unfinished.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            path.hardlink_to(unfinished)
        else:
            unfinished.replace(path)
        # The name lies in the folder, and a new folder's own name in the one above.
        _sync(path.parent)
        _sync(path.parent.parent)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
