"""Which code ran: the commit, and whether the working tree differed from it."""

import shutil
import subprocess
from functools import cache
from importlib.metadata import version

from pipelines.core.settings import ROOT


@cache
def code_version() -> str:
    """Such as `0.1.0+3f2a91c` or `0.1.0+3f2a91c-dirty`; without git just the package's version."""
    package = version("millrace")
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        return package
    describe = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--match="]
    found = subprocess.run(describe, capture_output=True, text=True, check=False)
    return f"{package}+{found.stdout.strip()}" if found.returncode == 0 else package
