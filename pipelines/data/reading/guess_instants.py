"""How a column writes its dates and instants: the forms that all its values fit, and only these.

`03/04/2026` may be the 3rd of April or March 4; a 13 somewhere settles it, in another column, too.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.data.reading.formats import has_time
from pipelines.data.reading.instants import instants
from pipelines.data.reading.notation import Epoch, Notation
from pipelines.data.reading.tally import Tally

_CLOCK = (
    r"(?:(?P<gap>T|,?\s+|:)(?P<time>\d{1,2}:\d{2}(?::\d{2}(?P<fraction>[.,]\d+)?)?)"
    r"(?:(?P<blank>[\s\u202f]?)(?P<half>[AaPp]\.?[Mm]\.?))?)?"
    r"(?P<zone>\s?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
)
_NUMERIC = re.compile(rf"(\d{{1,4}})([./-])(\d{{1,2}})\2(\d{{1,4}}){_CLOCK}", re.ASCII)
# As in `27. Okt. 2026`, `Oct 27, 2026` and `27 de octubre de 2026`.
_MONTH, _GAP = r"[^\W\d_]{3,12}", r"[ ,./-]+(?:de )?"
_NAMED = re.compile(
    r"(?P<week>[A-Za-z]{3,9}(?P<comma>,? ))?(?P<d>\d{1,2})"
    rf"(?P<s>{_GAP})(?P<month>{_MONTH})(?P<t>{_GAP})(?P<y>\d{{4}}|\d{{2}}){_CLOCK}"
)
_MONTH_FIRST = re.compile(
    rf"(?P<week>[A-Za-z]{{3,9}}(?P<comma>,? ))?(?P<month>{_MONTH})(?P<s>[ .-]+)(?P<d>\d{{1,2}})"
    rf"(?P<t>[ ,-]+)(?P<y>\d{{4}}){_CLOCK}"
)
_COMPACT = re.compile(r"\d{8}(?:(?P<t>T?)\d{6}(?P<z>Z?))?")
# Of numbers of eight digits one in a thousand is a day of these years: so many are by chance never.
_COMPACT_MIN = 5
# From so few values the forms are taken that all others are then tried by.
_TRIED = 30
# Compact dates and epochs out of these years are other numbers.
_YEAR_MIN, _YEAR_MAX = 1971, 2100
# Of years in two digits: later ones are rather of the last century, before 69 or not.
_SHORT_YEAR_MAX = 2040
# The numbers below which a unit is one of the years until 5138, and above which until 1973.
_EPOCHS: tuple[tuple[float, Epoch], ...] = ((1e11, "s"), (1e14, "ms"), (1e17, "us"), (1e20, "ns"))
_EPOCH_MIN = 1e8
_MONTHS = 12
# The days of monthly and quarterly figures.
_MONTHLY = pa.array([1, 15, 28, 29, 30, 31])


@dataclass(frozen=True, eq=False)
class Instants:
    """A column's values, if these may be dates or instants; `is_time`: they must be."""

    tally: Tally
    is_time: bool
    said: tuple[str, ...] = ()

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """The forms that nearly all values fit; "" is ISO 8601, and then the only one."""
        may_be_dense = self.is_time or len(self.tally.values) >= _COMPACT_MIN
        candidates = dict.fromkeys(("", *self.said, *_candidates(self.tally.head, may_be_dense)))
        for form in ("", *self.said):
            if self.tally.fits("timestamp", Notation(format=form)):
                return (form,)
        found = [form for form in candidates if form and self.tally.fits("timestamp", _with(form))]
        return tuple(self._plausible(self._of_all(found) or found))

    @cached_property
    def unread(self) -> Tally:
        """The values that the best of all forms leaves."""
        candidates = dict.fromkeys(("", *self.said, *_candidates(self.tally.head, True)))
        rest = (self.tally.bad("timestamp", _with(form)) for form in candidates)
        return min(rest, key=lambda found: found.num_rows)

    @property
    def of_two_forms(self) -> tuple[str, str] | None:
        """One value of each of two forms that together have nearly all; None: they are not so."""
        rest = self.unread
        others = Instants(rest, True).forms if rest.num_rows else ()
        if not others or rest.num_rows == self.tally.num_rows:
            return None
        mine = self.tally.without(frozenset(rest.values.to_pylist()))
        return mine.head[0], rest.head[0]

    def _of_all(self, forms: Collection[str]) -> list[str]:
        """Those that all values fit: one 13 settles which number is the month."""
        return [form for form in forms if not self.tally.bad("timestamp", _with(form)).num_rows]

    def _plausible(self, forms: Collection[str]) -> Iterator[str]:
        """Those in which days vary more than years do: 27.08.26 is of a year 26 on many days.

        Unless all are of the first or last days of a month: these are of as many years as they say.
        """
        years = {form: len(pc.unique(self._years(form))) for form in forms}
        fewest = min(years.values(), default=0)
        for form in forms:
            is_odd = _is_short(form) and years[form] > 2 * fewest and years[form] > _MONTHS
            is_odd = is_odd and not self._is_monthly(form)
            if not is_odd and not (_is_compact(form) and not self._is_in_our_years(form)):
                yield form

    def _years(self, form: str) -> pa.Array:
        return pc.year(instants(self.tally.values, _with(form)).values.drop_null())

    def _is_monthly(self, form: str) -> bool:
        days = pc.day(instants(self.tally.values, _with(form)).values.drop_null())
        return bool(pc.all(pc.is_in(days, value_set=_MONTHLY)).as_py())

    def _is_in_our_years(self, form: str) -> bool:
        found = pc.min_max(self._years(form))
        return bool(found["min"].as_py() >= _YEAR_MIN and found["max"].as_py() <= _YEAR_MAX)

    @cached_property
    def order(self) -> str:
        """`d/m/Y`, `m/d/Y` or alike, if its values settle it; else ""."""
        return _order(self.forms[0]) if len(self.forms) == 1 else ""

    def settled(self, orders: Collection[str]) -> tuple[str, ...]:
        """Its forms, of several the one that other columns or its points speak for."""
        if len(self.forms) < 2:  # noqa: PLR2004
            return self.forms
        one = {order for order in orders if order in map(_order, self.forms)}
        by_points = {"d.m.y", "d.m.Y"} & set(map(_order, self.forms))
        wanted = by_points or (one if len(one) == 1 else ())
        found = tuple(form for form in self.forms if _order(form) in wanted)
        return found or self.forms

    def has_open_century(self, form: str) -> bool:
        """Whether years of two digits may be of the last century, or are of both."""
        if not _is_short(form) or form in self.said:
            return False
        found = pc.min_max(self._years(form))
        low, high = found["min"].as_py(), found["max"].as_py()
        return bool(high > _SHORT_YEAR_MAX or low < 2000 <= high)  # noqa: PLR2004

    @cached_property
    def epoch(self) -> Epoch:
        """The unit of a time column of whole numbers, by their size; "": they are none."""
        pattern = r"[0-9]{9,19}(?:\.[0-9]+)?"
        if not self.is_time or not self.tally.is_nearly_all(self.tally.num_of(pattern)):
            return ""
        numbers = pc.cast(self.tally.values.filter(_is_of(self.tally, pattern)), pa.float64())
        unit = epoch_of(numbers)
        return unit if self._is_in_one_unit(unit) else ""

    def _is_in_one_unit(self, unit: Epoch) -> bool:
        """Milliseconds read as seconds would be of the year 50,000, and the others of 1970."""
        if not unit:
            return False
        found = instants(self.tally.values, Notation(epoch=unit)).values
        is_ours = pc.is_in(pc.year(found), value_set=pa.array(range(_YEAR_MIN, _YEAR_MAX + 1)))
        num_ours = int(self.tally.counts[is_ours.to_numpy(zero_copy_only=False)].sum())
        return self.tally.is_nearly_all(num_ours)

    @property
    def are_compact(self) -> bool:
        """Whether they are digits alone, which would otherwise be numbers."""
        return any(map(_is_compact, self.forms))

    def num_without_zone(self, form: str) -> int:
        """Of so many rows the zone is not said."""
        if form:
            return 0 if "%z" in form else self.tally.num_rows
        zoned = r".*(?:Z|UTC|GMT|:[0-9.,]+ ?[+-][0-9]{2}(?::?[0-9]{2})?)"
        return self.tally.num_rows - self.tally.num_of(zoned)

    @property
    def are_days(self) -> bool:
        """Whether ISO values are dates alone."""
        return self.tally.num_of("[0-9-]{10}") == self.tally.num_rows


