"""The columns of a feed that are neither time nor label, and what is promised of each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.scaffold.limits import Limits, affordable, limits
from pipelines.scaffold.names import described
from pipelines.scaffold.profile import Profile
from pipelines.use_cases.spec.use_case import ColumnType

# What a generated case lets go to quarantine, and what all proposed limits together may take of it.
QUARANTINE_RATE_MAX = 0.02
_LIMITS_RATE_MAX = QUARANTINE_RATE_MAX / 2
# By the rule of three, n rows without a gap say that at most 3/n of all rows have one.
_ROWS_WITHOUT_GAP = round(3 / _LIMITS_RATE_MAX)
_NO_NUMBER = Limits(because="")


@dataclass(frozen=True, kw_only=True)
class Input:
    """One column of the feed that is neither time nor label.

    Args:
        always: why every row has one; empty: a row may lack it.
        example: a value of the sample, its most frequent one.
    """

    source: str
    name: str
    type: ColumnType
    description: str
    num_missing: int
    always: str
    limits: Limits
    is_category: bool
    num_values: int
    example: str


def inputs(
    profiles: Sequence[Profile],
    names: Mapping[str, str],
    key: Sequence[str],
    order: Sequence[int],
) -> tuple[Input, ...]:
    """What is proposed of each column; `order` has the places of the rows in time."""
    found = {
        profile.source: (_limits(profile, names[profile.source], order), profile.values)
        for profile in profiles
        if profile.is_number and profile.source not in key
    }
    num_rows = len(order)
    kept = affordable(found, num_rows, _LIMITS_RATE_MAX)
    return tuple(
        _input(each, names[each.source], kept.get(each.source), is_key=each.source in key)
        for each in profiles
    )


def _input(profile: Profile, name: str, found: Limits | None, *, is_key: bool) -> Input:
    return Input(
        source=profile.source,
        name=name,
        # An identity is a text, whatever its digits: 7 and 07 are two.
        type="string" if is_key else profile.type,
        description=described(profile.source, name),
        num_missing=profile.num_missing,
        always="" if is_key else _always(profile),
        limits=found or _NO_NUMBER,
        is_category=profile.is_category and not is_key,
        num_values=len(profile.counts),
        example=max(profile.counts, key=lambda text: profile.counts[text], default=""),
    )


def _always(profile: Profile) -> str:
    rows = len(profile.texts)
    if profile.num_missing or rows < _ROWS_WITHOUT_GAP:
        return ""
    return f"none of {rows} rows lacks one, so hardly {3 / rows:.2%} of all do"


def _limits(profile: Profile, name: str, order: Sequence[int]) -> Limits:
    """Of its numbers; a name that promises some (expectations/suites.py) has those."""
    if re.search(r"_(rate|share)(_|$)", name):
        return Limits(low=0.0, high=1.0, because="a share")
    if name.startswith("num_"):
        return Limits(low=0.0, high=1e9, because="a count")
    return limits(profile.values[np.asarray(order, dtype=np.intp)])
