"""Texts to instants, against Python's own `datetime` and `zoneinfo`."""

import random
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from pipelines.data.reading.formats import pattern, refuse_bad
from pipelines.data.reading.instants import instants
from pipelines.data.reading.notation import LANDING, PLAIN, Notation
from pipelines.data.reading.values import converted

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Both hemispheres, half an hour (Lord Howe), a change at midnight (Cairo, Havana, Sao Paulo), a
# skipped day (Apia), seconds (Amsterdam until 1937), negative summer time (Dublin), none (Kolkata).
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "America/Sao_Paulo",
    "America/Havana",
    "Africa/Cairo",
    "Pacific/Apia",
    "Europe/Amsterdam",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "America/St_Johns",
)


def read(texts: list[str | None], notation: Notation = PLAIN) -> list[datetime | None]:
    found: list[datetime | None] = instants(pa.array(texts, pa.string()), notation).values
    return [at.as_py() for at in found]  # type: ignore[union-attr]


def oracle(clock: datetime, zone: str) -> tuple[datetime | None, bool]:
    """The first instant at which the zone's clocks show this, and whether there are two.

    By going there and back, which the code under test never does.
    """
    first, second = (
        clock.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)
    )
    shown = [at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for at in (first, second)]
    found = sorted({at for at, seen in zip((first, second), shown, strict=True) if seen == clock})
    return (found[0] if found else None), len(found) == 2


def assert_like_zoneinfo(clocks: list[datetime], zone: str) -> int:
    texts = pa.chunked_array([[clock.isoformat(" ") for clock in clocks]])
    found = converted(texts, "timestamp", Notation(zone=zone))
    wanted = [oracle(clock, zone) for clock in clocks]
    assert found.values.to_pylist() == [at for at, _ in wanted]
    assert found.num_doubled == sum(is_doubled for _, is_doubled in wanted)
    skipped = [
        text.as_py() if at is None else None for text, (at, _) in zip(texts, wanted, strict=True)
    ]
    assert found.failed.to_pylist() == skipped
    return found.num_doubled + len([text for text in skipped if text])


@pytest.mark.parametrize("zone", ZONES)
def test_random_clocks_of_any_year(zone: str) -> None:
    """1800 to 2100: before the first rule, within them, and after the last one written."""
    seeded = random.Random(zone)  # noqa: S311
    start = datetime(1800, 1, 1)  # noqa: DTZ001
    clocks = [start + timedelta(minutes=seeded.randrange(300 * 525_960)) for _ in range(3_000)]
    assert_like_zoneinfo(clocks, zone)


@pytest.mark.parametrize("zone", ZONES[:-2])
def test_b12_each_half_hour_of_a_year(zone: str) -> None:
    """Every night of a change among them, and in 2050 as well as in 2017."""
    for year in (2017, 2050):
        start = datetime(year, 1, 1)  # noqa: DTZ001
        clocks = [start + timedelta(minutes=30 * n) for n in range(366 * 48)]
        num_odd = assert_like_zoneinfo(clocks, zone)
        if zone in ("Europe/Berlin", "America/New_York", "Australia/Sydney"):
            assert num_odd == 4, "an hour is skipped and an hour doubled"


