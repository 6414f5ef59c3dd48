"""What the columns of a sample are taken for, and what is asked."""

import re
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from pipelines.data.reading.guess import guessed
from pipelines.data.reading.said import Said
from pipelines.use_cases.spec.use_case import ColumnType
from tests.guesses import Texts, guess, guess_all, read

GERMAN = ["1,97", "9,80", "0,5"]
ENGLISH = ["1.97", "9.80", "0.5"]
OPEN = ["9.000", "1.000", "2.500"]


NUMBERS: list[tuple[Texts, list[float | None]]] = [
    (["1.536,00 €", "641,00 €"], [1536.0, 641.0]),
    (["€1,536.00", "€641.00"], [1536.0, 641.0]),
    (["-5,2%", "3,5 %"], [-5.2, 3.5]),
    (["(1,234.50)", "3.25"], [-1234.5, 3.25]),
    (["1'234.5", "7.25"], [1234.5, 7.25]),
    (["1\u202f234,5", "7,25"], [1234.5, 7.25]),
    (["1\u00a0234", "999"], [1234, 999]),
    (["\u22125.5", "+3.5"], [-5.5, 3.5]),
    (["1.97 kg", "12 kg"], [1.97, 12.0]),
    (["1.000.000", "9.000"], [1_000_000, 9000]),
    (["12,34,567", "1,000"], [1_234_567, 1000]),
    (["0.234", "1.234"], [0.234, 1.234]),
    (["12.3456", "1.234"], [12.3456, 1.234]),
    (["1e5", "2.5E-3"], [100_000.0, 0.0025]),
    ([".5", "1."], [0.5, 1.0]),
    (["0", "10", "7"], [0, 10, 7]),
    (["7.0", "8.0"], [7.0, 8.0]),
]


@pytest.mark.parametrize(("texts", "values"), NUMBERS)
def test_numbers_are_read_as_their_values_say(texts: Texts, values: list[float | None]) -> None:
    found = guess(texts)
    assert read(texts, found) == values
    assert found.kind == ("bigint" if all(isinstance(each, int) for each in values) else "double")


@pytest.mark.parametrize(
    ("beside", "values", "kind"),
    [
        (GERMAN, [9000, 1000, 2500], "bigint"),
        (ENGLISH, [9.0, 1.0, 2.5], "double"),
        (["1.536,00 €", "7,50 €", None], [9000, 1000, 2500], "bigint"),
    ],
)
def test_a_decimal_mark_of_one_column_settles_the_others(
    beside: Texts, values: list[float], kind: ColumnType
) -> None:
    found = guess_all({"open": OPEN, "beside": beside})["open"]
    assert (found.kind, read(OPEN, found)) == (kind, values)


@pytest.mark.parametrize("beside", [["a", "b", "c"], ["1", "2", "3"], ["10.0.0.1", "1.2.3", "x"]])
def test_what_may_be_nine_or_nine_thousand_is_asked(beside: Texts) -> None:
    found = guess_all({"items": OPEN, "beside": beside})["items"]
    assert found.asks == (
        "items: 9.000 may be 9000 or 9 and 0 thousandths: say --decimal ',' or --decimal '.'"
    )


def test_coordinates_settle_no_thousands() -> None:
    """Programs write 52.5200 in any country."""
    found = guess_all({"items": OPEN, "lat": ["52.5200", "48.1374", "53.5511"]})
    assert found["items"].asks is not None
    assert read(["52.5200"], found["lat"]) == [52.52]


def test_a_slip_settles_nothing() -> None:
    grouped = [f"{each}.250" for each in range(1, 31)]
    assert guess([*grouped, "12.5"]).asks is not None
    found = guess_all({"x": [*grouped, "12.5"], "y": [*["1,97"] * 30, None]})["x"]
    assert (found.kind, read(["7.250", "12.5"], found)) == ("bigint", [7250, None])
    counts = [*map(str, range(30)), "1,5"]
    assert guess_all({"x": [*grouped, "1.250"], "y": counts})["x"].asks is not None


def test_what_others_settle_is_told() -> None:
    found = guess_all({"items": OPEN, "beside": ENGLISH})["items"]
    assert found.told == ("items: 9.000 is read as 9, by the decimal marks of other columns",)
    found = guess_all({"items": OPEN, "beside": GERMAN})["items"]
    assert found.told[-1] == "items: 9.000 is read as 9000, by the decimal marks of other columns"
    assert read(OPEN, guess(OPEN, Said(thousands="."))) == [9000, 1000, 2500]
    assert guess(OPEN, Said(decimal=",")).told[-1] == "x: 9.000 is read as 9000, as was said"


def test_numbers_without_the_sign_of_the_others_are_told() -> None:
    found = guess(["5 €", "7", "6 €"])
    assert found.told == ("x: sign €", "x: 1 of 3 values have no € and are read like the others")


def test_zeros_are_numbers_and_dates_of_zeros_are_missing() -> None:
    zeros = ["0.00000000", "0.00000125"]
    assert read(zeros, guess(zeros)) == [0.0, 0.00000125]
    dates = ["2026-01-01", "0000-00-00"]
    assert read(dates, guess(dates))[1] is None


def test_what_columns_say_against_each_other_settles_no_third() -> None:
    found = guess_all({"items": OPEN, "b": GERMAN, "c": ENGLISH})
    assert found["items"].asks is not None
    assert read(GERMAN, found["b"]) == read(ENGLISH, found["c"]) == [1.97, 9.8, 0.5]


