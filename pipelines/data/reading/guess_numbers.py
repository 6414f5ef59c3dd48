"""How a file writes its numbers: what its values settle, and what they leave open.

`1,97` settles a decimal comma, and so does `1.000.000`; `9.000` alone may be nine or nine thousand.
What one column settles holds for the others: one file has one way to write numbers.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.data.reading.notation import Notation
from pipelines.data.reading.numbers import BLANKS, MINUSES
from pipelines.data.reading.tally import TYPED_SHARE_MIN, Tally
from pipelines.use_cases.spec.use_case import ColumnType

_SYMBOLS = "€ $ £ ¥ ₹ ₽ ₩ ₺ ₪ ฿ us$ a$ c$ r$ kr kr. zł kč ft lei fr. rs rs."
_CODES = "eur usd gbp chf jpy cny inr brl aud cad sek nok dkk pln czk huf"
_CURRENCIES = frozenset((*_SYMBOLS.split(), *_CODES.split()))
_MEASURES = """% ‰ ° °c °f kg mg lb lbs oz km cm mm mi ft in m² m2 m³ m3 ml kwh kw wh min ms sec
days km/h mph gb mb kb px pcs stk stk. st."""
_UNITS = frozenset(_MEASURES.split())
_ALIKE = {"€": "eur", "£": "gbp", "zł": "pln", "kč": "czk", "kr": "kr."}
# As they are written: 5G is no weight, and 3D no time.
_LETTERS = frozenset("g t m l h s d")
_MINUSES = re.escape(MINUSES)  # a bare minus between others would be a range
_BLANK, _MINUS = f"[{BLANKS}]", f"[{_MINUSES}+]"
_NEUTRAL = f"[{BLANKS}'\u2019]"  # marks of thousands that say nothing of the decimal mark
_BODY = rf"[0-9.,]+(?:{_NEUTRAL}[0-9.,]+)*(?:[eE][+-]?[0-9]+)?"
_CHARACTERS_MAX = 60
_AFFIXED = re.compile(
    rf"{_MINUS}?\(?{_MINUS}?{_BLANK}*(?P<before>(?:[^0-9{BLANKS}.,'()+{_MINUSES}]+\.?)?){_BLANK}*[({_MINUSES}]?"
    rf"(?=[.,]?[0-9]){_BODY}{_BLANK}*[){_MINUSES}]?{_BLANK}*(?P<after>[^0-9{BLANKS}'()]*)\)?"
)
_PHONE = r"\+[0-9][0-9 ()/-]{6,}"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_ADDRESS = rf"(?:{_OCTET}\.){{3}}{_OCTET}"
_PADDED = rf"0[0-9]+(?:{_BLANK}[0-9]+)*"
_PAIR = "[0-9]{2}[.,][0-9]{2}"  # 03.04 may be a day, and 08.30 a time of day
# Of ids with as many digits one in a thousand is too long for 64 bits, by chance of the sample.
_LONG_DIGITS = 15
_MARKS = {".": "point", ",": "comma", "'": "apostrophe", " ": "blank"}


@dataclass(frozen=True)
class Style:
    """How numbers are written; a decimal mark of "" is not settled."""

    decimal: str = ""
    thousands: str = ""


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column's values, if these may be numbers."""

    tally: Tally

    @cached_property
    def signs(self) -> tuple[str, ...] | None:
        """The spellings of their one sign or unit; None: they are no numbers, or of several."""
        affixes, signs = self._affixes, self.all_signs
        if not self._are_numbers or self.are_of_several_signs:
            return None
        is_money = all(sign.lower() in _CURRENCIES for sign in signs)
        # 5 and 5% in one column may be the same or a hundred times as much.
        is_mixed = signs and not is_money and affixes.count("") > self.tally.num_bad_max
        return None if is_mixed else tuple(signs)

    @property
    def all_signs(self) -> Sequence[str]:
        """The signs and units that stand beside numbers, of whatever meaning."""
        return sorted({affix for affix in self._affixes if affix})

    @property
    def are_of_several_signs(self) -> bool:
        """Whether they are numbers of several units, such as dollars and euros."""
        return self._are_numbers and len(set(map(_meaning, self.all_signs))) > 1

    @property
    def _are_numbers(self) -> bool:
        return len(self._affixes) * 2 >= len(self.tally.head)

    @cached_property
    def _affixes(self) -> Sequence[str]:
        found = (_AFFIXED.fullmatch(text[:_CHARACTERS_MAX]) for text in self.tally.head)
        return [affix for each in found if each if (affix := _affix(each)) is not None]

    @cached_property
    def bodies(self) -> Tally:
        """The values without their signs."""
        values = self.tally.values
        for mark in (*(self.signs or ()), "(", ")", *MINUSES, "+"):
            values = pc.replace_substring(values, mark, "")
        return Tally(pc.utf8_trim_whitespace(values), self.tally.counts)

    @property
    def num_bare(self) -> int:
        """So many rows have no sign, in a column that has one."""
        known = "|".join(map(re.escape, self.signs or ()))
        return self.tally.num_rows - self.tally.num_of(f".*(?:{known}).*") if known else 0

    @cached_property
    def has_marks(self) -> bool:
        """Whether points or commas are in them."""
        return self.bodies.num_of(r".*[.,].*") > 0

    @cached_property
    def decimal(self) -> str | None:
        """The decimal mark that its values settle; "": none, None: they contradict each other."""
        if self.signs is None or not self.has_marks:
            return ""
        point, comma = (self.bodies.num_of(_settling(mark)) for mark in ".,")
        if point == comma:
            return "" if not point else None
        mark, num_for, num_against = (".", point, comma) if point > comma else (",", comma, point)
        if num_against > self.tally.num_bad_max:
            return None
        # A slip or two among many a `9.000` say nothing of these.
        return "" if num_for <= self.tally.num_slips_max < self._num_open else mark

    @cached_property
    def settles(self) -> str:
        """The decimal mark that its values show of the whole file; "": none.

        A slip or two show nothing, and nor do four digits after a point: coordinates and the like
        are written so by programs in any country.
        """
        if not self.decimal or self.kind(notation_of(self, Style())) is None:
            return ""
        num_long = self.bodies.num_of(r"[0-9]*\.[0-9]{4,}(?:e.*)?") if self.decimal == "." else 0
        num_for = self.bodies.num_of(_settling(self.decimal)) - num_long
        return self.decimal if num_for > self.tally.num_slips_max else ""

    @property
    def _num_open(self) -> int:
        return self.bodies.num_of(f"{_open('.')}|{_open(',')}")

    @cached_property
    def open_mark(self) -> str:
        """The mark of `9.000` or `9,000`, if these are all that it has of marks; else ""."""
        if self.signs is None or self.decimal or not self.has_marks:
            return ""
        found = {mark: self.bodies.num_of(_open(mark)) for mark in ".,"}
        return max(found, key=lambda mark: found[mark]) if any(found.values()) else ""

    def thousands(self, decimal: str) -> str:
        """The mark between groups of three digits, given the decimal one; "": it has no groups."""
        other = "," if decimal == "." else "."
        for mark, pattern in ((other, f"[{other}]"), ("'", "['\u2019]"), (" ", _BLANK)):
            groups = rf"[0-9]{{1,3}}(?:{pattern}[0-9]{{2,3}})*{pattern}[0-9]{{3}}(?:[.,].*)?"
            if self.signs is not None and self.bodies.num_of(groups):
                return mark
        return ""

    def groups_of_numbers(self, decimal: str) -> str:
        """The same, but of no column that is of other things."""
        mark = self.thousands(decimal)
        is_read = mark and self.kind(notation_of(self, Style(decimal))) is not None
        return mark if is_read else ""

    def kind(self, notation: Notation) -> ColumnType | None:
        """Whole numbers, numbers, or None: neither, also if their digits are those of a code."""
        if self.signs is None or not self.tally.fits("double", notation) or self._is_code():
            return None
        point = re.escape(notation.decimal)
        if self.bodies.num_of(rf".*(?:{point}|[0-9]e).*"):
            return "double"
        num_long = (
            self.tally.bad("bigint", notation).num_rows
            - self.tally.bad("double", notation).num_rows
        )
        is_long = self.bodies.is_nearly_all(self.bodies.num_of(rf"[0-9]{{{_LONG_DIGITS},}}"))
        return None if num_long > (0 if is_long else self.tally.num_bad_max) else "bigint"

    def _is_code(self) -> bool:
        """Digits with zeros before them (postcodes), of telephones, networks, clocks and days."""
        if self.tally.num_of(_PHONE) > self.tally.num_bad_max:
            return True
        if self.tally.is_nearly_all(self.tally.num_of(_ADDRESS)):
            return True
        num_padded, num_rows = self.bodies.num_of(_PADDED), self.tally.num_rows
        if num_padded > num_rows * (1 - TYPED_SHARE_MIN):
            return True
        num_pairs = self.bodies.num_of(_PAIR) if self.bodies.num_of("0[0-9][.,].*") else 0
        return (num_padded > 0 and self._is_of_one_width()) or num_pairs == num_rows

    def _is_of_one_width(self) -> bool:
        return len(pc.unique(pc.utf8_length(self.bodies.values))) == 1


