"""Files that people and stages read while others write them."""

from pathlib import Path
from uuid import uuid4


def write_whole(path: Path, text: str) -> None:
    """Whole or not at all, also when several stages write the same file at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid4().hex}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
