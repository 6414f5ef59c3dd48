"""Somebody's case in a copy of the repository first: formatted and tried there."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from shutil import copy2, copytree, ignore_patterns
from tempfile import TemporaryDirectory

from pipelines.core.errors import MillraceError, UsageError

ROOMS = ("pipelines", "features", "models", "expectations")


def refuse_folder(into: Path) -> None:
    """Check that a folder is a repository's.

    Raises:
        UsageError: a room is missing.
    """
    for room in ("pipelines/use_cases", *ROOMS[1:]):
        if not (into / room).is_dir():
            raise UsageError(f"--into {into} is not the repository's folder: it has no {room}")


def tried(name: str, texts: Mapping[str, str], into: Path) -> Mapping[str, str]:
    """The texts as the formatter leaves them, once a copy of the repository works with them.

    Raises:
        MillraceError: it does not; says what fails, and nothing was written.
    """
    with TemporaryDirectory(prefix="millrace-new-") as folder:
        copy = Path(folder)
        _copy(into, copy)
        for path, text in texts.items():
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            (copy / path).write_text(text, encoding="utf-8", newline="")
        _format([path for path in texts if path.endswith(".py")], copy)
        _try(name, copy)
        return {path: _text(copy / path) for path in texts}


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _copy(into: Path, copy: Path) -> None:
    for room in ROOMS:
        copytree(into / room, copy / room, ignore=ignore_patterns("__pycache__", ".*"))
    if (into / "pyproject.toml").exists():
        copy2(into / "pyproject.toml", copy)


def _format(paths: Sequence[str], copy: Path) -> None:
    """As `make check` wants it, where the tools of development are installed."""
    if find_spec("ruff"):
        _run((sys.executable, "-m", "ruff", "format", "--quiet", "--no-cache", *paths), copy)


def _try(name: str, copy: Path) -> None:
    ended = _run((sys.executable, "-m", "pipelines.scaffold.rehearsal", name), copy)
    if ended.returncode:
        said = ended.stderr.strip().splitlines() or [f"it ended with {ended.returncode}"]
        raise MillraceError(
            f"the case {name} would not work, so nothing was written: {said[-1]}. If that does not "
            "say what to change in your table, it is a mistake of `millrace new`: report it"
        )


def _run(words: Sequence[str], copy: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        words, cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
