"""How a value of an answer or an input is written for people."""

from collections.abc import Mapping, Sequence
from typing import Any

# Of a list so many are shown.
_FIRST = 10


def in_words(value: Any) -> str:
    """A number with four digits after the point, of a long list the beginning, else as it is.

    Example:
        >>> in_words(0.25), in_words(True), in_words({"a": 0.5, "b": 1})
        ('0.2500', 'yes', '(a 0.5000, b 1)')
        >>> in_words(list("abcdefghijkl"))
        'a, b, c, d, e, f, g, h, i, j and 2 more'
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, Mapping):
        return f"({fields_in_words(value)})"
    return _listed(value) if isinstance(value, list | tuple) else str(value)


def fields_in_words(values: Mapping[str, Any]) -> str:
    """Each value after its name.

    Example:
        >>> fields_in_words({"probability": 0.25})
        'probability 0.2500'
    """
    return ", ".join(f"{name} {in_words(value)}" for name, value in values.items())


def _listed(values: Sequence[Any]) -> str:
    first = ", ".join(in_words(each) for each in values[:_FIRST])
    more = len(values) - _FIRST
    return f"{first} and {more:,} more" if more > 0 else first or "none"
