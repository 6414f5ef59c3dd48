"""How far samples of one distribution lie apart by chance: what a distance must be above.

Rows are dealt anew to both sides (a permutation test). Of each dealing the column that moves most
by its own measure counts, so that on calm days all columns together pass their limits no more
often than `alarm_rate` says (Westfall and Young, *Resampling-Based Multiple Testing*, 1993:
single-step maxT). That is exact where rows don't depend on each other. Rows of one day may, as by
their weather: what days differ by beyond chance is measured, too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

from models.tasks.task import Array

# Of 499 dealings a limit at 4 % is the 20th. Of 1,000 rows a side 100 columns take 1.5 s on one
# core; more rows lie closer by chance, so that limits drawn from fewer are the stricter ones.
NUM_DRAWS = 499
NUM_ROWS_MAX = 1_000
_SEED = 0

# A distance that is equal but for rounding (of float32) is no greater one.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class Draws:
    """Which rows each side of each draw has: float32 of 0 and 1, a line a row, a column a draw."""

    before: Array
    after: Array


Key = TypeVar("Key")

# What moved, in a unit of its own: one number for each draw.
Measure: TypeAlias = Callable[[Draws], Array]


def dealt(num_before: int, num_after: int) -> Draws:
    """All rows, those of before first, dealt anew to sides of the same size; always the same."""
    random = np.random.default_rng(_SEED)
    first = np.repeat(np.array([1, 0], np.float32), (num_before, num_after))
    before = random.permuted(np.tile(first[:, None], NUM_DRAWS), axis=0)
    return Draws(before, 1 - before)


@dataclass(frozen=True)
class Chance:
    """What chance makes of one measure.

    Args:
        limit: what it must be above.
        mean_square: of the draws; it falls with the number of rows.
    """

    limit: float
    mean_square: float


def by_chance(
    measures: Mapping[Key, Measure], draws: Draws, alarm_rate: float
) -> Mapping[Key, Chance]:
    """Of each measure what it must be above, so that rarely any is where nothing has changed."""
    if not measures:
        return {}
    null = np.array([measure(draws) for measure in measures.values()], float)
    mean, spread = null.mean(axis=1), null.std(axis=1)
    own = (null - mean[:, None]) / np.where(spread > 0, spread, 1)[:, None]
    worst = np.sort(own.max(axis=0))
    place = min(int(np.ceil((1 - alarm_rate) * (len(worst) + 1))), len(worst)) - 1
    limit = (mean + worst[place] * spread) * (1 + _ROUNDING)
    pairs = zip(limit.tolist(), np.mean(null**2, axis=1).tolist(), strict=True)
    return dict(zip(measures, (Chance(*pair) for pair in pairs), strict=True))


def among_days(measure: Measure, days: Draws, draws: Draws, mean_square: float) -> float:
    """How far days lie from others that they are like, beyond chance: a mean square.

    Args:
        days: each day against the others.
        draws, mean_square: what chance makes of so many rows; of fewer it makes more.
    """
    expected = mean_square * _sizes(days) / _sizes(draws)[0]
    return max(0.0, float(np.mean(measure(days) ** 2 - expected)))


def _sizes(draws: Draws) -> Array:
    """The distance of samples of one distribution falls with the root of this."""
    sizes: Array = 1 / draws.before.sum(axis=0) + 1 / draws.after.sum(axis=0)
    return sizes


def wasserstein(value: Array) -> Measure:
    """The first Wasserstein distance of numbers, in their unit; 0 where a side has none."""
    held = np.isfinite(value)
    order = np.flatnonzero(held)[np.argsort(value[held], kind="stable")]
    gap = np.diff(value[order]).astype(np.float32)

    def measure(draws: Draws) -> Array:
        before, after = draws.before[order], draws.after[order]
        num_before, num_after = before.sum(axis=0), after.sum(axis=0)
        off = before / np.maximum(num_before, 1) - after / np.maximum(num_after, 1)
        apart = np.abs(np.cumsum(off, axis=0)[:-1])
        return np.where((num_before > 0) & (num_after > 0), gap @ apart, 0.0)

    return measure


def jensen_shannon(code: Array) -> Measure:
    """The Jensen-Shannon distance of categories (natural logarithm); 0 where a side has no row.

    Args:
        code: whole numbers from 0.
    """
    from scipy.special import rel_entr  # type: ignore[import-untyped]

    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))

    def measure(draws: Draws) -> Array:
        sides = (draws.before[order], draws.after[order])
        before, after = (_shares(np.add.reduceat(side, starts, axis=0)) for side in sides)
        middle = (before + after) / 2
        divergence = (rel_entr(before, middle) + rel_entr(after, middle)).sum(0) / 2
        has_both = (before.sum(axis=0) > 0) & (after.sum(axis=0) > 0)
        return np.where(has_both, np.sqrt(np.maximum(divergence, 0)), 0.0)

    return measure


def _shares(count: Array) -> Array:
    shares: Array = count.astype(float) / np.maximum(count.sum(axis=0), 1)
    return shares
