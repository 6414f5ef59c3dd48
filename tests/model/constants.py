"""A family for tests of the artifact: a number in a file, and members; no package is needed."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from models import artifact, members
from models.artifact import MANIFEST, digest_of, open_folder, seal
from models.columns import Columns
from models.family import NOTHING, Family, Scorer, Settings
from models.tasks import Regression

COLUMNS, TASK = Columns(numeric=("x",)), Regression()
INNER = "members/inner/said.json"


class Constant(Scorer):
    """Says the same of every row."""

    asked, answer = COLUMNS.schema, TASK.answer

    def __init__(self, said: float) -> None:
        self.said, self.closed = said, False

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:  # noqa: ARG002
        names = self.answer.names
        columns = [pa.array([self.said] * table.num_rows, pa.float32()) for _ in names]
        return pa.table(columns, schema=self.answer)

    def close(self) -> None:
        self.closed = True


class Constants(Family):
    """Opens a number, or the members it is made of; notes what was opened."""

    name = "constants"
    settings = Settings
    files: Mapping[str, int] = {"said.json": 20, "notes/*.txt": 20}

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.requires: tuple[str, ...] = ()

    def command(self, job: Path, *, num_processes: int) -> list[str]:
        raise NotImplementedError

    def open(self, folder: Path, manifest: Any, bases: Any = NOTHING, **how: Any) -> Scorer:
        self.opened.append(folder.name)
        members.opened(folder, manifest.members, bases, **how)
        return Constant(json.loads((folder / "said.json").read_text()))


def fill(folder: Path, said: float = 2.5) -> Path:
    (folder / "notes").mkdir(parents=True)
    (folder / "said.json").write_text(json.dumps(said))
    (folder / "notes" / "why.txt").write_text("a test")
    return folder


def sealed(folder: Path, **more: Any) -> str:
    return seal(folder, TASK, COLUMNS, "constants", **more)


def opened(folder: Path, digest: str | None = None, **more: Any) -> artifact.Model:
    registered = digest_of((folder / MANIFEST).read_bytes()) if digest is None else digest
    return open_folder(folder, registered, {"encoder": folder.parent / "base.bin"}, **more)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def rewritten(folder: Path, change: Callable[[dict[str, Any]], object]) -> str:
    """The digest of a manifest with other values: as if such a one had been registered."""
    path = folder / MANIFEST
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    return digest_of(path.read_bytes())