def test_a_day_whose_midnight_is_skipped_begins_at_its_first_instant() -> None:
    sao_paulo = Notation(zone="America/Sao_Paulo")
    assert read(["2018-11-04", "2018-11-04 00:00:00"], sao_paulo) == [
        datetime(2018, 11, 4, 3, tzinfo=UTC),
        None,
    ]
    typed = converted(pa.chunked_array([[date(2018, 11, 4)]]), "timestamp", sao_paulo)
    assert typed.values.to_pylist() == [datetime(2018, 11, 4, 3, tzinfo=UTC)]
    assert read(["2011-12-30"], Notation(zone="Pacific/Apia")) == [None], "a day that never was"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-20", "2026-11-20T00:00"),
        ("2026-11-20T13:45", "2026-11-20T13:45"),
        ("2026-11-20 13:45:07", "2026-11-20T13:45:07"),
        ("  2026-11-20 13:45:07 ", "2026-11-20T13:45:07"),
        ("2026-11-20 13:45:07.5", "2026-11-20T13:45:07.500000"),
        ("2026-11-20 13:45:07,123", "2026-11-20T13:45:07.123000"),
        ("2026-11-20T13:45:07.123456789", "2026-11-20T13:45:07.123456"),
        ("2026-11-20T13:45:07Z", "2026-11-20T13:45:07"),
        ("2026-11-20T13:45:07z", "2026-11-20T13:45:07"),
        ("2026-11-20 13:45:07 UTC", "2026-11-20T13:45:07"),
        ("2026-11-20T13:45:07+01:00", "2026-11-20T12:45:07"),
        ("2026-11-20T13:45:07+0100", "2026-11-20T12:45:07"),
        ("2026-11-20 13:45:07 -03:30", "2026-11-20T17:15:07"),
        ("2026-11-20 13:45:07+01", "2026-11-20T12:45:07"),
        ("0001-01-01", "0001-01-01T00:00"),
        ("9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999"),
        ("2024-02-29", "2024-02-29T00:00"),
    ],
)
def test_iso_forms(text: str, wanted: str) -> None:
    at = datetime.fromisoformat(wanted).replace(tzinfo=UTC)
    alone = converted(pa.chunked_array([[text]]), "timestamp")
    assert alone.values.to_pylist() == [at]
    # Beside a text that is none, each batch goes the slow way.
    beside = converted(pa.chunked_array([[text, "soon", None]]), "timestamp")
    assert beside.values.to_pylist() == [at, None, None]
    assert beside.failed.to_pylist() == [None, "soon", None]


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30",
        "2025-02-29T12:00",
        "2026-13-01",
        "2026-11-20T24:00:00",
        "2026-06-30T23:59:60",
        "0000-01-01",
        "10000-01-01",
        "0001-01-01T00:00:00+02:00",
        "9999-12-31T23:59:59-02:00",
        "20261120",
        "2026-W09",
        "2026-11-20T13:45:00+25:00",
        "-2026-11-20",
    ],
)
def test_what_is_no_instant_fails_with_its_text(text: str) -> None:
    for texts in ([text], [text, "2026-11-20T13:45:00.123456789Z"]):
        found = converted(pa.chunked_array([texts]), "timestamp")
        assert (found.values[0].as_py(), found.failed[0].as_py()) == (None, text)


