"""Answers that add up: the least change that makes parts their whole.

Shape suffixes: B rows, Q quantiles, U wholes.
"""

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import numeric_matrix, text_column
from models.tasks.levels import Levels
from models.tasks.regression import MIDDLE
from models.tasks.task import Array, units_of


def added_up(
    levels: Levels, table: pa.Table, output_BQ: Array, variance_B: Array, minimum: float | None
) -> Array:
    """Low, middle and high, [B, Q], moved together so that the middles add up.

    Of all that add up it is the nearest, each row's change being counted by the variance of its
    errors: MinT with a diagonal covariance (Wickramasuriya, Athanasopoulos and Hyndman, 2019). With
    one whole over its parts that is one number for each whole: what it lacks is shared out by
    variance. Where a part would fall below the minimum, it stays there; the whole is the parts' sum
    in any case.
    """
    if not len(output_BQ):
        return output_BQ
    unit_B = units_of(table, levels.by)
    is_whole_B = np.array(text_column(table, levels.column)) == levels.whole
    share_B = _shares(levels, table, unit_B, is_whole_B)
    has_both_B = _has_both(share_B, unit_B, is_whole_B)
    middle_B = _moved(output_BQ[:, MIDDLE], variance_B, share_B, unit_B, is_whole_B)
    middle_B = np.where(has_both_B, middle_B, output_BQ[:, MIDDLE])
    if minimum is not None:
        middle_B = np.maximum(middle_B, minimum)
    total_U = _summed(share_B * middle_B, unit_B)
    middle_B = np.where(is_whole_B & has_both_B, total_U[unit_B], middle_B)
    moved: Array = output_BQ + (middle_B - output_BQ[:, MIDDLE])[:, None]
    moved[:, MIDDLE] = middle_B
    return moved


def _shares(levels: Levels, table: pa.Table, unit_B: Array, is_whole_B: Array) -> Array:
    """What each part counts in its whole: 1, or its share of the weight; 0 for the whole itself."""
    if levels.weight is None:
        return np.where(is_whole_B, 0.0, 1.0)
    weight_B = np.nan_to_num(numeric_matrix(table, (levels.weight,))[:, 0].astype(float))
    weight_B = np.where(is_whole_B, 0.0, weight_B)
    total_B = _summed(weight_B, unit_B)[unit_B]
    return np.divide(weight_B, total_B, out=np.zeros_like(weight_B), where=total_B > 0)


def _has_both(share_B: Array, unit_B: Array, is_whole_B: Array) -> Array:
    """Whether a row's whole is there, and parts of it; else there is nothing to add up."""
    has_parts_U = _summed(share_B, unit_B) > 0
    has_whole_U = _summed(is_whole_B.astype(float), unit_B) > 0
    has_both: Array = (has_parts_U & has_whole_U)[unit_B]
    return has_both


def _moved(
    middle_B: Array, variance_B: Array, share_B: Array, unit_B: Array, is_whole_B: Array
) -> Array:
    """The middles of the parts, each with its share of what the whole was off by."""
    sign_B = np.where(is_whole_B, 1.0, -share_B)
    off_U = _summed(sign_B * middle_B, unit_B)
    give_U = _summed(sign_B**2 * variance_B, unit_B)
    rate_U = np.divide(off_U, give_U, out=np.zeros_like(off_U), where=give_U > 0)
    moved: Array = middle_B - variance_B * sign_B * rate_U[unit_B]
    return moved


def _summed(value_B: Array, unit_B: Array) -> Array:
    sums: Array = np.bincount(unit_B, value_B)
    return sums
