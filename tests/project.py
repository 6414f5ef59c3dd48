"""A copy of the project, in which tests may add a case and edit it."""

import shutil
from pathlib import Path

from pipelines.core.settings import ROOT

_PARTS = ("dags", "plugins", "pipelines", "features", "models", "expectations", "tests")


def copy_of_the_project(folder: Path) -> Path:
    for part in _PARTS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder
