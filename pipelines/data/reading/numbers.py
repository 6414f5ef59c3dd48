"""Texts to numbers and booleans: whole batches at once, exactly as Python's `float` and `int`."""

from collections.abc import Mapping
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
BLANKS = "\\s\u00a0\u2007\u2009\u202f"
# Marks of thousands that are typed alike.
_ALIKE = {" ": " \u00a0\u2007\u2009\u202f", "'": "'\u2019"}
_ACCOUNTING = r"\A([^()0-9]*)\(([^()]*[0-9][^()]*)\)([^()0-9]*)\z"
_DIGITS_OF_INT64 = 18  # of which every number fits


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
    found = None if notation.is_exact else _cast(_points(texts, notation), pa.float64())
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
    found = _cast(texts, pa.int64())
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


def _cast(texts: pa.Array | None, kind: pa.DataType) -> pa.Array | None:
    """Arrow's own reading, 80 M/s; None: not of all texts."""
    try:
        return None if texts is None else pc.cast(texts, kind)
    except pa.ArrowInvalid:
        return None


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
    signed = pc.replace_substring_regex(texts, _ACCOUNTING, r"-\1\2\3")
    shape = _shape(notation.decimal, notation.thousands, notation.signs)
    fits = pc.match_substring_regex(signed, shape)
    bare = pc.replace_substring_regex(pc.if_else(fits, signed, None), shape, r"\1\2\4\3")
    if notation.thousands:
        bare = pc.replace_substring_regex(bare, _any_of(notation.thousands), "")
    pointed = pc.replace_substring(bare, notation.decimal, ".")
    minus = pc.replace_substring_regex(pointed, f"[{MINUSES}]", "-")
    # A sign may stand on either side, but only once.
    return pc.utf8_ltrim(pc.if_else(matches(minus, rf"[+-]?{_NUMBER}"), minus, None), "+")


@lru_cache(maxsize=256)
def _shape(decimal: str, thousands: str, signs: tuple[str, ...]) -> str:
    """The pattern of a number with its signs; groups: minus, minus, number, minus."""
    longest_first = sorted(signs, key=len, reverse=True)
    sign = f"(?:{'|'.join(map(_escaped, longest_first))})?" if signs else ""
    minus, gap, point = f"([{MINUSES}+]?)", f"[{BLANKS}]*", _escaped(decimal)
    number = rf"((?:{_whole(thousands)}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    before = gap.join(("", minus, sign, minus, ""))
    return rf"\A{before}{number}{gap.join(('', minus, sign, ''))}\z"


def _whole(thousands: str) -> str:
    """Digits, in groups or not; with commas also India's: 12,34,567."""
    if not thousands:
        return "[0-9]+"
    mark = _any_of(thousands)
    first = f"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+"
    indian = f"|[0-9]{{1,2}}(?:{mark}[0-9]{{2}})+{mark}[0-9]{{3}}" if thousands == "," else ""
    return f"(?:{first}{indian}|[0-9]+)"


def _any_of(thousands: str) -> str:
    return f"[{_ALIKE.get(thousands, _escaped(thousands))}]"


def _escaped(text: str) -> str:
    return "".join(rf"\x{{{ord(letter):x}}}" for letter in text)


def _by_value(texts: pa.Array) -> pa.Array:
    """Whole numbers of 19 digits or with an exponent, value by value."""
    found = pc.dictionary_encode(texts)
    values = pa.array([_exact(text) for text in found.dictionary.to_pylist()], pa.int64())
    return values.take(found.indices)


def _exact(text: str) -> int | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    # Python would write out all digits of 1e999999999.
    is_whole = number.adjusted() <= _DIGITS_OF_INT64 and number == number.to_integral_value()
    whole = int(number) if is_whole else 2**63
    return whole if -(2**63) <= whole < 2**63 else None
