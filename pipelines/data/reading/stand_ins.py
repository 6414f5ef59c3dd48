"""Numbers that stand where there is none: -1 or nines, apart from all others.

They may be numbers all the same, so that nothing is made of them: they are told.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.data.reading.notation import Notation
from pipelines.data.reading.tally import Tally
from pipelines.data.reading.values import converted

_PATTERN = r"-1|-?9{2,}(?:[.,]0+)?"
# In so many rows, so many times as far from zero as any other value.
_ROWS_MIN, _TIMES_MIN = 2, 10


def stand_in_told(name: str, tally: Tally, notation: Notation) -> Iterator[str]:
    """A line on a column of numbers in which one of them may mean *missing*."""
    values = converted(pa.chunked_array([tally.values]), "double", notation).values
    numbers = values.to_numpy(zero_copy_only=False).astype(np.float64)
    is_other = ~tally.is_of(_PATTERN) & np.isfinite(numbers)
    if not is_other.any():
        return
    least, most = numbers[is_other].min(), np.abs(numbers[is_other]).max()
    for place in np.flatnonzero(~is_other & (tally.counts >= _ROWS_MIN)).tolist():
        number, text = numbers[place], tally.values[place].as_py()
        if number < 0 <= least or abs(number) > _TIMES_MIN * most:
            yield (
                f"{name}: {text} stands in {tally.counts[place]} of {tally.num_rows} rows, apart "
                f"from all other numbers; say --missing {text} if it means missing"
            )