def _affix(found: re.Match[str]) -> str | None:
    """The sign beside a number; None: it is none that is known, or there are two."""
    before, after = found["before"], found["after"]
    if before and after:
        return None
    is_before = before.lower() in (*_CURRENCIES, "%", "")
    is_after = after in _LETTERS or after.lower() in (*_CURRENCIES, *_UNITS, "")
    return (before or after) if is_before and is_after else None


def _meaning(sign: str) -> str:
    """One name for the spellings of a sign: kg and KG, but not m and M."""
    return sign if sign in _LETTERS else _ALIKE.get(sign.lower(), sign.lower())


def _settling(decimal: str) -> str:
    """The pattern of a number that can have this decimal mark alone."""
    other = "," if decimal == "." else "."
    point, mark = re.escape(decimal), re.escape(other)
    grouped = rf"[0-9]{{1,3}}(?:{mark}[0-9]{{2,3}})*{mark}[0-9]{{3}}"
    spaced = rf"[0-9]{{1,3}}(?:{_NEUTRAL}[0-9]{{3}})+"
    return "|".join(
        (
            rf"(?:{grouped}|{spaced}){point}[0-9]+",
            rf"(?:{spaced}|[0-9]*){point}(?:[0-9]{{1,2}}|[0-9]{{4,}})",
            rf"(?:0|[0-9]{{4,}})?{point}[0-9]{{3}}",
            rf"[0-9]*{point}[0-9]+e[+-]?[0-9]+",
            rf"[0-9]{{1,3}}(?:{mark}[0-9]{{2,3}})+{mark}[0-9]{{3}}",
        )
    )


