"""What a case needs beyond the platform's packages: a hashed lock of its own beside its file.

Standard library only: Dags import this at parse time.
"""

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


def pinned(lock: Path) -> dict[str, str]:
    """The version of each package of a lock, in pip's format of requirements."""
    return dict(_PINNED.findall(lock.read_text()))


def unavailable(lock: Path) -> str:
    """Why a case can't be worked on here, and what helps, in words; empty: it can be."""
    if not lock.exists():
        return ""
    absent = [f"{name} {wanted}" for name, wanted in pinned(lock).items() if not _has(name, wanted)]
    if not absent:
        return ""
    return (
        f"{', '.join(absent)} of {lock.name} is not installed; `make run CASE={lock.stem}` does "
        f"it, in containers `make up CASE={lock.stem}`"
    )


def _has(name: str, wanted: str) -> bool:
    try:
        return version(name) == wanted
    except PackageNotFoundError:
        return False
