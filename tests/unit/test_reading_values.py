"""Columns of any source in our types, against Python's `float`, `int` and `decimal`."""

import math
import random
import struct
from datetime import date, time
from decimal import Decimal
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.data.reading.batches import CELL_CHARACTERS_MAX
from pipelines.data.reading.notation import LANDING, PLAIN, Notation
from pipelines.data.reading.values import Converted, arrow_type, converted
from pipelines.use_cases.spec.use_case import ColumnType

GERMAN = Notation(decimal=",", thousands=".", signs=("€", "EUR", "%", "kg"))


def read(values: Any, kind: ColumnType, notation: Notation = PLAIN) -> Converted:
    column = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
    found = converted(column, kind, notation)
    assert found.values.type == arrow_type(kind)
    assert len(found.values) == len(found.failed) == len(column)
    return found


def parts(found: Converted) -> tuple[list[Any], list[Any]]:
    return found.values.to_pylist(), found.failed.to_pylist()


def grouped(number: Decimal, notation: Notation) -> str:
    """A number in a notation, by Python's own formatting."""
    swap = {",": notation.thousands, ".": notation.decimal}
    return "".join(swap.get(letter, letter) for letter in f"{number:,f}")


@pytest.mark.parametrize("thousands", ["", ".", ",", " ", "'", "\u00a0", "\u202f", "\u2019"])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("sign", ["", "€", "$", "%", "kr.", "US$"])
def test_numbers_of_any_notation_come_back(thousands: str, decimal: str, sign: str) -> None:
    if thousands == decimal:
        return
    notation = Notation(decimal=decimal, thousands=thousands, signs=(sign,) if sign else ())
    seeded = random.Random(f"{thousands}{decimal}{sign}")  # noqa: S311
    digits = [seeded.randrange(-(10**12), 10**12) for _ in range(300)]
    numbers = [Decimal(each).scaleb(-seeded.randrange(0, 9)) for each in digits]
    texts = [grouped(number, notation) for number in numbers]
    styled = [
        seeded.choice((f"{text}{sign}", f"{text} {sign}", f" {sign}{text}", f"{sign} {text} "))
        for text in texts
    ]
    values, failed = parts(read([*styled, "no number"], "double", notation))
    assert values == [*(float(number) for number in numbers), None]
    assert failed == [*[None] * 300, "no number"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1.536,00 €", 1536.0),
        ("€ 1.536,00", 1536.0),
        ("-5,2%", -5.2),
        ("(1.234,50)", -1234.5),
        ("(1.234,50 €)", -1234.5),
        ("€(1.234,50)", -1234.5),
        ("1.234,50-", -1234.5),
        ("\u22125,5", -5.5),
        ("\u20135,5", -5.5),
        ("- 5,5 kg", -5.5),
        ("-€5", -5.0),
        ("€-5", -5.0),
        ("+5", 5.0),
        (",5", 0.5),
        ("5,", 5.0),
        ("1,5e3", 1500.0),
        ("9.000", 9000.0),
        ("1.000.000", 1e6),
        ("1234567,8", 1234567.8),
        ("-0,0", 0.0),
    ],
)
def test_signs_and_groups(text: str, wanted: float) -> None:
    for texts in ([text], [text, "x"]):
        value = read(texts, "double", GERMAN).values[0].as_py()
        assert (value, math.copysign(1, value)) == (wanted, math.copysign(1, wanted))


@pytest.mark.parametrize(
    "text",
    [
        "9.00",
        "1.97",
        "12.34.567",
        "1,2,3",
        "1.0000",
        ".500",
        "--5",
        "-5-",
        "(-5)",
        "-(5)",
        "(5",
        "5)",
        "5 $",
        "€",
        "5 € €",
        "1 234",
        "5 (",
        "(5)(6)",
        "1e",
        "nan",
        "inf",
        "5 kgs",
        "\u0665",
        "0x1F",
    ],
)
def test_what_breaks_the_notation_fails_with_its_text(text: str) -> None:
    for texts in ([text], [text, "1,5"]):
        found = read(texts, "double", GERMAN)
        assert (found.values[0].as_py(), found.failed[0].as_py()) == (None, text)


def test_lakhs_are_grouped_in_pairs() -> None:
    notation = Notation(thousands=",", signs=("₹",))
    texts = ["₹12,34,567.50", "₹1,00,00,000", "1,234", "12,34", "1,2345"]
    assert read(texts, "double", notation).values.to_pylist() == [1234567.5, 1e7, 1234, None, None]


