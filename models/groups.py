"""Numbers that groups of rows have of their own, such as each series its spread.

Shape suffixes: B rows, G groups, K numbers of a group.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from models.columns import Columns, text_column
from models.errors import ModelRefused
from models.files import write_json
from models.tasks.task import Array

# The name of all rows together, for those of a group that was too small or not there.
OTHERS = ""
# No text that people write has it, so that two groups never have one name.
_BETWEEN = "\x1f"


@dataclass(frozen=True)
class Groups:
    """The numbers of each group, and of all rows together.

    Args:
        columns: the categorical columns whose equal values make a group.
        numbers: by the group's values, put together; `OTHERS` is always there.
    """

    columns: tuple[str, ...]
    numbers: Mapping[str, Sequence[float]]

    @classmethod
    def learned(
        cls,
        table: pa.Table,
        columns: Sequence[str],
        statistic: Callable[[Array], Sequence[float]],
        num_rows_min: int,
    ) -> Self:
        """The numbers of each group that has rows enough.

        Args:
            statistic: of the rows with these places.
        """
        name_B = names(table, columns).to_numpy(zero_copy_only=False)
        often, group_B, counts = np.unique(name_B, return_inverse=True, return_counts=True)
        kept = np.flatnonzero(counts >= num_rows_min)
        found = {str(often[group]): statistic(np.flatnonzero(group_B == group)) for group in kept}
        return cls(tuple(columns), {**found, OTHERS: statistic(np.arange(len(name_B)))})

    def of(self, table: pa.Table) -> Array:
        """Of each row those of its group, [B, K]."""
        numbers_GK = np.array(list(self.numbers.values()), float)
        numbers: Array = numbers_GK[self.places(table)]
        return numbers

    def places(self, table: pa.Table) -> Array:
        """Of each row the place of its group among `numbers`, [B]."""
        known = list(self.numbers)
        found = pc.index_in(names(table, self.columns), value_set=pa.array(known, pa.string()))
        places: Array = pc.fill_null(found, known.index(OTHERS)).to_numpy(zero_copy_only=False)
        return places

    def write(self, path: Path) -> None:
        """Keep them in an artifact."""
        write_json(path, {"columns": list(self.columns), "groups": dict(self.numbers)})

    @classmethod
    def read(cls, path: Path, columns: Columns, num_numbers: int) -> Self:
        """Read what `write` wrote.

        Raises:
            ModelRefused: it has other columns than the model, or another number of numbers.
        """
        try:
            found = json.loads(path.read_text())
            names = tuple(map(str, found["columns"]))
            numbers = {str(name): [float(n) for n in of] for name, of in found["groups"].items()}
        except (AttributeError, KeyError, OSError, TypeError, ValueError):
            names, numbers = (), {}
        fits = OTHERS in numbers and set(names) <= set(columns.categorical)
        sizes = {len(of) for of in numbers.values()}
        if not fits or sizes != {num_numbers} or not np.isfinite([*numbers.values()]).all():
            raise ModelRefused(
                f"{path.name} does not hold {num_numbers} numbers of each group of rows; restore "
                "it, or roll back to an earlier version"
            )
        return cls(names, numbers)


def names(table: pa.Table, columns: Sequence[str]) -> pa.Array:
    """The group of each row by its values, put together."""
    if not columns:
        return pa.array([OTHERS] * table.num_rows, pa.string())
    texts = (text_column(table, name).combine_chunks() for name in columns)
    return pc.binary_join_element_wise(*texts, _BETWEEN)
