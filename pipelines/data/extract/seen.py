"""The files of a source as they were when they were read: one that is the same is not read again.

Nothing of it can be new if its newest row was published before the parts that are. A changed file
is read as a whole, because nothing says what changed in it; the digests of its rows do.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.data.extract.publications import PLACED
from pipelines.data.reading.batches import FILE
from pipelines.use_cases.spec.interval import Interval

FILES = b"millrace.files"
_NEVER = datetime.min.replace(tzinfo=UTC)


class SeenFile(NamedTuple):
    """What was in a file: when the newest of its rows was published, and how many there were."""

    signature: str
    last: datetime = _NEVER
    num_rows: int = 0


def unchanged(
    seen: Mapping[str, SeenFile], signatures: Mapping[str, str], new: Sequence[Interval]
) -> Mapping[str, SeenFile]:
    """The files that are as they were, and have no row of a new part."""
    start = min((part.start for part in new), default=_NEVER)
    return {
        name: file
        for name, file in seen.items()
        if signatures.get(name) == file.signature and file.last < start
    }


@dataclass
class Watch:
    """Notes of the files of a reading."""

    signatures: Mapping[str, str]
    unchanged: Mapping[str, SeenFile]
    _read: dict[str, SeenFile] = field(default_factory=dict)

    @property
    def num_unread(self) -> int:
        return sum(file.num_rows for file in self.unchanged.values())

    @property
    def before(self) -> datetime | None:
        """When the newest of the rows that are not read again was published."""
        return max((file.last for file in self.unchanged.values()), default=None)

    def add(self, rows: pa.Table) -> None:
        """Rows that were read, with when they were published."""
        found = rows.group_by(FILE).aggregate([(PLACED, "max"), (PLACED, "count")])
        for row in found.to_pylist():
            name, last, number = row[FILE], row[f"{PLACED}_max"], row[f"{PLACED}_count"]
            known = self._read.get(name, SeenFile(self.signatures.get(name, "")))
            self._read[name] = SeenFile(
                known.signature, max(known.last, last), known.num_rows + number
            )

    @property
    def text(self) -> str:
        """All files that are there now, as `seen` reads them."""
        empty = {name: SeenFile(signature) for name, signature in self.signatures.items()}
        files = {name: {**empty, **self.unchanged, **self._read}[name] for name in empty}
        return json.dumps(
            {n: (f.signature, f.last.isoformat(), f.num_rows) for n, f in files.items()}
        )


def seen(text: str) -> Mapping[str, SeenFile]:
    """What `Watch.text` says."""
    return {
        name: SeenFile(signature, datetime.fromisoformat(last), num_rows)
        for name, (signature, last, num_rows) in json.loads(text).items()
    }
