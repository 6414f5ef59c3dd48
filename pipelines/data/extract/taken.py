"""What of a source has landed: by part, the rows' digests, and by which shape they were made.

What landed stays as it is. A row that the source has now and its part's landing has not came late,
or was changed: it is known from the part that finds it on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.data.extract.seen import FILES, SeenFile, seen
from pipelines.data.landing import MANIFEST, intact
from pipelines.data.reading.rows import DIGEST
from pipelines.stores.objects import Objects
from pipelines.use_cases.spec.interval import YEARS, Grain, Interval

Digests = npt.NDArray[np.uint64]
SHAPE = b"millrace.shape"
NOTHING = np.zeros(0, np.uint64)


@dataclass(frozen=True)
class Taken:
    """The landing of one feed, as far as its rows are asked for.

    Args:
        store: the feed's own.
        shape: of the rows as they would be made now; what landed by another one doesn't count.
    """

    store: Objects
    shape: str
    grain: Grain
    _read: dict[str, Digests | None] = field(default_factory=dict)

    @cached_property
    def _landed(self) -> frozenset[str]:
        end = f"/{MANIFEST}"
        return frozenset(
            name.removesuffix(end) for name in self.store.names() if name.endswith(end)
        )

    def digests(self, part: Interval) -> Digests | None:
        """Of the rows of a part; None: it has not landed, or by another shape."""
        if part.key not in self._landed:
            return None
        if part.key not in self._read:
            self._read[part.key] = self._of(part)
        return self._read[part.key]

    def has(self, part: Interval) -> bool:
        """Whether a part stays as it landed: by this shape, or by a version that landed texts."""
        return self.digests(part) is not None or self._is_of_texts(part)

    def seen(self) -> Mapping[str, SeenFile]:
        """The source's files as they were when the newest part landed; of another shape none."""
        if not self._landed:
            return {}
        newest = max(map(Interval.parse, self._landed), key=lambda part: part.start)
        texts = (metadata.get(FILES) for metadata, _ in self._files(newest))
        return next((seen(text.decode()) for text in texts if text), {})

    def around(self, interval: Interval, late_days: int) -> Mapping[Interval, Digests]:
        """The parts that have landed in an interval, and so many days before and after it."""
        first, after = (-late_days, interval.days + late_days)
        days = (interval.start.date() + timedelta(days=day) for day in range(first, after))
        named = (Interval.of_day(day) for day in days if day.year in YEARS)
        parts = (part for each in named for part in each.parts(self.grain))
        found = {part: self.digests(part) for part in parts}
        return {part: digests for part, digests in found.items() if digests is not None}

    def of_all_parts(self) -> Digests:
        """The rows of every part that has landed: for rows that no instant places."""
        parts = sorted(Interval.parse(key) for key in self._landed)
        found = (self.digests(part) for part in parts)
        return np.concatenate([NOTHING, *(each for each in found if each is not None)])

    def _of(self, part: Interval) -> Digests | None:
        manifest = intact(self.store.below(part.key))
        if manifest is None:
            return None
        found = [digests for _, digests in self._files(part)]
        return np.concatenate([NOTHING, *found]) if len(found) == len(manifest.files) else None

    def _is_of_texts(self, part: Interval) -> bool:
        manifest = intact(self.store.below(part.key)) if part.key in self._landed else None
        return manifest is not None and any(
            not file.name.endswith(".parquet") for file in manifest.files
        )

    def _files(self, part: Interval) -> Iterator[tuple[Mapping[bytes, bytes], Digests]]:
        """Of the files of a part that landed by this shape what they say, and their digests."""
        store = self.store.below(part.key)
        if (manifest := intact(store)) is None:
            return
        for file in manifest.files:
            if not file.name.endswith(".parquet"):
                return
            parquet = pq.ParquetFile(BytesIO(store.read_bytes(manifest.place(file))))
            said = parquet.metadata.metadata or {}
            if said.get(SHAPE) != self.shape.encode():
                return
            yield said, parquet.read([DIGEST])[DIGEST].to_numpy()