def _open(mark: str) -> str:
    return rf"[1-9][0-9]{{0,2}}{re.escape(mark)}[0-9]{{3}}"


def style_of(columns: Collection[Numbers], said: Style) -> Style:
    """How the file writes its numbers, by all columns whose values settle it.

    If these differ it is not settled: each of them goes by its own.
    """
    decimals = {each.settles for each in columns} - {""}
    decimal = said.decimal or (decimals.pop() if len(decimals) == 1 else "")
    marks = [mark for each in columns if decimal and (mark := each.groups_of_numbers(decimal))]
    return Style(decimal, said.thousands or (marks[0] if marks and _is_one(marks) else ""))


def _is_one(marks: Collection[str]) -> bool:
    return len(set(marks)) == 1


def notation_of(numbers: Numbers, file: Style) -> Notation:
    """A column's own notation, where it settles one; else the file's."""
    decimal = numbers.decimal or file.decimal or "."
    own = numbers.thousands(decimal)
    thousands = own or (file.thousands if decimal == file.decimal else "")
    return Notation(
        decimal=decimal,
        thousands="" if thousands == decimal else thousands,
        signs=numbers.signs or (),
    )


def told(notation: Notation) -> str:
    """How numbers are written, in words; "": with a plain point.

    Example:
        >>> told(Notation(decimal=",", thousands=".", signs=("€",)))
        'decimal comma, thousands point, sign €'
    """
    marks = [f"decimal {_MARKS[notation.decimal]}"] if notation.decimal != "." else []
    if notation.thousands:
        marks.append(f"thousands {_MARKS[notation.thousands]}")
    return ", ".join((*marks, *(f"sign {sign}" for sign in notation.signs)))
