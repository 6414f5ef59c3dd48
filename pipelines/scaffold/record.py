"""What `millrace new` was asked, and what it wrote: kept beside the case's sample."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipelines.core.errors import UsageError
from pipelines.scaffold.ask import Ask


@dataclass(frozen=True, kw_only=True)
class Record:
    """One proposal.

    Args:
        proposed_on: the day that its texts name.
        written: each file's digest, by its path in the repository.
    """

    ask: Ask
    proposed_on: date
    written: Mapping[str, str]

    @property
    def text(self) -> str:
        """As its file has it."""
        said = {"ask": asdict(self.ask), "proposed_on": str(self.proposed_on)}
        return json.dumps({**said, "written": self.written}, indent=2) + "\n"

    def edited(self, into: Path) -> list[str]:
        """The files that are there, but not as they were written."""
        return [
            path
            for path, digest in self.written.items()
            if (into / path).exists() and digest_of((into / path).read_bytes()) != digest
        ]


def path_of(name: str) -> str:
    """Where a case's record is, in the repository."""
    return f"tests/golden/{name}_proposal.json"


def digest_of(content: bytes) -> str:
    """The SHA-256 of a file's content."""
    return sha256(content).hexdigest()


def recorded(ask: Ask, texts: Mapping[str, str], proposed_on: date) -> Record:
    """The record of these files."""
    written = {path: digest_of(text.encode()) for path, text in texts.items()}
    return Record(ask=ask, proposed_on=proposed_on, written=written)


def read(name: str, into: Path) -> Record:
    """The record of a case.

    Raises:
        UsageError: `millrace new` wrote no such case, or its record can't be read.
    """
    path = into / path_of(name)
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        known = {field.name for field in fields(Ask)}
        said = {key: _value(value) for key, value in found["ask"].items() if key in known}
        day = date.fromisoformat(found["proposed_on"])
        return Record(ask=Ask(**said), proposed_on=day, written=dict(found["written"]))
    except FileNotFoundError as error:
        raise UsageError(
            f"NAME {name!r} is no case that `millrace new` wrote: {path_of(name)} is not there"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path_of(name)} can't be read ({error}): restore it") from error


def _value(value: Any) -> Any:
    """JSON has lists where an `Ask` has tuples."""
    return tuple(value) if isinstance(value, list) else value
