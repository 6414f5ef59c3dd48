"""What columns of dates and instants are taken for, and what is asked."""

from datetime import datetime

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from pipelines.data.reading.guess import guessed
from pipelines.data.reading.notation import Notation
from pipelines.data.reading.said import Said
from tests.guesses import Texts, guess, guess_all, read

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


def test_dates_of_other_marks_settle_nothing() -> None:
    """In the United States Excel writes 15-Mar-2026 beside 03/04/2026."""
    for beside in ("31-Mar-2026", "31.03.2026", "31-03-2026", "31/03/99"):
        assert guess_all({"a": ["03/04/2026"], "b": [beside]})["a"].asks is not None


def test_years_of_two_digits_on_many_days_are_years() -> None:
    days = [f"{day:02}-{day % 12 + 1:02}-26" for day in range(1, 29)]
    assert (guess(days).notation.format, guess(days).asks) == ("%d-%m-%y", None)
    firsts = [f"01-{year % 12 + 1:02}-{year:02}" for year in range(1, 29)]
    assert guess(firsts).asks is not None


def test_seconds_and_milliseconds_in_one_column_are_asked() -> None:
    assert guess(["1700000000", "1700000000000", "1700000000001"], is_time=True).asks is not None


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


def test_few_compact_dates_are_dates_of_times_alone() -> None:
    found = guess(["20261120", "20261231"], is_time=True)
    assert (found.kind, found.notation.format) == ("timestamp", "%Y%m%d")
    assert guess(["20261120", "20261231"]).kind == "bigint"
    many = [f"202611{day}" for day in range(20, 25)]
    assert (guess(many).kind, guess(many).notation.format) == ("date", "%Y%m%d")
    assert guess([*many[1:], "20261140"]).kind == "bigint"
    for other in ("99999999", "18261120"):
        assert guess([other, "20261120"], is_time=True).asks is not None


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


def test_numbers_of_a_typed_time_are_epochs() -> None:
    column = pa.chunked_array([[1_700_000_000_000]])
    found = guessed({"x": column}, Said(), times=["x"])["x"]
    assert (found.kind, found.notation) == ("timestamp", Notation(epoch="ms"))
