"""Checkpoints that are whole or not there: digest first, written aside, fsynced, renamed (R20)."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from models.errors import CheckpointRefused
from models.files import write_atomically

_DIGEST_BYTES = 32
# The newest, and the one before it in case the newest can't be read.
_KEPT = 2


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one training in one folder, named by step.

    Args:
        folder: where they are; must exist, and be the same folder for all ranks.
        every_steps: how many steps lie between two of them.

    Raises:
        ValueError: `every_steps` is below 1.
    """

    folder: Path
    every_steps: int = 200

    def __post_init__(self) -> None:
        if self.every_steps < 1:
            raise ValueError(f"Checkpoints.every_steps: {self.every_steps} is below 1; give 1 up")

    def save(self, step: int, fingerprint: str, state: Mapping[str, Any]) -> None:
        """Write the state after `step` steps, then forget all but the newest two."""
        content = io.BytesIO()
        torch.save({"fingerprint": fingerprint, "state": dict(state)}, content)
        payload = content.getvalue()
        write_atomically(
            self.folder / f"step-{step:09d}.pt", hashlib.sha256(payload).digest() + payload
        )
        for old in self._files()[_KEPT:]:
            old.unlink()

    def load(self, fingerprint: str) -> dict[str, Any] | None:
        """The newest state that is whole; None when there is none.

        Raises:
            CheckpointRefused: it was made with other rows, options or code of the net.
        """
        for path in self._files():
            found = _read(path)
            if found is None:
                continue
            if found["fingerprint"] != fingerprint:
                raise CheckpointRefused(
                    f"{path} belongs to another training (its rows or options differ); "
                    "give an empty folder"
                )
            state: dict[str, Any] = found["state"]
            return state
        return None

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.pt"), reverse=True)


def _read(path: Path) -> dict[str, Any] | None:
    content = path.read_bytes()
    digest, payload = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(payload).digest() != digest:
        return None
    found: dict[str, Any] = torch.load(io.BytesIO(payload), weights_only=True)
    return found
