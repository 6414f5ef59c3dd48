"""Columns in random notations: what is guessed is the truth, or it is asked for.

A file is written in a notation that is drawn for it, so that the truth of each value is known.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from pipelines.data.reading.guess import guessed
from pipelines.data.reading.said import Guess, Said
from pipelines.data.reading.values import converted

MARKS = [(".", ","), (".", ""), (",", "."), (",", ""), (",", "\u202f"), (".", "'"), (",", " ")]
SIGNS = ["{}", "{}", "{}", "{} €", "€{}", "$ {}", "{}%", "{} kg", "{} kr.", "Rs. {}"]
MISSING = ["NA", "N/A", "-", "null", "k.A.", "?", "", "#N/A", "NaN"]
CLOCKS = ["", "", " %H:%M", " %I:%M %p", "T%H:%M:%S"]
ZONES = [UTC, *(timezone(timedelta(minutes=east)) for east in (60, -300, 330))]


class Style(NamedTuple):
    """How one file is written."""

    decimal: str
    thousands: str
    day_first: bool


class Written(NamedTuple):
    """A column's texts, and what each of them means."""

    texts: list[str]
    values: list[Any]
    is_time: bool = False


Writer = Callable[[random.Random, Style, int], Written]


def numbers(seeded: random.Random, style: Style, num_rows: int) -> Written:
    digits, sign = seeded.choice([0, 0, 1, 2, 3, 3, 4, 6]), seeded.choice(SIGNS)
    most = 10 ** (seeded.randrange(1, 8) + digits)
    least = seeded.choice([0, -most])
    values = [Decimal(seeded.randrange(least, most)).scaleb(-digits) for _ in range(num_rows)]
    if seeded.random() < 0.2:
        values = [each * 1000 // 1000 * 1000 for each in values]
    is_grouped = seeded.random() < 0.6
    marks = {".": style.decimal, ",": style.thousands if is_grouped else ""}
    texts = [
        sign.format("".join(marks.get(letter, letter) for letter in f"{each:,f}"))
        for each in values
    ]
    return Written(texts, [float(each) for each in values])


def instants(seeded: random.Random, style: Style, num_rows: int) -> Written:
    order = seeded.choice(["%d{0}%m{0}%", "%d{0}%m{0}%"] if style.day_first else ["%m{0}%d{0}%"])
    mark = seeded.choice("/-." if style.day_first else "/-")
    days = [order.format(mark) + seeded.choice("yY"), "%Y-%m-%d", "%d-%b-%Y", "%b %d, %Y", "%Y%m%d"]
    form = seeded.choice(days)
    form += "" if form == "%Y%m%d" else seeded.choice(CLOCKS)
    first = datetime(seeded.randrange(1975, 2030), 1, 1, tzinfo=UTC)
    seconds = 86_400 * seeded.choice([1, 5, 30, 365, 5000])
    times = [first + timedelta(seconds=seeded.randrange(seconds)) for _ in range(num_rows)]
    if seeded.random() < 0.2:
        times = [each.replace(day=1) for each in times]
    texts = [each.strftime(form) for each in times]
    values = [datetime.strptime(text, form).replace(tzinfo=UTC) for text in texts]
    return Written(texts, values, form == "%Y%m%d" or seeded.random() < 0.5)


def zoned(seeded: random.Random, _style: Style, num_rows: int) -> Written:
    first = datetime(2020, 1, 1, tzinfo=UTC)
    values = [first + timedelta(seconds=seeded.randrange(10**8)) for _ in range(num_rows)]
    texts = [each.astimezone(seeded.choice(ZONES)).isoformat() for each in values]
    return Written(texts, values, seeded.random() < 0.5)


def epochs(seeded: random.Random, _style: Style, num_rows: int) -> Written:
    values = [
        datetime.fromtimestamp(seeded.randrange(10**9, 2 * 10**9), UTC) for _ in range(num_rows)
    ]
    units = seeded.choice([[1], [1000], [10**6], [1, 1000]])
    return Written(
        [str(int(each.timestamp()) * seeded.choice(units)) for each in values], values, True
    )


def codes(seeded: random.Random, _style: Style, num_rows: int) -> Written:
    kinds: list[Callable[[], str]] = [
        lambda: f"{seeded.randrange(100_000):05}",
        lambda: "0" * seeded.choice([0, 0, 1]) + str(seeded.randrange(1, 9999)),
        lambda: f"+{seeded.randrange(1, 99)} {seeded.randrange(100, 999)} 123456",
        lambda: f"0{seeded.randrange(10, 99)} {seeded.randrange(100, 999)} 123",
        lambda: str(seeded.randrange(10**18, 10**20)),
        lambda: f"192.168.{seeded.randrange(100, 256)}.{seeded.randrange(100, 256)}",
        lambda: f"{seeded.choice('AB')}{seeded.randrange(100)}",
        lambda: seeded.choice(["NA", "DE", "ND", "-"]),
    ]
    one = seeded.choice(kinds)
    texts = [one() for _ in range(num_rows)]
    return Written(texts, texts)


def with_gaps(seeded: random.Random, column: Written) -> Written:
    word = seeded.choice(MISSING)
    is_gap = [seeded.random() < 0.2 for _ in column.texts]
    return column._replace(
        texts=[word if gap else text for gap, text in zip(is_gap, column.texts, strict=True)],
        values=[None if gap else value for gap, value in zip(is_gap, column.values, strict=True)],
    )


def file(seeded: random.Random) -> Mapping[str, Written]:
    style = Style(*seeded.choice(MARKS), seeded.random() < 0.5)
    num_rows = seeded.choice([1, 2, 5, 12, 20, 60, 150])
    writers: list[Writer] = [numbers, numbers, instants, zoned, epochs, codes]
    found = {}
    for place in range(seeded.randrange(1, 6)):
        writer = seeded.choice(writers)
        column = writer(seeded, style, num_rows)
        has_gaps = writer is not codes and seeded.random() < 0.3
        found[f"{writer.__name__}_{place}"] = with_gaps(seeded, column) if has_gaps else column
    return found


def verdict(column: Written, found: Guess) -> str:
    if found.asks:
        return "asks"
    texts = pa.chunked_array([column.texts], pa.string())
    values = [
        instant(each) for each in converted(texts, found.kind, found.notation).values.to_pylist()
    ]
    if values == column.values or list(map(str, values)) == column.values:
        return "right"
    is_text = found.kind == "string" and values == [text or None for text in column.texts]
    return "text" if is_text else "wrong"


def instant(value: Any) -> Any:
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if is_day else value


@pytest.mark.parametrize("part", range(4))
def test_a_guess_is_the_truth_or_a_question(part: int) -> None:
    counts: Counter[str] = Counter()
    for seed in range(part * 100, part * 100 + 100):
        columns = file(random.Random(seed))  # noqa: S311
        arrow = {name: pa.chunked_array([each.texts]) for name, each in columns.items()}
        times = [name for name, each in columns.items() if each.is_time]
        for name, found in guessed(arrow, Said(), times=times).items():
            found_to_be = verdict(columns[name], found)
            assert found_to_be != "wrong", (seed, name, found, columns[name].texts[:9])
            counts[found_to_be] += 1
    # Who only asks is never wrong, nor of use; most of these are dates of a few days.
    assert counts["right"] > 0.8 * counts.total()
    assert counts["text"] < 0.02 * counts.total()