def test_doubles_are_those_of_float() -> None:
    seeded = random.Random(7)  # noqa: S311
    bits = [struct.unpack("<d", seeded.randbytes(8))[0] for _ in range(20_000)]
    texts = [repr(number) for number in bits if math.isfinite(number)]
    texts += [f"{seeded.getrandbits(200)}e-{seeded.randrange(400)}" for _ in range(5_000)]
    texts += ["1e-400", "4.9e-324", "2.5e-324", "9007199254740993", "1.7976931348623157e308"]
    for notation in (PLAIN, LANDING):
        assert read(texts, "double", notation).values.to_pylist() == [float(t) for t in texts]
    odd = ["1e400", "-1e400", "Infinity", "NaN", "1d", "1_0"]
    assert parts(read(odd, "double")) == ([None] * 6, odd)
    assert math.copysign(1, read(["-0.0"], "double").values[0].as_py()) == 1


@given(st.lists(st.integers(-(2**70), 2**70).map(str) | st.text(max_size=5), max_size=30))
def test_whole_numbers_fit_exactly_or_fail(texts: list[str]) -> None:
    found = converted(pa.chunked_array([pa.array(texts, pa.string())]), "bigint")
    for text, value, failed in zip(texts, *parts(found), strict=True):
        assert value is None or value == Decimal(text.strip())
        if text.lstrip("-").isascii() and text.lstrip("-").isdigit():
            fits = -(2**63) <= int(text) < 2**63
            assert (value, failed) == ((int(text), None) if fits else (None, text))


def test_whole_numbers_in_other_forms() -> None:
    texts = ["7.0", "7.", "1e3", "1.5E1", "+7", "007", "-0", "9223372036854775807.0", " 7 "]
    wanted = [7, 7, 1000, 15, 7, 7, 0, 2**63 - 1, 7]
    assert read(texts, "bigint").values.to_pylist() == wanted
    bad = ["7.5", "1e-1", "9223372036854775808", "1e999999999", "1e19", "0x1F", "0X1F", "", "1,0"]
    assert parts(read(bad, "bigint")) == ([None] * 9, [t or None for t in bad])
    assert read(["9.000"], "bigint", GERMAN).values.to_pylist() == [9000]
    small = ["2147483647", "-2147483648", "2147483648", "-2147483649"]
    assert read(small, "int").values.to_pylist() == [2147483647, -2147483648, None, None]
    assert read(small, "int").failed.to_pylist() == [None, None, *small[2:]]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("int", "-5", ["+5", "5.0", " 5", "5 ", "1e3", "0x5", "5\n", "(5)", "\u22125"]),
        ("bigint", "007", ["+5", "5.0", " 5", "5 ", "1e3", "0x5", "5\n", "99999999999999999999"]),
        ("double", "1.5e3", ["+5", " 5", "5 ", "1e400", "NaN", "inf", "1,5", "5\n", "(5)", "5%"]),
        ("boolean", "true", ["True", "TRUE", "t", "1", "yes", " true", "true\n"]),
    ],
)
def test_the_landing_form_is_exact(kind: ColumnType, good: str, bad: list[str]) -> None:
    for text in bad:
        assert parts(read([text], kind, LANDING)) == ([None], [text])
    values, failed = parts(read([good, *bad], kind, LANDING))
    assert values[0] is not None
    assert failed == [None, *bad]


def test_words_for_missing() -> None:
    words = Notation(missing=frozenset({"NA", "-", "-999"}))
    texts = ["NA", " - ", "-999", "", "   ", None, "5", "n/a"]
    for kind in ("double", "bigint"):
        values, failed = parts(read(texts, kind, words))
        assert values == [None] * 6 + [5, None]
        assert failed == [None] * 7 + ["n/a"]
    assert read(texts, "string", words).values.to_pylist() == [
        None, " - ", None, None, "   ", None, "5", "n/a"
    ]  # fmt: skip
    assert read(texts, "string").values.to_pylist()[:4] == ["NA", " - ", "-999", None]
    assert read([-999, 5], "bigint", words).values.to_pylist() == [None, 5]
    assert read([-999.0, 5.5], "double", words).values.to_pylist() == [None, 5.5]


def test_yes_and_no() -> None:
    assert read(["true", "False", "TRUE ", None], "boolean").values.to_pylist() == [
        True, False, True, None
    ]  # fmt: skip
    words = Notation(true=("ja", "1"), false=("nein", "0"))
    values, failed = parts(read(["ja", "Nein", "true", "0", "vielleicht"], "boolean", words))
    assert (values, failed) == ([True, False, True, False, None], [None] * 4 + ["vielleicht"])
    assert read([1, 0, 2], "boolean", words).values.to_pylist() == [True, False, None]
    assert read([1.0, 0.0], "boolean", words).values.to_pylist() == [True, False]
    assert parts(read([1, 0], "boolean")) == ([None, None], ["1", "0"])