@pytest.mark.parametrize(("decimal", "values"), [(",", [9000, 1000, 2500]), (".", [9.0, 1.0, 2.5])])
def test_what_the_person_says_decides(decimal: str, values: list[float]) -> None:
    assert read(OPEN, guess(OPEN, Said(decimal=decimal))) == values


def test_both_marks_in_one_column_are_asked() -> None:
    found = guess(["1,97", "2.55", "3,25", "4.75"])
    assert found.kind == "double"
    assert found.asks is not None
    assert "say --decimal ',' or --decimal '.'" in found.asks


@pytest.mark.parametrize(
    "texts",
    [
        ["00501", "10001", "20002"],
        [*map(str, range(100, 150)), "0815"],
        ["012 345 678", *(f"732 829 3{each}" for each in range(10, 40))],
        ["00501", *map(str, range(10_000, 10_200))],
        ["00000000", "12345678", "87654321"],
        ["192.168.100.101", "192.168.100.202"],
        ["03.04", "24.12", "31.10"],
        ["007", "010", "7"],
        ["+49 170 1234567", "+49 89 1234567"],
        ["+491701234567", "+498912345678"],
        ["12345678901234567890", "99345678901234567891"],
        ["1.2.3", "1.10.0"],
        ["10.0.0.1", "192.168.0.1"],
        ["5 kg", "6 lb"],
        ["$5", "6 €"],
        ["5", "10%", "3 %", "7"],
        ["5G", "4G"],
        ["0x1F", "0xFF"],
        ["12:30", "13:45"],
        ["A12", "B7"],
        ["yes", "no"],
        ["inf", "Infinity"],
    ],
)
def test_codes_and_mixtures_stay_texts(texts: Texts) -> None:
    found = guess(texts)
    assert (found.kind, found.asks, read(texts, found)) == ("string", None, list(texts))


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["true", "FALSE", "True"], [True, False, True]),
        (["t", "f", "T"], [True, False, True]),
    ],
)
def test_true_and_false_are_booleans(texts: Texts, values: list[bool]) -> None:
    found = guess(texts)
    assert (found.kind, read(texts, found)) == ("boolean", values)


def test_words_for_missing_are_told_and_null_in_numbers_alone() -> None:
    found = guess_all({"n": ["5", "NA", "k.A.", "6"], "country": ["NA", "DE", "FR", "-"]})
    assert read(["5", "NA", "k.A."], found["n"]) == [5, None, None]
    assert found["n"].told == ("n: missing is written 'NA', 'k.A.'",)
    assert read(["NA", "DE", "-"], found["country"]) == ["NA", "DE", "-"]


def test_words_said_are_missing_everywhere_and_codes_are_never_guessed() -> None:
    texts = ["-999", "5", "6"]
    assert read(texts, guess(texts)) == [-999, 5, 6]
    assert read(texts, guess(texts, Said(missing=("-999",)))) == [None, 5, 6]
    assert read(["n", "y"], guess(["n", "y"], Said(missing=("n",)))) == [None, "y"]


def test_an_empty_column_is_told() -> None:
    assert guess([None, ""]).told == ("x: empty in the sample",)
    assert guess(["(null)", ""]).told == ("x: empty in the sample",)
    found = guess(["NA", "-"])
    assert found.told == ("x: only '-', 'NA' in the sample; say --missing if this means missing",)
    assert read(["NA", "-"], found) == ["NA", "-"]
    assert guess([None], is_time=True).asks == "x: no instant in the sample"


def test_a_few_bad_values_are_told_and_many_make_a_text() -> None:
    found = guess([*map(str, range(18)), "five", "six"])
    assert found.kind == "bigint"
    assert found.told == (
        "x: 2 of 20 values are no whole number, such as 'five': these go to quarantine",
    )
    assert guess([*map(str, range(17)), "five", "six", "ten"]).kind == "string"
    assert guess(["1", "two", "3"]).kind == "string"


def test_keys_stay_texts() -> None:
    found = guess_all({"id": ["1", "2"], "n": ["1", "2"]}, texts=["id"])
    assert (found["id"].kind, found["n"].kind) == ("string", "bigint")


TYPED: list[tuple[pa.Array, ColumnType]] = [
    (pa.array([1, None]), "bigint"),
    (pa.array([2**63], pa.uint64()), "string"),
    (pa.array([1.5]), "double"),
    (pa.array([True]), "boolean"),
    (pa.array([0], pa.date32()), "date"),
    (pa.array([0], pa.timestamp("ns")), "timestamp"),
    (pa.array([0], pa.time64("us")), "string"),
    (pa.array([[1]]), "string"),
    (pa.array(["1", "2"]).dictionary_encode(), "bigint"),
]


@pytest.mark.parametrize(("column", "kind"), TYPED)
def test_typed_columns_go_by_their_type(column: pa.Array, kind: ColumnType) -> None:
    assert guessed({"x": pa.chunked_array([column])}, Said())["x"].kind == kind


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"decimal": ";"}, "--decimal ';'"),
        ({"decimal": ",", "thousands": ","}, "--thousands ','"),
        ({"thousands": "x"}, "--thousands 'x'"),
        ({"zone": "Europe/Nowhere"}, "--zone 'Europe/Nowhere'"),
        ({"zone": "../etc"}, "--zone '../etc'"),
        ({"zone": "Europe"}, "--zone 'Europe'"),
        ({"dates": ("%d.%m",)}, "must have a year"),
    ],
)
def test_options_that_say_nothing_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Said(**wrong)
