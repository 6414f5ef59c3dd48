"""Texts to numbers and booleans: whole batches at once, exactly as Python's `float` and `int`."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from types import MappingProxyType

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from pipelines.data.reading.notation import Notation
from pipelines.use_cases.spec.use_case import ColumnType

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_INTEGER = "-?[0-9]+"
_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
# The forms that Millrace itself writes: Java and Python read these alike. Instants are UTC and say
# so by their Z.
PATTERNS: Mapping[ColumnType, str] = MappingProxyType(
    {
        "int": _INTEGER,
        "bigint": _INTEGER,
        "double": f"-?{_NUMBER}",
        "boolean": "true|false",
        "date": _DATE,
        "timestamp": rf"{_DATE}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:\.[0-9]{{1,6}})?Z",
    }
)
# Unicode's minus and the dashes that word processors put in its place.
MINUSES = "-\u2010\u2011\u2012\u2013\u2212"
BLANKS = " \t\u00a0\u2007\u2009\u202f"
# Marks of thousands that are typed alike.
_ALIKE = {" ": BLANKS, "\u00a0": BLANKS, "\u202f": BLANKS, "\u2019": "'\u2019", "'": "'\u2019"}
_ACCOUNTING = r"\A([^()0-9]*)\(([^()]*[0-9][^()]*)\)([^()0-9]*)\z"
_DIGITS_OF_INT64 = 18  # of which every number fits


def cast(texts: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """Arrow's own reading of texts, about 80 M/s; None: one of them is not of its forms.

    It makes a message for each text that fails, 1 M/s: so the first is tried before all.
    """
    try:
        pc.cast(texts.drop_null()[:1], kind)
        return pc.cast(texts, kind)
    except pa.ArrowInvalid:
        return None


def matches(texts: pa.Array, pattern: str) -> pa.Array:
    """Which texts are wholly of a pattern."""
    return pc.match_substring_regex(texts, rf"\A(?:{pattern})\z")


def doubles(texts: pa.Array, notation: Notation) -> pa.Array:
    """Texts as float64; null where a text is no number, or none that a double can hold.

    Example:
        >>> german = Notation(decimal=",", thousands=".", signs=("€",))
        >>> doubles(pa.array(["1.536,00 €", "9.00", "1e400"]), german).to_pylist()
        [1536.0, None, None]
    """
    pointed = None if notation.is_exact else _points(texts, notation)
    found = None if pointed is None else cast(pointed, pa.float64())
    if found is None:
        found = pc.cast(_plain(texts, notation, "double"), pa.float64())
    # Arrow reads 1e400 as inf, and the words inf and nan. Adding 0 makes -0.0 a plain 0.0, so that
    # equal values have equal bytes.
    return pc.add(pc.if_else(pc.is_finite(found), found, None), 0.0)


def wholes(texts: pa.Array, notation: Notation) -> pa.Array:
    """Texts as int64; null where a text is no whole number, or too big a one.

    Example:
        >>> wholes(pa.array(["7.0", "7.5", "9223372036854775808"]), Notation()).to_pylist()
        [7, None, None]
    """
    found = cast(texts, pa.int64())
    if found is not None and not _any(texts, "x") and not _any(texts, "X"):  # 0x1F is none here
        return found
    plain = _plain(texts, notation, "bigint" if notation.is_exact else "double")
    digits = pc.replace_substring_regex(plain, r"\.0*\z", "")
    is_short = matches(digits, f"-?[0-9]{{1,{_DIGITS_OF_INT64}}}")
    short = pc.cast(pc.if_else(is_short, digits, None), pa.int64())
    if short.null_count == plain.null_count:
        return short
    return pc.coalesce(short, _by_value(pc.if_else(is_short, None, plain)))


def booleans(texts: pa.Array, notation: Notation) -> pa.Array:
    """Texts as booleans; null where a text is neither `true` nor `false` nor a word for these."""
    if notation.is_exact:
        return pc.cast(pc.if_else(matches(texts, PATTERNS["boolean"]), texts, None), pa.bool_())
    words = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
    true, false = (
        pc.is_in(words, value_set=pa.array([each.lower() for each in (*named, word)]))
        for named, word in ((notation.true, "true"), (notation.false, "false"))
    )
    return pc.if_else(pc.or_(true, false), true, None)


def _any(texts: pa.Array, letter: str) -> bool:
    return bool(pc.any(pc.match_substring(texts, letter)).as_py())


def _points(texts: pa.Array, notation: Notation) -> pa.Array | None:
    """The texts with a decimal point; None: a point means thousands in one of them."""
    if notation.decimal == ".":
        return None if notation.thousands == "." else texts
    is_safe = not _any(texts, ".")
    return pc.replace_substring(texts, notation.decimal, ".") if is_safe else None


def _plain(texts: pa.Array, notation: Notation, kind: ColumnType) -> pa.Array:
    """Each number as Python writes it; null where a text breaks the notation."""
    if notation.is_exact:
        return pc.if_else(matches(texts, PATTERNS[kind]), texts, None)
    bare = _replaced(pc.utf8_trim_whitespace(texts), "(", _ACCOUNTING, r"-\1\2\3")
    shape = _shape(notation.decimal, notation.thousands, notation.signs)
    bare = pc.if_else(matches(bare, shape), bare, None)
    for marks, by in _to_plain(notation.decimal, notation.thousands, notation.signs):
        bare = _without(bare, marks, by)
    # A minus may stand on either side, but only once.
    before = _replaced(bare, "-", r"\A([^-]+)-\z", r"-\1")
    return pc.utf8_ltrim(pc.if_else(matches(before, rf"[+-]?{_NUMBER}"), before, None), "+")


def _replaced(texts: pa.Array, letter: str, pattern: str, by: str) -> pa.Array:
    """A pattern replaced, which costs twenty times as much as to look for a letter of it."""
    return pc.replace_substring_regex(texts, pattern, by) if _any(texts, letter) else texts


def _without(texts: pa.Array, marks: Sequence[str], by: str) -> pa.Array:
    """Mark by mark, not by a pattern of all: that is ten times as slow."""
    if len(marks) > 1 and not pc.any(pc.match_substring_regex(texts, _one_of(marks))).as_py():
        return texts
    for mark in marks:
        texts = pc.replace_substring(texts, mark, by)
    return texts


def _to_plain(
    decimal: str, thousands: str, signs: tuple[str, ...]
) -> Iterator[tuple[Sequence[str], str]]:
    """Which marks are replaced in a text that is of the notation's shape, in this order."""
    if signs:
        # The longest first, or `US` would stay of `US$`.
        yield sorted(signs, key=len, reverse=True), ""
    if thousands:
        yield _ALIKE.get(thousands, thousands), ""
    yield BLANKS, ""
    yield MINUSES[1:], "-"
    if decimal != ".":
        yield decimal, "."


