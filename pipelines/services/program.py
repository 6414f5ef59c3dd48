"""What the supervisor starts: an argument list, its own environment, and whose rights it has."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from pipelines.core.errors import ServiceUnavailable

# The folder of `airflow`, `mlflow`, `dbt` and of the interpreter that runs this.
BIN = Path(sys.executable).parent


def installed(package: str) -> Path:
    """The folder of a package, which is not imported."""
    found = find_spec(package)
    if found is None or not found.origin:
        raise ServiceUnavailable(f"{package} is not installed; run `make run` again")
    return Path(found.origin).parent


@dataclass(frozen=True)
class Program:
    """One process of a part; `user` is who it runs as when we are root."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: tuple[int, int] | None = None
    folder: Path | None = None

    def full_environment(self) -> dict[str, str]:
        """What the process sees: ours, our own programs first on the path, then its own."""
        path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return {**os.environ, "PATH": path, **self.environment}

    def replace_process(self) -> None:
        """Become this program: same process id, so that the supervisor looks after it."""
        if self.folder:
            os.chdir(self.folder)
        if self.user:
            os.setgroups([])
            os.setgid(self.user[1])
            os.setuid(self.user[0])
        os.execve(self.argv[0], self.argv, self.full_environment())  # noqa: S606
