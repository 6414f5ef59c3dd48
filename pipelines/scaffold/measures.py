"""What a generated state keeps of the labels that were known: a running mean, in whole numbers.

The states' sums run on from instant to instant, so that only sums of whole numbers are the same
whichever interval they are computed with: a number is counted in units of its ninth digit.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log10

from anyascii import anyascii

from pipelines.scaffold.literals import number, sql_text
from pipelines.scaffold.names import plain_words, units_of
from pipelines.scaffold.target import Target

# The most frequent classes, of which each has a share: five have all of theirs, since the last
# follows from the others.
CLASSES_MAX = 4
_DIGITS = 9
_SLUG_MAX = 20


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A mean over the labelled rows of some days.

    Args:
        name: of the feature, without its days.
        counted: of the sums in the SQL, without their days.
        value: of a row, a whole number in SQL.
        divided: what makes the label's unit of a mean again, in SQL.
        meaning: what it is of, with a place for its days.
        limits: of a plausible mean, as SQL has them.
    """

    name: str
    counted: str
    value: str
    divided: str
    meaning: str
    limits: tuple[str, str]

    def feature(self, days: int) -> str:
        """Its name over so many days."""
        return f"{self.name}_{days}d"

    def said(self, days: int) -> str:
        """Its description over so many days, with the units that its name seems to promise."""
        meaning = self.meaning.format(days=days)
        units = (unit for unit in units_of(self.feature(days)) if unit not in meaning)
        return "; ".join([meaning, *units, "null if none has one"])


def measures(name: str, target: Target) -> Sequence[Measure]:
    """Of a yes or no its rate, of classes the rate of the frequent ones, of a number its mean.

    Args:
        name: the label's in the feed.
    """
    if target.task == "multiclass":
        return _rates(name, target)
    limits = target.limits
    if limits is None or limits.low is None or limits.high is None:
        return [_share("label_rate", "labelled", f"int({name})", f"{name} is true")]
    unit = _per_unit(limits.low, limits.high)
    mean = Measure(
        name="label_mean",
        counted="labelled",
        value=f"bigint(round({name} * {unit}))",
        divided=f" / {unit}",
        meaning=f"Mean {name} of these rows of {{days}} days with a label",
        limits=(number(limits.low), number(limits.high)),
    )
    return [mean]


def _share(name: str, counted: str, value: str, condition: str) -> Measure:
    return Measure(
        name=name,
        counted=counted,
        value=value,
        divided="",
        meaning=f"Share of these rows of {{days}} days with a label whose {condition}, 0 to 1",
        limits=("0", "1"),
    )


def _rates(name: str, target: Target) -> Sequence[Measure]:
    frequent = target.frequent[:CLASSES_MAX]
    return [
        _share(
            f"label_rate_of_{slug}",
            f"labelled_{slug}",
            f"int({name} = {text if target.type == 'bigint' else sql_text(text)})",
            f"{name} is {plain_words(text) or slug}",
        )
        for slug, text in zip(_slugs(frequent), frequent, strict=True)
    ]


def _slugs(texts: Sequence[str]) -> Sequence[str]:
    """Each as part of a name; where two would be one, all are numbered."""
    words = (re.sub(r"^-(?=[0-9])", "minus ", anyascii(text).lower()) for text in texts)
    slugs = [re.sub(r"[^a-z0-9]+", "_", word)[:_SLUG_MAX].strip("_") for word in words]
    if all(slugs) and len(set(slugs)) == len(slugs):
        return slugs
    return [f"class_{place}" for place in range(1, len(texts) + 1)]


def _per_unit(low: float, high: float) -> str:
    """By what a number is multiplied to have nine digits before its point.

    Example:
        >>> _per_unit(-50.0, 1_500.0), _per_unit(0.0, 3e12)
        ('100000', '1e-4')
    """
    power = _DIGITS - ceil(log10(max(abs(low), abs(high))))
    return str(10**power) if 0 <= power <= _DIGITS else f"1e{power}"
