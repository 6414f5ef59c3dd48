"""What the columns of a sample are taken for, and what is asked."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from pipelines.data.reading.guess import guessed
from pipelines.data.reading.notation import Notation
from pipelines.data.reading.said import Guess, Said
from pipelines.data.reading.values import converted
from pipelines.use_cases.spec.use_case import ColumnType

Texts = Sequence[str | None]
GERMAN = ["1,97", "9,80", "0,5"]
ENGLISH = ["1.97", "9.80", "0.5"]
OPEN = ["9.000", "1.000", "2.500"]


def guess_all(
    columns: Mapping[str, Texts], said: Said | None = None, **roles: Any
) -> Mapping[str, Guess]:
    arrow = {name: pa.chunked_array([list(texts)], pa.string()) for name, texts in columns.items()}
    return guessed(arrow, said or Said(), **roles)


def guess(texts: Texts, said: Said | None = None, *, is_time: bool = False) -> Guess:
    return guess_all({"x": texts}, said, times=["x"] if is_time else [])["x"]


def read(texts: Texts, found: Guess) -> list[Any]:
    assert found.asks is None
    values: list[Any] = converted(
        pa.chunked_array([list(texts)], pa.string()), found.kind, found.notation
    ).values.to_pylist()
    return values


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
    assert guess(["NA", "-"]).told == ("x: empty in the sample (only '-', 'NA')",)
    assert guess([None], is_time=True).asks == "x: no instant in the sample"


def test_a_few_bad_values_are_told_and_many_make_a_text() -> None:
    found = guess([*map(str, range(18)), "five", "six"])
    assert found.kind == "bigint"
    assert found.told == (
        "x: 2 of 20 values are no whole number, such as 'five': these go to quarantine",
    )
    assert guess([*map(str, range(17)), "five", "six", "ten"]).kind == "string"
    assert guess(["1", "two", "3"]).kind == "string"


DATES: list[tuple[Texts, str, list[tuple[int, ...]]]] = [
    (["13/04/2026", "03/04/2026"], "%d/%m/%Y", [(2026, 4, 13), (2026, 4, 3)]),
    (["04/13/2026", "03/04/2026"], "%m/%d/%Y", [(2026, 4, 13), (2026, 3, 4)]),
    (["03.04.2026", "1.2.2026"], "%d.%m.%Y", [(2026, 4, 3), (2026, 2, 1)]),
    (["03.04.26", "31.12.25"], "%d.%m.%y", [(2026, 4, 3), (2025, 12, 31)]),
    (["Jan 5, 2026", "Dec 31, 2025"], "%b %d, %Y", [(2026, 1, 5), (2025, 12, 31)]),
    (["5 March 2026", "31 May 2025"], "%d %b %Y", [(2026, 3, 5), (2025, 5, 31)]),
    (["2026/04/03", "2026/12/31"], "%Y/%m/%d", [(2026, 4, 3), (2026, 12, 31)]),
    (["2026-04-03", "2026-12-31"], "", [(2026, 4, 3), (2026, 12, 31)]),
    (
        ["13.4.2026 7:05", "3.4.2026 23:59"],
        "%d.%m.%Y %H:%M",
        [(2026, 4, 13, 7, 5), (2026, 4, 3, 23, 59)],
    ),
    (
        ["4/13/2026 12:05 AM", "3/4/2026 1:00 PM"],
        "%m/%d/%Y %I:%M %p",
        [(2026, 4, 13, 0, 5), (2026, 3, 4, 13)],
    ),
]


@pytest.mark.parametrize(("texts", "form", "days"), DATES)
def test_dates_are_read_as_their_values_say(
    texts: Texts, form: str, days: list[tuple[int, ...]]
) -> None:
    found = guess(texts, is_time=True)
    shown = [each.replace(tzinfo=None) for each in read(texts, found)]
    assert found.notation.format == form
    assert shown == [datetime(*day) for day in days]  # type: ignore[arg-type]  # noqa: DTZ001
    assert guess(texts).kind == ("timestamp" if len(days[0]) > 3 else "date")


def test_what_may_be_april_or_march_is_asked() -> None:
    found = guess(["03/04/2026", "05/06/2026"])
    assert found.asks == (
        "x: 03/04/2026 may be of several days: say --dates '%d/%m/%Y' or --dates '%m/%d/%Y'"
    )
    assert guess(["03/04/2026"], Said(dates=("%m/%d/%Y",))).notation.format == "%m/%d/%Y"
    beside = guess_all({"a": ["03/04/2026"], "b": ["05/13/2026"]})["a"]
    assert (beside.asks, beside.notation.format) == (None, "%m/%d/%Y")


def test_one_day_after_the_twelfth_settles_many_before_it() -> None:
    texts = [*[f"{month:02}/05/2026" for month in range(1, 13)] * 3, "07/13/2026"]
    found = guess(texts)
    assert (found.asks, found.notation.format) == (None, "%m/%d/%Y")


def test_years_of_two_digits_that_may_be_of_either_century_are_asked() -> None:
    assert guess(["13.04.69", "14.04.05"]).asks is not None
    assert guess(["13.04.55"]).asks is not None
    assert guess(["13.04.55"], Said(dates=("%d.%m.%y",))).asks is None


@pytest.mark.parametrize(
    ("texts", "epoch"),
    [
        (["1700000000", "1700000001"], "s"),
        (["1700000000.5", "1700000001"], "s"),
        (["1700000000000"], "ms"),
        (["1700000000000000"], "us"),
        (["1700000000000000000"], "ns"),
    ],
)
def test_epochs_of_times_go_by_their_size(texts: Texts, epoch: str) -> None:
    found = guess(texts, is_time=True)
    assert (found.kind, found.notation.epoch) == ("timestamp", epoch)
    assert {each.year for each in read(texts, found)} == {2023}
    assert guess(texts).kind != "timestamp"


def test_compact_dates_are_dates_of_times_alone() -> None:
    found = guess(["20261120", "20261231"], is_time=True)
    assert (found.kind, found.notation.format) == ("timestamp", "%Y%m%d")
    assert guess(["20261120", "20261231"]).kind == "bigint"
    assert guess(["20261120", "99999999"], is_time=True).asks is not None


def test_a_time_that_is_none_is_asked() -> None:
    found = guess(["north", "south"], is_time=True)
    assert found.asks is not None
    assert "x: 'north' is not read as an instant" in found.asks


def test_times_without_a_zone_are_told_once() -> None:
    columns = {"a": ["2026-01-01 10:00"], "b": ["2026-01-01T10:00Z"], "c": ["01.02.2026 10:00"]}
    found = guess_all(columns)
    lines = [line for each in found.values() for line in each.told if "no zone" in line]
    assert lines == [
        "a, c: no zone, taken as UTC; say --zone Europe/Berlin, or whichever it is, if it is "
        "another"
    ]
    berlin = guess_all(columns, Said(zone="Europe/Berlin"))
    assert not [line for each in berlin.values() for line in each.told if "no zone" in line]
    assert read(columns["c"], berlin["c"])[0].isoformat() == "2026-02-01T09:00:00+00:00"
    assert read(columns["b"], berlin["b"])[0].isoformat() == "2026-01-01T10:00:00+00:00"


def test_doubled_clock_times_are_told() -> None:
    texts = ["2026-10-25 02:30", "2026-10-25 12:30"]
    found = guess(texts, Said(zone="Europe/Berlin"), is_time=True)
    assert found.told == (
        "x: 1 different times came twice, when the clocks of Europe/Berlin went back: each is "
        "taken as the first",
    )


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


def test_numbers_of_a_typed_time_are_epochs() -> None:
    column = pa.chunked_array([[1_700_000_000_000]])
    found = guessed({"x": column}, Said(), times=["x"])["x"]
    assert (found.kind, found.notation) == ("timestamp", Notation(epoch="ms"))


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
