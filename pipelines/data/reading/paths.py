"""Which paths may be read: those in the folders that a setting names, and nothing by a detour."""

import re
from collections.abc import Sequence
from pathlib import Path

from pipelines.core.errors import BatchRefused

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def allowed(path: str | Path, roots: Sequence[Path]) -> Path:
    """The path, if it lies in one of the roots with no symlink on the way; opens nothing.

    Raises:
        BatchRefused: it does not, or it is a URL, relative, or has `..` in it.

    Example:
        >>> allowed("/data/a.csv", [Path("/data")])
        PosixPath('/data/a.csv')
    """
    plain = Path(refuse_url(str(path)))
    if not plain.is_absolute() or ".." in plain.parts or "\0" in str(path):
        raise BatchRefused(f"data path {str(path)!r} must be absolute and without '..'")
    root = next((root for root in roots if plain.is_relative_to(root)), None)
    if root is None:
        raise BatchRefused(
            f"data path {str(path)!r} is in none of the allowed folders "
            f"{[str(root) for root in roots]}; MILLRACE_DATA_ROOTS lists them"
        )
    link = next((step for step in (plain, *plain.parents) if _is_link_below(step, root)), None)
    if link is not None:
        raise BatchRefused(f"data path {str(path)!r}: {link} is a symlink, which could lead out")
    return plain


def refuse_url(path: str) -> str:
    """The path, unless it is a URL.

    Raises:
        BatchRefused: it is one.
    """
    if _URL.match(path):
        raise BatchRefused(f"data path {path!r} is a URL; files are read from folders only")
    return path


def _is_link_below(step: Path, root: Path) -> bool:
    """Whether a step of the way is a symlink; the root itself may be one, it was set by hand."""
    return step != root and step.is_relative_to(root) and step.is_symlink()