@lru_cache(maxsize=256)
def _shape(decimal: str, thousands: str, signs: tuple[str, ...]) -> str:
    """The pattern of a number with its signs; without groups, which cost RE2 nine tenths."""
    sign = f"{_one_of(signs)}?" if signs else ""
    minus, gap, point = f"[{MINUSES}+]?", f"[{BLANKS}]*", _escaped(decimal)
    whole = f"(?:{_whole(thousands)}(?:{point}[0-9]*)?|{point}[0-9]+)"
    before = gap.join(("", minus, sign, minus, ""))
    return rf"{before}{whole}(?:[eE][+-]?[0-9]+)?{gap.join(('', minus, sign, ''))}"


def _one_of(marks: Sequence[str]) -> str:
    return f"(?:{'|'.join(map(_escaped, marks))})"


def _whole(thousands: str) -> str:
    """Digits, in groups or not; with commas also India's: 12,34,567."""
    if not thousands:
        return "[0-9]+"
    mark = _any_of(thousands)
    # No group begins with a zero: 0.234 beside 1,5 is a slip, and 089 123 456 a telephone.
    first = f"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+"
    indian = f"|[1-9][0-9]?(?:{mark}[0-9]{{2}})+{mark}[0-9]{{3}}" if thousands == "," else ""
    return f"(?:{first}{indian}|[0-9]+)"


def _any_of(thousands: str) -> str:
    return f"[{_ALIKE.get(thousands, _escaped(thousands))}]"


def _escaped(text: str) -> str:
    return "".join(rf"\x{{{ord(letter):x}}}" for letter in text)


def _by_value(texts: pa.Array) -> pa.Array:
    """Whole numbers of 19 digits or with an exponent, value by value."""
    found = pc.dictionary_encode(texts)
    values = pa.array([whole_number(text) for text in found.dictionary.to_pylist()], pa.int64())
    return values.take(found.indices)


def whole_number(text: str) -> int | None:
    """A text's whole number; None: it is none, or beyond 64 bits.

    Example:
        >>> whole_number("1.5e1"), whole_number("1e999999999")
        (15, None)
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    # Python would write out all digits of 1e999999999.
    is_whole = number.adjusted() <= _DIGITS_OF_INT64 and number == number.to_integral_value()
    whole = int(number) if is_whole else 2**63
    return whole if -(2**63) <= whole < 2**63 else None
