"""A case's files into a repository: all of them, or none."""

import keyword
import re
from collections.abc import Mapping
from pathlib import Path

from pipelines.core.errors import MillraceError, UsageError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,23}", re.ASCII)


def refuse_name(name: str, into: Path) -> None:
    """Check a case's name, and that nothing of that name is there.

    Raises:
        UsageError: it is no lower-case identifier, or taken.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise UsageError(
            f"NAME {name!r} is not a lower-case identifier of at most 24 characters, such as loans"
        )
    for room in ("pipelines/use_cases", "expectations", "features", "models"):
        folder = into / room
        if not folder.is_dir():
            raise UsageError(f"--into {into} is not the repository's folder: it has no {room}")
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