def epoch_of(numbers: pa.Array) -> Epoch:
    """The unit in which the median is an instant since 1973."""
    middle = pc.quantile(numbers, 0.5)[0].as_py()
    if middle is None or middle < _EPOCH_MIN:
        return ""
    return next((unit for most, unit in _EPOCHS if middle < most), "")


def _with(form: str) -> Notation:
    return Notation(format=form)


def _is_of(tally: Tally, pattern: str) -> pa.Array:
    return pc.match_substring_regex(tally.values, rf"\A(?:{pattern})\z")


def _is_short(form: str) -> bool:
    return "%y" in form


def _is_compact(form: str) -> bool:
    return form.startswith("%Y%m")


def _order(form: str) -> str:
    """The order of day, month and year, such as `d/m/Y`, if these are numbers.

    With its marks: who writes 31.12.2026 in one column may write 12/31/2026 in another.
    """
    found = re.match("%([dmYy])(.?)%([dmYy])(.?)%([dmYy])", form)
    return "".join(found.groups()) if found else ""


def _candidates(values: Collection[str], may_be_dense: bool) -> Iterator[str]:
    for text in list(values)[:_TRIED]:
        if found := _NUMERIC.fullmatch(text):
            yield from (date + _clock(found) for date in _numeric(found))
        elif found := _NAMED.fullmatch(text) or _MONTH_FIRST.fullmatch(text):
            yield _named(found)
        elif may_be_dense and (found := _COMPACT.fullmatch(text)):
            yield _compact(found)


