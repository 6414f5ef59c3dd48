"""How well one input alone puts labels in order: 0 as chance does, 1 without a mistake.

The measure is Gini's correlation of labels and score, cov(y, rank of score) / cov(y, rank of y),
after Schechtman and Yitzhaki, "A measure of association based on Gini's mean difference" (1987).
For yes or no it is 2 ROC AUC - 1, for numbers (taken as their ranks) Spearman's, and of several
classes the mean of each against the others, weighted by p (1 - p).

What an input says is learned on every other day and asked on the days between, so that an id,
which is new every day, says nothing.

Shape suffixes: B rows, C columns of a label, G groups of an input's values, U units, R draws.
"""

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import numeric_matrix, text_column
from models.tasks import Task
from models.tasks.means import counted, divided, summed
from models.tasks.task import DAY, Array, Evidence, Metric, units_of

# Groups of about equal size that a number's values are cut into: finer ones have too few rows of a
# day, coarser ones hide where a relation turns.
_GROUPS = 32
# A group's mean label counts as one of so many rows more that are as all rows: what is rare says
# little.
_ROWS_OF_DOUBT = 10


def of_input(task: Task, rows: pa.Table, label: str, name: str, *, is_number: bool) -> Evidence:
    """The labels beside the best that the input alone has to say of them; units are days.

    Args:
        rows: with the label, the input, and `day`.

    Raises:
        DataRefused: a label is none of the task's, or the input holds neither numbers nor texts.
    """
    label_B, unit_B = task.encode(label, rows[label]), units_of(rows, (DAY,))
    # Classes have no order.
    target_BC = _one_hot(label_B) if pa.types.is_string(task.label) else _places(label_B)[:, None]
    if not is_number:
        text = text_column(rows, name).dictionary_encode().combine_chunks()
        told_BC = _told(text.indices.to_numpy(), target_BC, unit_B % 2)
        return Evidence(label_B, told_BC, unit_B)
    value_B = numeric_matrix(rows, [name])[:, 0].astype(float)
    told = Evidence(label_B, _told(_groups(value_B), target_BC, unit_B % 2), unit_B)
    # Groups of a few hundred rows blur a number that the label follows exactly: its own order.
    plain = Evidence(label_B, _in_order(value_B, target_BC), unit_B)
    return max(told, plain, key=lambda each: POWER.value(each) or 0.0)


def _told(group_B: Array, target_BC: Array, fold_B: Array) -> Array:
    """Each row's group's mean label in the other half, against all rows of that half, [B, C]."""
    num_groups = int(group_B.max(initial=-1)) + 1
    told_BC = np.zeros_like(target_BC)
    for fold in (0, 1):
        learned, asked = fold_B != fold, fold_B == fold
        if not learned.any():
            continue
        gap_BC = target_BC[learned] - target_BC[learned].mean(0)
        rows_G = np.bincount(group_B[learned], minlength=num_groups) + _ROWS_OF_DOUBT
        for column in range(target_BC.shape[1]):
            sum_G = np.bincount(group_B[learned], gap_BC[:, column], num_groups)
            told_BC[asked, column] = (sum_G / rows_G)[group_B[asked]]
    # What is left of nothing by rounding is no order.
    rounded_BC: Array = told_BC.round(12)
    return rounded_BC


def _in_order(value_B: Array, target_BC: Array) -> Array:
    """The values as they are, rising or falling as each column of the label does, [B, C]."""
    known_B = np.isfinite(value_B)
    place_B = np.zeros(len(value_B))
    place_B[known_B] = _places(value_B[known_B]) - 0.5
    sign_C = np.sign(place_B @ (target_BC - target_BC.mean(0)))
    ordered_BC: Array = place_B[:, None] * sign_C
    return ordered_BC


def _groups(value_B: Array) -> Array:
    """Whole numbers from 0: equal for values that are close; what is missing is one more."""
    known_B = np.isfinite(value_B)
    edges = np.unique(value_B[known_B])
    if len(edges) > _GROUPS:
        edges = np.unique(np.quantile(value_B[known_B], np.linspace(0, 1, _GROUPS + 1)[1:-1]))
    group_B: Array = np.searchsorted(edges, value_B, side="right")
    group_B[~known_B] = len(edges) + 1
    return group_B


def _one_hot(label_B: Array) -> Array:
    classes = np.unique(label_B)
    hot_BC: Array = (label_B[:, None] == classes).astype(float)
    return hot_BC


def _places(value_B: Array) -> Array:
    """Ranks between 0 and 1, equal values at the middle of theirs; their mean is a half."""
    _, code_B, count_N = np.unique(value_B, return_inverse=True, return_counts=True)
    middle_N = (np.cumsum(count_N) - count_N / 2) / max(len(value_B), 1)
    places_B: Array = middle_N[code_B.reshape(-1)]
    return places_B


def _value(evidence: Evidence) -> float | None:
    if not len(evidence):
        return None
    found = float(_draws(evidence, np.ones((1, evidence.num_units)))[0])
    return None if np.isnan(found) else found


def _draws(evidence: Evidence, weight_RU: Array) -> Array:
    score_BC, label_B = evidence.answer_BO, evidence.label_B
    target_BC = _one_hot(label_B) if score_BC.shape[1] > 1 else _places(label_B)[:, None]
    ours_R, most_R = np.zeros(len(weight_RU)), np.zeros(len(weight_RU))
    for target_B, score_B in zip(target_BC.T, score_BC.T, strict=True):
        ours_R += _covariances(target_B, score_B, evidence.unit_B, weight_RU)
        most_R += _covariances(target_B, target_B, evidence.unit_B, weight_RU)
    return divided(ours_R, most_R)


def _covariances(target_B: Array, score_B: Array, unit_B: Array, weight_RU: Array) -> Array:
    """cov(target, rank of score) in each draw, [R].

    A draw moves the ranks as well. To first order (Hajek's projection, as DeLong et al. (1988) have
    it for ROC AUC) a row counts twice: with its own rank, and in those of all that it is below.
    """
    _, code_B, count_N = np.unique(score_B, return_inverse=True, return_counts=True)
    code_B, num_rows = code_B.reshape(-1), len(score_B)
    place_B = ((np.cumsum(count_N) - count_N / 2) / num_rows)[code_B]
    sum_N = np.bincount(code_B, target_B)
    above_B = ((sum_N.sum() - np.cumsum(sum_N) + sum_N / 2) / num_rows)[code_B]
    rows_R = np.maximum(counted(weight_RU, unit_B), 1)
    both_R = summed(weight_RU, target_B * place_B + above_B, unit_B) / rows_R
    mean_R = summed(weight_RU, target_B, unit_B) / rows_R
    found_R: Array = both_R - (target_B * place_B).mean() - mean_R / 2
    return found_R


POWER = Metric(
    name="power",
    title="Power alone",
    higher_is_better=True,
    value=_value,
    draws=_draws,
)
