"""How a column of a published table was, day by day: read from the lake's files, in flat memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.stores import asof

if TYPE_CHECKING:
    import pyarrow.dataset as ds  # type: ignore[import-untyped]

_MOST = """
    select known_date, count(*) as num_rows, 1 - count(value) / count(*) as missing_share,
           {numbers}, approx_count_distinct(value) as num_distinct,
           {mode} as most_frequent
    from (select known_date, {value} as value from states)
    group by known_date order by known_date
"""
_NUMBERS = (
    "avg(value) as mean, stddev_samp(value) as deviation, min(value) as least, max(value) as most"
)
_NONE = "null as mean, null as deviation, null as least, null as most"


@dataclass(frozen=True)
class Day:
    """A column in the rows of one day.

    Args:
        missing_share: of the rows, 0 to 1.
        mean, deviation, least, most: of numbers, of yes (1) and no (0), of the lengths of lists.
        num_distinct: different values, about.
        most_frequent: of texts; None: it has none.
    """

    known_date: date
    num_rows: int
    missing_share: float
    mean: float | None
    deviation: float | None
    least: float | None
    most: float | None
    num_distinct: int
    most_frequent: str | None


def days(table: "ds.Dataset", column: str, last: date, num_days: int = 30) -> Sequence[Day]:
    """The column in so many days up to the last one; days without rows are left out."""
    since = pc.field("known_date") > pa.scalar(last - timedelta(days=num_days))
    kind = table.schema.field(column).type
    with asof.engine() as connection:
        rows = table.scanner(["known_date", column], filter=since).to_reader()
        connection.register("states", rows)
        found = connection.sql(_query(column, kind)).fetchall()
    return [Day(*row) for row in found]


def _query(column: str, kind: pa.DataType) -> str:
    quoted = '"' + column.replace('"', '""') + '"'
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _MOST.format(value=f"len({quoted})::double", numbers=_NUMBERS, mode="null")
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        # What is no number would make every other one none.
        value = f"{quoted}::double"
        finite = f"case when isfinite({value}) then {value} end"
        return _MOST.format(value=finite, numbers=_NUMBERS, mode="null")
    return _MOST.format(value=f"{quoted}::varchar", numbers=_NONE, mode="mode(value)")
