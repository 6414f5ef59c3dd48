"""A home as a folder: whether it is one, and its end."""

import shutil
from pathlib import Path

from pipelines.core.errors import UsageError
from pipelines.core.settings import ROOT

# Every first start makes both; no other program makes the two together.
_MARK = ("first_started", "secrets/airflow_fernet")

# What a start that failed half-way, or a stage without one, may have made.
_OURS = frozenset(
    (
        *(".starting", "first_started", "secrets", "supervisor", "logs"),
        *("pg", "pg.unfinished", "spark", "airflow", "mlflow"),
        *("lake", "reports", "online", "dbt", "training", "lineage"),
    )
)


def check(home: Path) -> None:
    """Refuse a folder that may hold more than a platform's state, before it is removed.

    Raises:
        UsageError: says why, and what to do.
    """
    if why := _why_not(home):
        raise UsageError(
            f"{home} is not removed: {why}; set MILLRACE_HOME to the home of a platform, "
            "or remove what you do not need there yourself"
        )


def remove(home: Path) -> None:
    """Remove it; where it is a link, what the link leads to as well."""
    if home.exists():
        shutil.rmtree(home.resolve())
    if home.is_symlink():
        home.unlink()


def _why_not(home: Path) -> str:
    if not home.exists():
        return ""
    if not home.is_dir():
        return "it is a file"
    # Where somebody once started a platform in it, such a folder even has our mark.
    for folder, is_what in ((ROOT, "the code"), (Path.home(), "your own files")):
        if folder.resolve().is_relative_to(home.resolve()):
            return f"it holds {is_what}"
    if all((home / path).exists() for path in _MARK):
        return ""
    others = sorted(path.name for path in home.iterdir() if path.name not in _OURS)
    return f"no platform was started there, and it holds {others[0]!r}" if others else ""
