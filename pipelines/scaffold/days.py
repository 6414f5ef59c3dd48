"""In which days a sample's rows became known, without the few whose days can't be meant."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from pipelines.core.errors import UsageError
from pipelines.use_cases.spec.interval import YEARS

# So few rows that stand apart from all others by a gap are mistakes, such as a birthday; of so many
# rows one is.
_APART_SHARE_MAX, _APART_ONE_OF = 0.01, 30
# A gap that is longer than all that comes after it, three months at least; or than a year.
_GAP_DAYS_MIN, _GAP_DAYS = 90, 366


@dataclass(frozen=True)
class Span:
    """The days that a plan is made of.

    Args:
        known_on: rows by UTC day.
        begins: rows known before are mistakes; None: there are none.
        said: what was left out, and what becomes of it.
    """

    known_on: Mapping[date, int]
    begins: date | None
    said: Sequence[str]


def span(known: Sequence[datetime | None], now: datetime, *, is_whole: bool = True) -> Span:
    """The days with rows; what is far from them, or yet to come, decides nothing.

    Args:
        known: when each row became known.
        is_whole: whether these are all rows that there are.

    Raises:
        UsageError: no row is known by now, or some in years that no interval can be of.
    """
    latest = (now + timedelta(days=1)).date()
    found = Counter(at.date() for at in known if at)
    future = {day: n for day, n in found.items() if day > latest}
    past = {day: n for day, n in found.items() if day <= latest}
    if not past:
        newest = max(found, default=None)
        raise UsageError(
            f"no row is known by now, {now:%Y-%m-%d}, of {len(known)}; the newest is of {newest}: "
            "name the time at which rows became known by --known-at, or wait"
        )
    early, late, usual = _apart(past)
    _refuse_years(usual)
    said = [
        *_said(early, "long before all others: for quarantine"),
        *_said(late, "long after all others: kept, but no plan is made of them"),
        *_said(future, f"yet to come on {now:%Y-%m-%d}: for quarantine"),
    ]
    return Span(usual, _begins(early, usual, is_whole=is_whole), tuple(said))


def _refuse_years(usual: Mapping[date, int]) -> None:
    old = {day: n for day, n in usual.items() if day.year < YEARS[0]}
    if old:
        raise UsageError(
            f"{sum(old.values()):,} of {sum(usual.values()):,} rows became known from {min(old)} "
            f"to {max(old)}; a case has days from {YEARS[0]} on: take the rows from then on, or "
            "shift all times at the source by the same number of years"
        )


def _apart(
    found: Mapping[date, int],
) -> tuple[Mapping[date, int], Mapping[date, int], Mapping[date, int]]:
    """Days long before the others, days long after them, and the others."""
    days, rows = sorted(found), sum(found.values())
    most = max(_APART_SHARE_MAX * rows, 1 if rows >= _APART_ONE_OF else 0)
    early = _cut(days, found, most)
    late = _cut(days[::-1], found, most)
    ends = [*days[:early], *days[len(days) - late :]]
    parts = (days[:early], days[len(days) - late :], [day for day in days if day not in ends])
    before, after, usual = ({day: found[day] for day in part} for part in parts)
    return before, after, usual


def _cut(days: Sequence[date], found: Mapping[date, int], most: float) -> int:
    """How many of the first days are apart: at most so many rows, and a long gap after them."""
    rows, cut = 0, 0
    for place, (day, following) in enumerate(pairwise(days), 1):
        rows += found[day]
        if rows > most:
            break
        rest = abs(days[-1] - following).days
        if abs(following - day).days > min(max(rest, _GAP_DAYS_MIN), _GAP_DAYS):
            cut = place
    return cut


def _begins(early: Mapping[date, int], usual: Mapping[date, int], *, is_whole: bool) -> date | None:
    """The first of the usual days; of a part of the rows, of which older may follow, halfway."""
    if not early:
        return None
    last, first = max(early), min(usual)
    return first if is_whole else last + (first - last) / 2


def _said(days: Mapping[date, int], what: str) -> Sequence[str]:
    if not days:
        return ()
    rows, first, last = sum(days.values()), min(days), max(days)
    when = f"{first}" if first == last else f"{first} to {last}"
    return (f"{rows} row{'s' if rows > 1 else ''}, of {when}, {what}",)
