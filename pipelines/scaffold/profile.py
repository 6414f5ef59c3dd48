"""What a sample says of one column: its type, its gaps, its range."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, nan

import numpy as np

from pipelines.data.extract.texts import instant
from pipelines.scaffold.limits import Numbers
from pipelines.use_cases.spec.use_case import ColumnType

# So many of a column's values must be of a type; the others are bad values, for quarantine.
TYPED_SHARE_MIN = 0.99
MISSING_WORDS = frozenset({"NA", "N/A", "n/a", "NULL", "null", "NaN", "nan", "None", "-", "?"})
CATEGORIES_MAX = 200

# No leading zeros: 00501 is a code, not a number. 18 digits fit a bigint.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.0+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


# In this order: the narrowest first.
_TYPES: Mapping[ColumnType, Callable[[str], object]] = {
    "boolean": lambda text: text.lower() in ("true", "false"),
    "bigint": _INTEGER.fullmatch,
    "double": _NUMBER.fullmatch,
    "date": lambda text: _DATE.fullmatch(text) and instant(text),
    "timestamp": instant,
}


@dataclass(frozen=True)
class Profile:
    """One column's texts in the sample."""

    source: str
    texts: Sequence[str | None]

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each value occurs, without those that say *missing* in words."""
        counts = Counter(text for text in self.texts if text)
        if self.type == "string":
            return counts
        return Counter({text: n for text, n in counts.items() if text not in MISSING_WORDS})

    @cached_property
    def type(self) -> ColumnType:
        """The narrowest type that nearly all values are of."""
        counts = Counter(text for text in self.texts if text and text not in MISSING_WORDS)
        enough = TYPED_SHARE_MIN * counts.total()
        for kind, is_one in _TYPES.items():
            if counts and sum(n for text, n in counts.items() if is_one(text)) >= enough:
                return kind
        return "string"

    @property
    def missing_words(self) -> frozenset[str]:
        """The source's own words for a missing number or date."""
        if self.type == "string":
            return frozenset()
        return MISSING_WORDS & {text for text in self.texts if text}

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
        return 0 < self.counts.total() * TYPED_SHARE_MIN <= whole

    @cached_property
    def values(self) -> Numbers:
        """Its numbers row by row, NaN where there is none."""
        is_one = _TYPES["double"] if self.is_number else lambda _: False
        number = {text: float(text) if is_one(text) else nan for text in self.counts}
        found = np.array([number.get(text or "", nan) for text in self.texts], dtype=np.float64)
        return np.where(np.isfinite(found), found, nan)

    @property
    def numbers(self) -> list[float]:
        """Its values as numbers, those that are, in the order of the rows."""
        return [number for number in self.values.tolist() if isfinite(number)]

    @cached_property
    def odd(self) -> frozenset[str]:
        """The texts that are not of its type: for quarantine."""
        if self.type == "string":
            return frozenset()
        return frozenset(text for text in self.counts if not _TYPES[self.type](text))

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
