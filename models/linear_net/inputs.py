"""Rows as a linear net reads them: differences to the naive forecast, and what is known ahead.

Shape suffixes: B rows, L hours of history, H steps ahead, F other inputs, N numbers, Q quantiles.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import Columns, numeric_matrix
from models.linear_net.settings import LinearNet
from models.plain import Plain
from models.tasks import Forecast
from models.tasks.task import Array

# A number is cut where only a thousandth of the training rows were beyond it: storms are rare, and
# a linear map would follow them anywhere.
_RARE = 0.001
# The same of the past, in scales of its series.
_HISTORY_MAX = 10.0


@dataclass(frozen=True, kw_only=True)
class Inputs(Plain):
    """Which columns are read, and what of the training rows their numbers are measured by.

    Args:
        naive: the column that past and label are differences to.
        history: L columns of the series' past.
        horizon: the column of the step ahead, and `steps` its H values.
        calendar: columns of few values, and in `days` each one's.
        numbers: the other N numeric columns, with `low`, `high`, `mean` and `spread` of each.
    """

    naive: str
    history: tuple[str, ...]
    horizon: str
    steps: tuple[float, ...]
    calendar: tuple[str, ...]
    days: tuple[tuple[float, ...], ...]
    numbers: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", tuple(map(tuple, self.days)))

    @property
    def num_others(self) -> int:
        """F: the numbers, and a 0 or 1 for each value of the calendar."""
        return len(self.numbers) + sum(map(len, self.days))

    def naive_of(self, table: pa.Table) -> Array:
        """The naive forecast, [B]."""
        naive_B: Array = numeric_matrix(table, (self.naive,))[:, 0].astype(float)
        return naive_B

    def history_of(self, table: pa.Table, scale_B: Array) -> Array:
        """What was, less the naive forecast, in scales of the series, [B, L]; unknown is 0.

        That is NLinear (Zeng et al., "Are Transformers Effective for Time Series Forecasting?",
        2023) with the season's value in the place of the last one: where all weights are 0, the
        answer is the naive forecast.
        """
        past_BL = numeric_matrix(table, self.history).astype(float)
        off_BL = (past_BL - self.naive_of(table)[:, None]) / scale_B[:, None]
        known: Array = np.nan_to_num(off_BL.clip(-_HISTORY_MAX, _HISTORY_MAX))
        return known

    def steps_of(self, table: pa.Table) -> Array:
        """The place of each row's step among `steps`, [B]; the nearest of one never seen."""
        step_B = numeric_matrix(table, (self.horizon,))[:, 0]
        far_BH = np.abs(step_B[:, None] - np.array(self.steps)[None])
        places: Array = np.nan_to_num(far_BH, nan=np.inf).argmin(1)
        return places

    def others_of(self, table: pa.Table) -> Array:
        """What is known ahead, [B, F]: numbers of mean 0 and spread 1, unknown 0; calendar."""
        number_BN = numeric_matrix(table, self.numbers).astype(float).clip(self.low, self.high)
        number_BN = np.nan_to_num((number_BN - self.mean) / self.spread)
        columns = numeric_matrix(table, self.calendar)
        is_day = [
            columns[:, place, None] == np.array(values)[None]
            for place, values in enumerate(self.days)
        ]
        return np.concatenate([number_BN, *is_day], 1)


def learned(table: pa.Table, columns: Columns, task: Forecast, settings: LinearNet) -> Inputs:
    """What is to be known of the training rows."""
    apart = {*settings.history, settings.horizon, *settings.calendar}
    numbers = tuple(name for name in columns.numeric if name not in apart)
    number_BN = numeric_matrix(table, numbers).astype(float)
    low_N, high_N = (_quantiles(number_BN, share) for share in (_RARE, 1 - _RARE))
    number_BN = number_BN.clip(low_N, high_N)
    is_known_BN = ~np.isnan(number_BN)
    count_N = np.maximum(is_known_BN.sum(0), 1)
    mean_N = np.where(is_known_BN, number_BN, 0).sum(0) / count_N
    off_BN = np.where(is_known_BN, number_BN - mean_N, 0)
    spread_N = np.sqrt((off_BN**2).sum(0) / count_N)
    return Inputs(
        naive=task.naive,
        history=settings.history,
        horizon=settings.horizon,
        steps=_values(table, settings.horizon),
        calendar=settings.calendar,
        days=tuple(_values(table, name) for name in settings.calendar),
        numbers=numbers,
        low=tuple(low_N.tolist()),
        high=tuple(high_N.tolist()),
        mean=tuple(mean_N.tolist()),
        # Of a number that is always the same nothing is left but 0.
        spread=tuple(np.where(spread_N > 0, spread_N, 1.0).tolist()),
    )


def _quantiles(number_BN: Array, share: float) -> Array:
    """Of the known ones, [N]; 0 where none is."""
    is_empty_N = np.isnan(number_BN).all(0)
    found: Array = np.nanquantile(np.where(is_empty_N, 0.0, number_BN), share, axis=0)
    return found


def _values(table: pa.Table, name: str) -> tuple[float, ...]:
    value_B = numeric_matrix(table, (name,))[:, 0].astype(float)
    return tuple(np.unique(value_B[~np.isnan(value_B)]).tolist())
