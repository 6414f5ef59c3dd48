"""Between which limits a number is plausible: from what most of a sample says, never its extremes.

Outliers are those beyond Tukey's fences; the rest, the bulk, gets the room of its whole range on
each side. Where values have a long tail, both are of their logarithms. Of a column that mostly says
the same, such as a number of complaints, the fences are of its other values.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

Numbers: TypeAlias = npt.NDArray[np.float64]

# With fewer values nothing is said of those to come.
VALUES_MIN = 30
# Of normal values 1 in 10**11 is beyond five times the distance of the quartiles, of exponential
# ones 1 in 1,000.
_FENCE = 5.0
# So much of a column, one value at least, may be outliers; more of them are no mistakes.
_OUTLIERS_MAX = 0.005
# Ranks of value and time that correlate by so much say that the column goes up (or down): by
# chance 30 values do so once in 2,000 times.
_TREND_MIN = 0.6
_LONG_TAIL = 3.0
# A tail's room: by its own ratio, one or two orders of magnitude.
_RATIO_MIN, _RATIO_MAX = 10.0, 100.0
# What is greater measures nothing, and its square would be no float.
_MAGNITUDE_MAX, _LOG_MAX = 1e100, 230.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The least and the most that is plausible, each None where nothing says so, and why."""

    low: float | None = None
    high: float | None = None
    because: str

    @property
    def are_any(self) -> bool:
        return self.low is not None or self.high is not None

    def outside(self, values: Numbers) -> npt.NDArray[np.bool_]:
        """Which of the values break them; a missing one does not."""
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        return (values < low) | (values > high)


def limits(values: Numbers) -> Limits:
    """What the values of one column say, in the order of time; NaN where one is missing.

    Example:
        >>> limits(np.array([*range(1, 100), *range(99, 0, -1), 9_999.0]))
        Limits(low=0.0, high=200.0, because='198 of 199 values: 1 to 99')
    """
    numbers = values[np.isfinite(values)]
    plain = sane(numbers)
    if len(plain) < VALUES_MIN:
        return Limits(because=f"{len(plain)} values say too little; from {VALUES_MIN} on")
    if numbers.min() == numbers.max():
        return Limits(because="always the same value")
    varied = _varied(plain)
    if len(varied) < VALUES_MIN:
        return Limits(because="nearly always the same value")
    is_long = _has_long_tail(plain)
    bulk = plain[_is_usual(plain, varied, is_long=is_long)]
    if len(numbers) - len(bulk) > max(1, _OUTLIERS_MAX * len(numbers)):
        return Limits(because=f"{len(numbers) - len(bulk)} values are far from the others")
    if bulk.min() == bulk.max():
        return Limits(because="nearly always the same value")
    return _with_room(numbers, bulk, is_long=is_long)


def sane(values: Numbers) -> Numbers:
    """The values that are there, without those too great to measure anything."""
    return values[np.abs(values) < _MAGNITUDE_MAX]


def widest(values: Numbers) -> Limits:
    """The extremes with their room, for a number that must have limits, whatever it is."""
    numbers = sane(values)
    low, high = _room(numbers)
    return Limits(low=low, high=high, because=f"all {len(numbers)} values: {_range(numbers)}")


def _varied(numbers: Numbers) -> Numbers:
    """All values, or those that are not the one that half of them are."""
    first, third = np.quantile(numbers, (0.25, 0.75))
    return numbers if first < third else numbers[numbers != first]


def _has_long_tail(numbers: Numbers) -> bool:
    """Nothing below zero, and the upper half much longer than the lower one."""
    least, middle, most = np.quantile(numbers, (0.05, 0.5, 0.95))
    longer = (most - middle) > _LONG_TAIL * (middle - least)
    return bool(np.quantile(numbers, 0.005) >= 0 and most > 0 and longer)


def _is_usual(numbers: Numbers, varied: Numbers, *, is_long: bool) -> npt.NDArray[np.bool_]:
    """What lies within Tukey's fences; of a long tail within those of the logarithms."""
    scaled = np.log(varied[varied > 0]) if is_long else varied
    first, third = np.quantile(scaled, (0.25, 0.75))
    spread = (third - first) or np.subtract(*np.quantile(scaled, (0.95, 0.05))) / _FENCE
    low, high = first - _FENCE * spread, third + _FENCE * spread
    if is_long:
        low, high = -np.exp(min(high, _LOG_MAX)), np.exp(min(high, _LOG_MAX))
    usual: npt.NDArray[np.bool_] = (numbers >= low) & (numbers <= high)
    return usual | ~np.isin(numbers, varied)


def _with_room(numbers: Numbers, bulk: Numbers, *, is_long: bool) -> Limits:
    low, high = _room_of_ratios(bulk) if is_long else _room(bulk)
    said = f"{len(bulk)} of {len(numbers)} values: {_range(bulk)}"
    if is_long or _is_near_zero(bulk):
        low = 0.0 if numbers.min() >= 0 else low
    trend = _trend(numbers)
    if trend > _TREND_MIN:
        return Limits(low=low, because=f"{said}, rising with time")
    if trend < -_TREND_MIN:
        return Limits(high=high, because=f"{said}, falling with time")
    return Limits(low=low, high=high, because=said)


def _room(bulk: Numbers) -> tuple[float, float]:
    least, most = float(bulk.min()), float(bulk.max())
    return _outward(least - (most - least), floor), _outward(most + (most - least), ceil)


def _room_of_ratios(bulk: Numbers) -> tuple[float, float]:
    least, most = float(bulk[bulk > 0].min()), float(bulk.max())
    high = _outward(most * min(max(most / least, _RATIO_MIN), _RATIO_MAX), ceil)
    return -high, high


def _is_near_zero(bulk: Numbers) -> bool:
    """Some come so near to zero that one would be below, if any could."""
    return bool(abs(bulk.min()) <= abs(np.median(bulk)) / 10)


def _trend(numbers: Numbers) -> float:
    """Spearman's correlation of value and place in time, -1 to 1."""
    ranks = [pc.rank(pa.array(numbers), tiebreaker=which).to_numpy() for which in ("min", "max")]
    mean = (ranks[0].astype(float) + ranks[1].astype(float)) / 2
    return float(np.corrcoef(mean, np.arange(len(numbers)))[0, 1])


def _outward(value: float, rounded: Callable[[float], int]) -> float:
    """To two digits, away from the values."""
    if abs(value) < 1 / _MAGNITUDE_MAX:
        return 0.0
    power = 1 - floor(log10(abs(value)))
    return round(rounded(value * 10.0**power) / 10.0**power, power)


def _range(numbers: Numbers) -> str:
    return f"{numbers.min():.4g} to {numbers.max():.4g}"


def affordable(
    found: Mapping[str, tuple[Limits, Numbers]], num_rows: int, rate_max: float
) -> Mapping[str, Limits]:
    """The limits by column, without those that break too many rows of the sample itself.

    Args:
        found: of each column the limits, and its values row by row.
        rate_max: the share of the sample's rows that all limits together may break.
    """
    kept = {name: each for name, (each, _) in found.items()}
    broken = {name: each.outside(values) for name, (each, values) in found.items()}
    while broken and np.any(list(broken.values()), axis=0).sum() > max(1, rate_max * num_rows):
        worst = max(broken, key=lambda name: int(broken[name].sum()))
        share = f"{broken.pop(worst).sum()} of {num_rows} rows would break them"
        kept[worst] = Limits(because=share)
    return kept
