"""What a sample says of one column: its type, its gaps, its range."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from math import isfinite

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.data.reading.said import Guess
from pipelines.data.reading.typed import as_texts, decoded
from pipelines.data.reading.values import Converted, converted
from pipelines.scaffold.limits import Numbers
from pipelines.use_cases.spec.use_case import ColumnType

CATEGORIES_MAX = 200

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.0+)?", re.ASCII)
# Of the values of a key so many are whole numbers, where it is one of them.
_WHOLE_SHARE_MIN = 0.99


@dataclass(frozen=True, eq=False)
class Profile:
    """One column of the sample, and what its values were guessed to be."""

    source: str
    column: pa.ChunkedArray
    guess: Guess

    @property
    def type(self) -> ColumnType:
        """The type that nearly all values are of."""
        return self.guess.kind

    @cached_property
    def texts(self) -> Sequence[str | None]:
        """Its values as a person sees them, row by row; null where one is missing, in any words."""
        is_missing = pc.and_(pc.is_null(self._found.values), pc.is_null(self._found.failed))
        found = pc.if_else(is_missing, pa.scalar(None, pa.string()), self.shown)
        texts: list[str | None] = found.to_pylist()
        return texts

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each value occurs, without those that say *missing*."""
        return Counter(text for text in self.texts if text is not None)

    @property
    def num_missing(self) -> int:
        return len(self.texts) - self.counts.total()

    @property
    def is_number(self) -> bool:
        return self.type in ("bigint", "double")

    @property
    def is_whole(self) -> bool:
        """Whether nearly all of it are whole numbers, of any length, also those with `.0`."""
        whole = sum(n for text, n in self.counts.items() if _WHOLE.fullmatch(text))
        return 0 < self.counts.total() * _WHOLE_SHARE_MIN <= whole

    @cached_property
    def values(self) -> Numbers:
        """Its numbers row by row, NaN where there is none."""
        if not self.is_number:
            return np.full(len(self.column), np.nan)
        numbers = pc.cast(self._found.values, pa.float64(), safe=False)
        return np.asarray(pc.fill_null(numbers, np.nan).to_numpy(), dtype=np.float64)

    @property
    def numbers(self) -> list[float]:
        """Its values as numbers, those that are, in the order of the rows."""
        return [number for number in self.values.tolist() if isfinite(number)]

    @property
    def instants(self) -> Sequence[datetime | None]:
        """Its instants row by row, of a column of times."""
        found = converted(self.column, "timestamp", self.guess.notation)
        instants: list[datetime | None] = found.values.to_pylist()
        return instants

    @cached_property
    def odd(self) -> frozenset[str]:
        """The texts that are not of its type: for quarantine."""
        return frozenset(pc.unique(self._found.failed.drop_null()).to_pylist())

    @property
    def low(self) -> float | None:
        return min(self.numbers, default=None)

    @property
    def high(self) -> float | None:
        return max(self.numbers, default=None)

    @property
    def is_category(self) -> bool:
        """Text with few values, each of them seen often."""
        most = min(CATEGORIES_MAX, len(self.texts) / 5)
        return self.type == "string" and 1 < len(self.counts) <= most

    @cached_property
    def shown(self) -> pa.ChunkedArray:
        """Its values as texts, as they stand in the source."""
        return pa.chunked_array(
            [as_texts(decoded(chunk)) for chunk in self.column.chunks], pa.string()
        )

    @cached_property
    def _found(self) -> Converted:
        return converted(self.column, self.type, self.guess.notation)
