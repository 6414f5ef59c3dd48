"""Which categories are new, and which are gone where they should be."""

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from models.columns import text_column
from pipelines.learning.monitor.limits import Sides

# What chance does more rarely than this in a column is named.
_LEVEL = 0.01
_NUM_NAMED = 3
_NUM_LETTERS = 40


def changes(name: str, both: Sides) -> tuple[str, ...]:
    """What is new and what is gone, in words with rows and shares.

    A category that any row of the reference has is not new; one is gone where days like the
    current ones have it.
    """
    alike, current = both.alike, both.current
    known, usual, now = (_counts(table, name) for table in (both.reference, alike, current))
    if not known or not now:
        return ()  # the column as a whole came or went
    new = _new(known, now, current.num_rows)
    gone = _gone(usual, now, alike.num_rows, current.num_rows)
    return (*_said("new", new, current.num_rows), *_said("gone", gone, alike.num_rows))


def _counts(table: pa.Table, name: str) -> Counter[str]:
    """Rows of each category; a missing one is none."""
    if name not in table.column_names:
        return Counter()
    pairs = pc.value_counts(text_column(table, name)).to_pylist()
    return Counter({each["values"]: each["counts"] for each in pairs if each["values"] != ""})


def _new(known: Counter[str], now: Counter[str], num_rows: int) -> Counter[str]:
    """Those that no reference row has, unless it is usual that some are new, as of names.

    So many rows as the reference has categories of one row are expected to be new (Good and
    Turing): where there are not surely more of them, none is worth a word.
    """
    from scipy.special import bdtrc  # type: ignore[import-untyped]

    new = Counter({value: count for value, count in now.items() if value not in known})
    num_once = sum(count == 1 for count in known.values())
    surprise = bdtrc(new.total() - 1, num_rows, num_once / known.total()) if new else 1.0
    return new if surprise <= _LEVEL else Counter()


def _gone(usual: Counter[str], now: Counter[str], num_usual: int, num_now: int) -> Counter[str]:
    """Those that so many rows would hardly miss by chance (hypergeometric), all taken together."""
    from scipy.special import gammaln

    absent = [value for value in usual if value not in now]
    count = np.array([usual[value] for value in absent], float)
    num_rows = num_usual + num_now
    # The chance that none of `num_now` rows among all is one of the category's.
    log = gammaln(num_rows - count + 1) - gammaln(num_usual - count + 1)
    log -= gammaln(num_rows + 1) - gammaln(num_usual + 1)
    is_sure = np.exp(log) <= _LEVEL / max(1, len(usual))
    return Counter({absent[place]: usual[absent[place]] for place in np.flatnonzero(is_sure)})


def _said(word: str, found: Mapping[str, int], num_rows: int) -> Iterator[str]:
    ordered = sorted(found.items(), key=lambda each: (-each[1], each[0]))
    for value, count in ordered[:_NUM_NAMED]:
        yield f"{word} {value[:_NUM_LETTERS]!r} ({count:,} rows, {count / num_rows:.0%})"
    if len(ordered) > _NUM_NAMED:
        yield f"{len(ordered) - _NUM_NAMED:,} more {word}"
