"""Files that are whole or not there."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# How the name of a file ends that is not whole yet.
PARTIAL = ".partial"


def write_atomically(path: Path, content: bytes) -> None:
    """A reader sees the old file or the whole new one, also after a power cut."""
    aside = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """The same for plain values; NaN is no JSON, so it is refused."""
    write_atomically(path, json.dumps(values, indent=2, allow_nan=False).encode())
