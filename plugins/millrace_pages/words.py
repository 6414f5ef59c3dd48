"""How values are written on every page."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from pipelines.insight import values

NONE = "\N{EN DASH}"

_MINUTE, _HOUR = 60, 3600


def instant(at: datetime | str | None) -> str:
    """To the minute, UTC.

    Example:
        >>> instant("2026-11-20T00:00:00+00:00")
        '2026-11-20 00:00'
    """
    if at is None:
        return NONE
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def count(number: int | None) -> str:
    """With a comma between the thousands."""
    return NONE if number is None else f"{number:,}"


def seconds(duration: float | None) -> str:
    """A duration, as short as it can be said.

    Example:
        >>> [seconds(each) for each in (0.42, 61, 3700)]
        ['0.4 s', '1 min 1 s', '1 h 1 min']
    """
    if duration is None:
        return NONE
    if duration < _MINUTE:
        return f"{duration:.1f} s"
    if duration < _HOUR:
        return f"{duration // _MINUTE:.0f} min {duration % _MINUTE:.0f} s"
    return f"{duration // _HOUR:.0f} h {duration % _HOUR // _MINUTE:.0f} min"


def decimal(number: float | None, digits: int = 3) -> str:
    """A number with so many digits after the point."""
    return NONE if number is None else f"{number:.{digits}f}"


def percent(share: float | None) -> str:
    """A share, 0 to 1, in percent."""
    return NONE if share is None else f"{share:.1%}"


def plain(value: Any) -> str:
    """What was observed, whatever its type."""
    return NONE if value is None else str(value)


def value(said: Any) -> str:
    """A value of an answer or an input; of a long list the beginning."""
    if isinstance(said, datetime):
        return instant(said)
    return NONE if said is None else values.in_words(said)


_ALL = (instant, count, seconds, decimal, percent, plain, value)
FILTERS: Mapping[str, Callable[..., str]] = {function.__name__: function for function in _ALL}