def _compact(found: re.Match[str]) -> str:
    time = "" if found["t"] is None else f"{found['t']}%H%M%S"
    return f"%Y%m%d{time}{'%z' if found['z'] else ''}"


def _numeric(found: re.Match[str]) -> Iterator[str]:
    first, mark, last = found[1], found[2], found[4]
    year = "%Y" if 4 in (len(first), len(last)) else "%y"  # noqa: PLR2004
    if len(first) != 4:  # noqa: PLR2004
        yield f"%d{mark}%m{mark}{year}"
        yield f"%m{mark}%d{mark}{year}"
    if len(last) != 4:  # noqa: PLR2004
        yield f"{year}{mark}%m{mark}%d"


def _named(found: re.Match[str]) -> str:
    week = f"%a{found['comma']}" if found["week"] else ""
    year = "%Y" if len(found["y"]) == 4 else "%y"  # noqa: PLR2004
    is_month_first = found.start("month") < found.start("d")
    first, second = ("%b", "%d") if is_month_first else ("%d", "%b")
    return f"{week}{first}{found['s']}{second}{found['t']}{year}{_clock(found)}"


def _clock(found: re.Match[str]) -> str:
    zone = re.sub(r"\S+", "%z", found["zone"] or "")
    if not found["time"]:
        return zone
    hour = "%I" if found["half"] else "%H"
    second = ":%S" if found["time"].count(":") == 2 else ""  # noqa: PLR2004
    fraction = f"{found['fraction'][0]}%f" if found["fraction"] else ""
    half = f"{found['blank']}%p" if found["half"] else ""
    return f"{found['gap']}{hour}:%M{second}{fraction}{half}{zone}"


def is_date(form: str) -> bool:
    """Whether a form says a day alone."""
    return bool(form) and not has_time(form)
