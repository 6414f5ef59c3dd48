r"""Forms of dates and instants as patterns: ISO 8601, and the forms of `strptime`.

A pattern has groups named by `strptime`'s letters: `Y m d H M S f z`, and `y b I p` of forms alone.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from pipelines.data.reading.months import MONTHS

_MONTH = "|".join(MONTHS)
_WEEKDAY = "(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_ZONE = "(?P<z>Z|UTC|GMT|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"

ISO = (
    r"(?P<Y>[0-9]{4})-(?P<m>0[1-9]|1[0-2])-(?P<d>0[1-9]|[12][0-9]|3[01])"
    r"(?:[T ](?P<H>[01][0-9]|2[0-3])(?::(?P<M>[0-5][0-9])(?::(?P<S>[0-5][0-9])"
    rf"(?:[.,](?P<f>[0-9]+))?)?)?(?: ?{_ZONE})?)?"
)
# A leap second and 24:00 are no times here, as they are none in Python.
_DIRECTIVES: Mapping[str, str] = MappingProxyType(
    {
        "Y": "(?P<Y>[0-9]{4})",
        "y": "(?P<y>[0-9]{2})",
        "m": "(?P<m>0[1-9]|1[0-2]|[1-9])",
        "b": f"(?P<b>{_MONTH})",
        "B": f"(?P<b>{_MONTH})",
        "d": "(?P<d>0[1-9]|[12][0-9]|3[01]|[1-9])",
        "H": "(?P<H>[01][0-9]|2[0-3]|[0-9])",
        "I": "(?P<I>0[1-9]|1[0-2]|[1-9])",
        "p": r"(?P<p>[ap]\.?m\.?)",
        "M": "(?P<M>[0-5]?[0-9])",
        "S": "(?P<S>[0-5]?[0-9])",
        "f": "(?P<f>[0-9]+)",
        "z": _ZONE,
        "a": _WEEKDAY,
        "A": _WEEKDAY,
        "%": "%",
    }
)
_DATE_PARTS = ({"Y", "y"}, {"m", "b", "B"}, {"d"})


@lru_cache(maxsize=256)
def pattern(form: str) -> str:
    r"""The pattern of a whole text, in any case, as RE2 (Arrow's) has it; "" is ISO 8601.

    Raises:
        ValueError: the form has a directive that is not read, one twice, or is no whole date.

    Example:
        >>> pattern("%H:%M")
        Traceback (most recent call last):
        ValueError: date format '%H:%M' must have a year, a month and a day
    """
    if not form:
        return rf"(?i)\A{ISO}\z"
    refuse_bad(form)
    parts = re.split(r"%(.)", form)
    # With nothing between them `2026111` would be a day, of January or of November.
    is_dense = "" in parts[2:-1:2]
    found = [
        _part(part, is_dense) if place % 2 else _literal(part) for place, part in enumerate(parts)
    ]
    return rf"(?i)\A{''.join(found)}\z"


def _part(letter: str, has_zeros: bool) -> str:
    """The pattern of one part; `has_zeros`: never a single digit."""
    found = _DIRECTIVES[letter]
    return (
        re.sub(r"\|\[[01]-9\]\)", ")", found).replace("?[0-9])", "[0-9])") if has_zeros else found
    )


def refuse_bad(form: str) -> None:
    """Refuse a form that can't be read.

    Raises:
        ValueError: says what of it.
    """
    letters = re.findall(r"%(.?)", form)
    if unknown := [f"%{letter}" for letter in letters if letter not in _DIRECTIVES]:
        known = " ".join(f"%{letter}" for letter in _DIRECTIVES)
        raise ValueError(f"date format {form!r}: {unknown[0]} is not read, of strptime's: {known}")
    once = [letter.replace("B", "b") for letter in letters if letter not in "%aA"]
    if len(set(once)) < len(once):
        raise ValueError(f"date format {form!r} has the same part twice")
    if not all(part & set(letters) for part in _DATE_PARTS):
        raise ValueError(f"date format {form!r} must have a year, a month and a day")
    if ("I" in letters) != ("p" in letters):
        raise ValueError(f"date format {form!r}: %I (hours to 12) and %p (AM or PM) go together")


def _literal(text: str) -> str:
    # Several blanks count as one, as in strptime; no-break blanks before AM are common (ICU 72).
    return re.sub(r"(?:\\?\s)+", "[\\\\s\u00a0\u202f]+", re.escape(text))


def has_time(form: str) -> bool:
    """Whether the form says more than a day."""
    return any(f"%{letter}" in form for letter in "HI")