@pytest.mark.parametrize(
    "form",
    [
        "%d.%m.%Y",
        "%d.%m.%Y %H:%M",
        "%m/%d/%Y %I:%M %p",
        "%d/%m/%y %H:%M:%S",
        "%Y%m%d",
        "%Y%m%d%H%M%S",
        "%d %b %Y",
        "%B %d, %Y %I:%M:%S %p",
        "%a, %d %b %Y %H:%M:%S %z",
        "%A %d %B %Y",
        "%Y/%m/%d %H:%M:%S.%f",
        "%d/%b/%Y:%H:%M:%S %z",
        "100%% %Y-%m-%d",
    ],
)
def test_forms_are_those_of_strptime(form: str) -> None:
    seeded = random.Random(form)  # noqa: S311
    start = datetime(1969, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    times = [start + timedelta(seconds=seeded.randrange(99 * 31_557_600)) for _ in range(500)]
    texts = [at.strftime(form) for at in times]
    wanted = [datetime.strptime(text, form) for text in texts]  # noqa: DTZ007
    utc = [at if at.tzinfo else at.replace(tzinfo=UTC) for at in wanted]
    assert read([*texts, "soon"], Notation(format=form)) == [*utc, None]
    bare = [text.replace("/0", "/").lower() if "%y" not in form else text for text in texts]
    assert read(bare, Notation(format=form)) == utc, "any case, and no zeros before"


def test_digits_without_marks_are_all_there() -> None:
    """Seven of them may be of January or of November."""
    texts: list[str | None] = ["20261101", "2026111"]
    assert read(texts, Notation(format="%Y%m%d")) == [datetime(2026, 11, 1, tzinfo=UTC), None]


def test_a_form_refuses_what_strptime_refuses() -> None:
    form = Notation(format="%d.%m.%Y")
    texts = ["31.02.2026", "32.01.2026", "1.13.2026", "01.01.26", "01.01.2026 ", "0.1.2026", ""]
    assert read(list(texts), form) == [None] * 7


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("%d.%m", "must have a year, a month and a day"),
        ("%d.%m.%Q", "%Q is not read"),
        ("%d.%m.%Y %d", "same part twice"),
        ("%d.%m.%Y %I:%M", "go together"),
        ("%d %b %B %Y", "same part twice"),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(form: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        refuse_bad(form)
    with pytest.raises(ValueError, match=words):
        pattern(form)


def test_epochs() -> None:
    at = datetime(2026, 11, 20, 13, 45, 7, 123_000, tzinfo=UTC)
    micros = (at - EPOCH) // timedelta(microseconds=1)
    whole = at.replace(microsecond=0)
    assert read([str(micros // 10**6), "-1", "1.5e9", "soon"], Notation(epoch="s")) == [
        whole,
        EPOCH - timedelta(seconds=1),
        None,
        None,
    ]
    assert read([f"{micros / 10**6:.3f}"], Notation(epoch="s")) == [at]
    assert read([f"{micros // 1000}", f"{micros // 1000}.0"], Notation(epoch="ms")) == [at, at]
    assert read([f"{micros}"], Notation(epoch="us")) == [at]
    assert read([f"{micros}999", "9" * 19, "9" * 18], Notation(epoch="ns")) == [
        at,
        None,
        EPOCH + timedelta(microseconds=999_999_999_999_999),
    ]
    far = ["9" * 12, "9" * 19, str((2**64 + micros) // 10**6)]
    assert read(far, Notation(epoch="s")) == [None] * 3, "beyond 9999, and never wrapped around"


def test_b12_typed_times() -> None:
    at = datetime(2026, 11, 20, 13, 45, 7, 123_456)  # noqa: DTZ001
    berlin = Notation(zone="Europe/Berlin")
    for unit in ("s", "ms", "us", "ns"):
        cut = {"s": 0, "ms": 123_000}.get(unit, 123_456)
        clock = pa.chunked_array(
            [pa.array([at.replace(microsecond=cut), None], pa.timestamp(unit))]
        )
        wanted = at.replace(microsecond=cut, tzinfo=UTC) - timedelta(hours=1)
        assert converted(clock, "timestamp", berlin).values.to_pylist() == [wanted, None]
        zoned = clock.cast(pa.timestamp(unit, "America/New_York"))
        assert converted(zoned, "timestamp", berlin).values[0].as_py() == wanted + timedelta(
            hours=1
        )
    skipped = pa.chunked_array([[datetime(2026, 3, 29, 2, 30)]])  # noqa: DTZ001
    assert converted(skipped, "timestamp", berlin).failed.to_pylist() == ["2026-03-29 02:30:00"]
    below = pa.chunked_array([pa.array([1_999, -1], pa.timestamp("ns", "UTC"))])
    micro = timedelta(microseconds=1)
    assert converted(below, "timestamp").values.to_pylist() == [EPOCH + micro, EPOCH - micro]
    far = pa.chunked_array([pa.array([253_402_300_800, 2**62, 0], pa.timestamp("s"))])
    assert converted(far, "timestamp").values.to_pylist() == [None, None, EPOCH]
    assert converted(far, "timestamp").failed[0].as_py() is not None


def test_dates_are_days_and_nothing_more() -> None:
    texts = ["2026-11-20", "2026-11-20 00:00:00", "2026-11-20T00:00:00+02:00", "2026-11-20 13:00"]
    found = converted(pa.chunked_array([texts]), "date", Notation(zone="Asia/Tokyo"))
    assert found.values.to_pylist() == [date(2026, 11, 20)] * 3 + [None]
    assert found.failed.to_pylist() == [None, None, None, "2026-11-20 13:00"]
    midnight = pa.chunked_array([[datetime(2026, 11, 20), datetime(2026, 11, 20, 1)]])  # noqa: DTZ001
    assert converted(midnight, "date").values.to_pylist() == [date(2026, 11, 20), None]
    shown = pa.chunked_array([[datetime(2026, 11, 19, 15, tzinfo=UTC)]])
    tokyo = shown.cast(pa.timestamp("us", "Asia/Tokyo"))
    assert converted(tokyo, "date").values.to_pylist() == [date(2026, 11, 20)]
    assert converted(
        pa.chunked_array([["18/05/1971"]]), "date", Notation(format="%d/%m/%Y")
    ).values[0].as_py() == date(1971, 5, 18)


def test_the_landing_form_is_exact() -> None:
    texts = [
        "2026-11-20T13:45:00Z",
        "2026-11-20T13:45:00.123456Z",
        "2026-11-20T13:45:00.1234567Z",
        "2026-11-20T13:45:00+00:00",
        "2026-11-20 13:45:00Z",
        "2026-11-20T13:45:00",
        " 2026-11-20T13:45:00Z",
        "2026-02-30T13:45:00Z",
        "2026-11-20T13:45:00Z\n",
    ]
    found = converted(pa.chunked_array([texts]), "timestamp", LANDING)
    assert [at is not None for at in found.values.to_pylist()] == [True, True] + [False] * 7
    assert found.failed.to_pylist() == [None, None, *texts[2:]]
    days = converted(pa.chunked_array([["2026-11-20", "2026-11-20T00:00:00Z"]]), "date", LANDING)
    assert days.values.to_pylist() == [date(2026, 11, 20), None]
