"""A sample's column as its different values and how often each comes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.data.reading.notation import Notation
from pipelines.data.reading.typed import decoded
from pipelines.data.reading.values import converted
from pipelines.use_cases.spec.use_case import ColumnType

# So many of a column's values must be of a type; the others are bad values, for quarantine.
TYPED_SHARE_MIN = 0.99
# In a small sample one in a hundred is none: two bad values of 20 are two mistakes, no other type.
_BAD_MIN, _SMALL_ROWS, _TINY_ROWS = 2, 20, 10
_SLIPS_SHARE = 1e-4
# A word that is longer is no word for missing; only so many values are looked at one by one.
_WORD_CHARACTERS_MAX = 20
_HEAD = 1_000


@dataclass(frozen=True, eq=False)
class Tally:
    """The different texts of a column, none of them empty, with their numbers of rows."""

    values: pa.Array
    counts: Any

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> "Tally":
        """Of a column of texts; blanks around a value do not count."""
        chunks = [pc.utf8_trim_whitespace(decoded(chunk)) for chunk in column.chunks]
        found = pc.value_counts(pa.chunked_array(chunks, pa.string()))
        values, counts = found.field("values"), found.field("counts")
        is_value = pc.fill_null(pc.not_equal(values, ""), False)
        return cls(values.filter(is_value), counts.filter(is_value).to_numpy())

    @property
    def num_rows(self) -> int:
        return int(self.counts.sum())

    @property
    def num_bad_max(self) -> int:
        """So many values may be of no type: they are for quarantine."""
        few = _BAD_MIN if self.num_rows >= _SMALL_ROWS else int(self.num_rows >= _TINY_ROWS)
        return max(few, round(self.num_rows * (1 - TYPED_SHARE_MIN)))

    @cached_property
    def head(self) -> list[str]:
        """At most 1,000 of the values, from all over the sample."""
        step = max(1, len(self.values) // _HEAD)
        found: list[str] = self.values[::step].to_pylist()
        return found

    @cached_property
    def words(self) -> list[str]:
        """All the values that are short and have no digit but 0: what may mean *missing*."""
        pattern = rf"\A[^1-9]{{1,{_WORD_CHARACTERS_MAX}}}\z"
        found: list[str] = self.values.filter(
            pc.match_substring_regex(self.values, pattern)
        ).to_pylist()
        return found

    def without(self, words: frozenset[str]) -> "Tally":
        """The other values."""
        if not words:
            return self
        is_word = pc.is_in(self.values, value_set=pa.array(sorted(words), pa.string()))
        return self._where(~is_word.to_numpy(zero_copy_only=False))

    def num_of(self, pattern: str) -> int:
        """How many rows are wholly of a pattern, in any case."""
        if pattern not in self._nums:
            self._nums[pattern] = int(self.counts[self.is_of(pattern)].sum())
        return self._nums[pattern]

    @cached_property
    def _nums(self) -> dict[str, int]:
        return {}

    def without_pattern(self, pattern: str) -> "Tally":
        """The values that are not of a pattern."""
        return self._where(~self.is_of(pattern))

    @property
    def num_slips_max(self) -> int:
        """So many values are perhaps but slips, and settle nothing."""
        return min(self.num_bad_max, max(_BAD_MIN, round(self.num_rows * _SLIPS_SHARE)))

    def is_nearly_all(self, num_rows: int) -> bool:
        return 0 < num_rows >= self.num_rows - self.num_bad_max

    def bad(self, kind: ColumnType, notation: Notation) -> "Tally":
        """The values that are not of a type in a notation."""
        if (kind, notation) not in self._bad:
            self._bad[kind, notation] = self._found_bad(kind, notation)
        return self._bad[kind, notation]

    @cached_property
    def _bad(self) -> dict[tuple[ColumnType, Notation], "Tally"]:
        return {}

    def _found_bad(self, kind: ColumnType, notation: Notation) -> "Tally":
        found = converted(pa.chunked_array([self.values]), kind, notation)
        is_bad = pc.is_valid(found.failed).to_numpy()
        return self._where(is_bad)

    def fits(self, kind: ColumnType, notation: Notation) -> bool:
        """Whether nearly all values are of a type: those that `converted` will read."""
        if not self.num_rows or not self._head_fits(kind, notation):
            return False
        return self.bad(kind, notation).num_rows <= self.num_bad_max

    def _head_fits(self, kind: ColumnType, notation: Notation) -> bool:
        """Half of a few values, so that a column of texts costs no more than these."""
        few = pa.chunked_array([pa.array(self.head[:100], pa.string())])
        return bool(converted(few, kind, notation).failed.null_count * 2 >= len(few))

    def is_of(self, pattern: str) -> Any:
        """Which of the values are wholly of a pattern, in any case."""
        found = pc.match_substring_regex(self.values, rf"(?i)\A(?:{pattern})\z")
        return found.to_numpy(zero_copy_only=False)

    def _where(self, mask: Any) -> "Tally":
        return Tally(self.values.filter(pa.array(mask)), self.counts[np.asarray(mask)])
