"""A case's files into a repository, and out of it: all of them, or none."""

import keyword
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipelines.core.errors import MillraceError, UsageError
from pipelines.scaffold.trial import ROOMS, refuse_folder

_NAME = re.compile(r"[a-z][a-z0-9_]{0,23}", re.ASCII)


def refuse_name(name: str) -> None:
    """Check a case's name.

    Raises:
        UsageError: it is no lower-case identifier.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise UsageError(
            f"NAME {name!r} is not a lower-case identifier of at most 24 characters, such as loans"
        )


def refuse_taken(name: str, into: Path) -> None:
    """Check that nothing of a case's name is there.

    Raises:
        UsageError: something is, or the folder is no repository's.
    """
    refuse_folder(into)
    for room in ("pipelines/use_cases", *ROOMS[1:]):
        folder = into / room
        if (folder / f"{name}.py").exists() or (folder / name).exists():
            raise UsageError(f"NAME {name!r} is taken: {room}/{name}.py is there")


def write(texts: Mapping[str, str], into: Path) -> None:
    """Write every file, by its path in the repository.

    Raises:
        UsageError: a file is there already; nothing is written then.
        MillraceError: the disk refuses; what was written is removed.
    """
    there = [path for path in texts if (into / path).exists()]
    if there:
        raise UsageError(f"{', '.join(there)} is there already; nothing was written")
    made: list[Path] = []
    try:
        for path, text in texts.items():
            _make_folders(into / path, made)
            made.append(into / path)
            # `x`: whoever made it meanwhile keeps it.
            with (into / path).open("x", encoding="utf-8", newline="") as file:
                file.write(text)
    except OSError as error:
        _undo(made)
        raise MillraceError(f"{error}; nothing was written") from error


def _make_folders(path: Path, made: list[Path]) -> None:
    for folder in reversed(path.parents):
        if not folder.exists():
            folder.mkdir()
            made.append(folder)


def _undo(made: list[Path]) -> None:
    for path in reversed(made):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)


def replace(texts: Mapping[str, str], gone: Iterable[str], into: Path) -> None:
    """Write files over those there, and take away others; as it was, if the disk refuses.

    Raises:
        MillraceError: it did.
    """
    paths = [*texts, *gone]
    before = {path: _content(into / path) for path in paths}
    try:
        for path in paths:
            _put(into / path, texts[path].encode() if path in texts else None)
    except OSError as error:
        for path, content in before.items():
            _put(into / path, content)
        raise MillraceError(f"{error}; nothing was changed") from error
    for path in paths:
        _prune(into / path, into)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _put(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _prune(path: Path, into: Path) -> None:
    """Take away the folders that a file has left empty."""
    for folder in path.parents:
        if folder == into or not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()
