"""Above which distance each column drifted: what matters, and what is neither chance nor a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import Columns
from pipelines.learning.monitor import chance, days
from pipelines.learning.monitor.frames import frame, is_missing, sample
from pipelines.use_cases.spec.model import Watch

if TYPE_CHECKING:
    import pandas as pd

# Evidently's least deviation: below it a distance is not counted in deviations any more.
_DEVIATION_MIN = 0.001

# A column moves by its values, or by how many are missing.
What: TypeAlias = Literal["values", "missing"]
Key: TypeAlias = tuple[str, What]


@dataclass(frozen=True)
class Sides:
    """What is compared, at most `Watch.num_rows_max` rows of each.

    Args:
        reference: of all days.
        alike: the reference's rows of days like the current ones.
    """

    reference: pa.Table
    alike: pa.Table
    current: pa.Table
    columns: Columns

    @cached_property
    def before(self) -> "pd.DataFrame":
        return self.framed(self.alike)

    @cached_property
    def after(self) -> "pd.DataFrame":
        return self.framed(self.current)

    def framed(self, table: pa.Table) -> "pd.DataFrame":
        return frame(table, self.columns.numeric, self.columns.categorical)


def sides(reference: pa.Table, current: pa.Table, columns: Columns, num_rows_max: int) -> Sides:
    """The rows to compare: those of the reference on days like the current ones."""
    alike = days.alike(reference, current)
    reference, alike, current = (
        sample(table, num_rows_max) for table in (reference, alike, current)
    )
    return Sides(reference, alike, current, columns)


def limits(both: Sides, watch: Watch) -> Mapping[Key, float]:
    """The limit of each column's values, and what chance makes of its missing ones.

    Of missing ones it is a Jensen-Shannon distance, and absent where no value is missing.
    """
    import pandas as pd

    before, after = (
        both.framed(sample(table, chance.NUM_ROWS_MAX)) for table in (both.alike, both.current)
    )
    measures = _measures(pd.concat([before, after], ignore_index=True))
    draws = chance.dealt(len(before), len(after))
    found = chance.by_chance(measures, draws, watch.column_alarm_rate)
    calm = _of_days(both, found, draws, watch.column_alarm_rate)
    unit = _units(both.before)
    floor = {"values": watch.distance_max, "missing": 0.0}
    return {
        key: max(floor[key[1]], float(np.hypot(each.limit, calm.get(key, 0))) / unit.get(key, 1))
        for key, each in found.items()
    }


def _of_days(
    both: Sides, found: Mapping[Key, chance.Chance], draws: chance.Draws, alarm_rate: float
) -> Mapping[Key, float]:
    """How far so many days lie apart though nothing has changed: Student's t of their spread.

    It and chance add up as variances do.
    """
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    known = days.day_by_day(both.reference, both.current)
    if known is None:
        return {}
    times = stdtrit(known.degrees, 1 - alarm_rate / 2)
    share = days.variance(both.alike, both.current) / known.variance
    measures = _measures(both.framed(both.reference))
    return {
        key: times
        * np.sqrt(share * chance.among_days(measures[key], known.draws, draws, each.mean_square))
        for key, each in found.items()
        if key in measures
    }


def _measures(rows: "pd.DataFrame") -> Mapping[Key, chance.Measure]:
    found: dict[Key, chance.Measure] = {}
    for name in rows.columns:
        found[name, "values"] = _values(rows[name])
        missing = is_missing(rows[name]).to_numpy()
        if missing.any():
            found[name, "missing"] = chance.jensen_shannon(missing.astype(int))
    return found


def _values(column: "pd.Series[Any]") -> chance.Measure:
    import pandas as pd

    if column.dtype == float:
        return chance.wasserstein(column.to_numpy())
    return chance.jensen_shannon(pd.factorize(column)[0])


def _units(before: "pd.DataFrame") -> Mapping[Key, float]:
    """The distance of numbers is counted in standard deviations of the reference."""
    deviations = before.select_dtypes(float).std(ddof=0).fillna(0)
    return {
        (str(name), "values"): max(float(each), _DEVIATION_MIN) for name, each in deviations.items()
    }


def missing_distance(before: float, after: float) -> float:
    """The Jensen-Shannon distance of two shares of missing values.

    Example:
        >>> round(missing_distance(0, 1), 3), missing_distance(0.5, 0.5)
        (0.833, 0.0)
    """
    from scipy.special import rel_entr

    shares = np.array([[before, 1 - before], [after, 1 - after]])
    divergence = rel_entr(shares, shares.mean(axis=0)).sum() / 2
    return float(np.sqrt(max(divergence, 0.0)))