def test_b19_long_cells_fail_and_are_cut() -> None:
    long = "ä" * (CELL_CHARACTERS_MAX + 1)
    for kind in ("string", "double", "timestamp"):
        values, failed = parts(read([long, None], kind))
        assert (values, failed) == ([None, None], ["ä" * 1_000 + "...", None])
    fits = long[1:]
    assert parts(read([fits], "string")) == ([fits], [None])
    assert read(["x" * 1_000], "double").failed.to_pylist() == ["x" * 1_000]


def test_nul_is_shown() -> None:
    assert parts(read(["a\0b"], "string")) == (["a\\0b"], [None])
    assert parts(read(["1\0"], "double")) == ([None], ["1\\0"])


@pytest.mark.parametrize(
    ("column", "kind", "wanted", "failed"),
    [
        (pa.array([2**53 + 1, None]), "bigint", [2**53 + 1, None], [None, None]),
        (pa.array([2**63, 5], pa.uint64()), "bigint", [None, 5], ["9223372036854775808", None]),
        (pa.array([2**31, 5]), "int", [None, 5], ["2147483648", None]),
        (pa.array([5], pa.int8()), "double", [5.0], [None]),
        (pa.array([7.0, 7.5, math.nan]), "bigint", [7, None, None], [None, "7.5", None]),
        (pa.array([2.0**63]), "bigint", [None], ["9.223372036854776e+18"]),
        (pa.array([math.inf, math.nan, -0.0]), "double", [None, None, 0.0], ["inf", None, None]),
        (pa.array([0.5], pa.float16()), "double", [0.5], [None]),
        (pa.array([Decimal("0.10"), Decimal("-5.00")]), "double", [0.1, -5.0], [None, None]),
        (pa.array([Decimal("7.00"), Decimal("7.50")]), "bigint", [7, None], [None, "7.50"]),
        (pa.array([Decimal(2**63)]), "bigint", [None], ["9223372036854775808"]),
        (pa.array([True, None]), "boolean", [True, None], [None, None]),
        (pa.array([True]), "bigint", [None], ["true"]),
        (pa.array([date(2026, 11, 20)]), "date", [date(2026, 11, 20)], [None]),
        (pa.array([date(2026, 11, 20)]), "double", [None], ["2026-11-20"]),
        (pa.array([time(13, 45)]), "timestamp", [None], ["13:45:00.000000"]),
        (pa.nulls(2), "double", [None, None], [None, None]),
        (pa.array(["5", "x"]).dictionary_encode(), "bigint", [5, None], [None, "x"]),
        (pa.array(["5"], pa.large_string()), "bigint", [5], [None]),
        (pa.array(["5"], pa.string_view()), "bigint", [5], [None]),
    ],
)  # fmt: skip
def test_typed_columns_stay_typed(
    column: pa.Array, kind: ColumnType, wanted: list[Any], failed: list[Any]
) -> None:
    assert parts(read(pa.chunked_array([column]), kind)) == (wanted, failed)


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (pa.array([1001.0, 0.5, math.nan]), ["1001", "0.5", None]),
        (pa.array([12345678901234567]), ["12345678901234567"]),
        (pa.array([Decimal("1.50")]), ["1.50"]),
        (pa.array([[1, 2], None]), ["[1, 2]", None]),
        (pa.array([{"a": "ü", "b": date(2026, 11, 20)}]), ['{"a": "ü", "b": "2026-11-20"}']),
        (pa.array([b"\x00\xff"]), ["00ff"]),
        (pa.array([True]), ["true"]),
        (pa.array([0], pa.timestamp("us", "UTC")), ["1970-01-01 00:00:00Z"]),
        (pa.array([1_500], pa.timestamp("ms")), ["1970-01-01 00:00:01.500"]),
        (pa.array(["a", ""]).dictionary_encode(), ["a", None]),
    ],
)
def test_anything_is_a_text(column: pa.Array, wanted: list[Any]) -> None:
    assert parts(read(pa.chunked_array([column]), "string")) == (wanted, [None] * len(wanted))


def test_many_chunks_and_none() -> None:
    column = pa.chunked_array([["1,5"], [], ["9.000", "x"]])
    assert parts(read(column, "double", GERMAN)) == ([1.5, 9000.0, None], [None, None, "x"])
    nothing = pa.chunked_array([], pa.string())
    for kind in ("string", "int", "bigint", "double", "boolean", "date", "timestamp"):
        assert parts(read(nothing, kind)) == ([], [])  # type: ignore[arg-type]
        empty = pa.chunked_array([pa.array([], pa.string())])
        assert parts(read(empty, kind, GERMAN)) == ([], [])  # type: ignore[arg-type]


def test_no_group_of_digits_begins_with_a_zero() -> None:
    assert parts(read(["0.234", "1.234"], "double", GERMAN)) == ([None, 1234.0], ["0.234", None])
    spaced = Notation(thousands=" ")
    assert parts(read(["089 123 456", "89 123"], "bigint", spaced))[0] == [None, 89123]
