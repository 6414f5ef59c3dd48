"""Values of any source as the texts of a landing file."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from pipelines.data.extract.texts import as_texts, instant, landing_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
        ("2026-03-01 13:45", "2026-03-01T13:45:00+00:00"),
        ("2026-03-01T00:30:00+02:00", "2026-02-28T22:30:00+00:00"),
        ("2026-03-01T00:30:00.25Z", "2026-03-01T00:30:00.250000+00:00"),
        ("20260301", None),
        ("2026-W09", None),
        ("03/01/2026", None),
        ("2026-02-30", None),
        ("9999-12-31T23:00:00-05:00", None),
        ("", None),
        (None, None),
    ],
)
def test_an_instant_is_iso_and_utc_without_a_zone(text, expected):
    found = instant(text)
    assert (found and found.isoformat()) == expected


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("timestamp", "soon", "soon"),
        ("date", "2026-03-01 00:00:00", "2026-03-01"),
        ("date", "2026-03-01 10:00:00", "2026-03-01 10:00:00"),
        ("boolean", "True", "true"),
        ("boolean", "maybe", "maybe"),
        ("bigint", "5.00", "5"),
        ("bigint", "5.5", "5.5"),
        ("string", " 5.00 ", " 5.00 "),
    ],
)
def test_a_text_that_is_not_of_its_type_stays(kind, text, expected):
    assert landing_text(kind, text) == expected


def test_arrow_values_of_every_kind_are_texts():
    at = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    columns = {
        "naive": (pa.array([at.replace(tzinfo=None)], pa.timestamp("ns")), "2026-03-01T12:30:00"),
        "zoned": (pa.array([at], pa.timestamp("ms", "Asia/Tokyo")), "2026-03-01T12:30:00"),
        "date": (pa.array([date(2026, 3, 1)]), "2026-03-01"),
        "bool": (pa.array([True]), "true"),
        "nan": (pa.array([float("nan")]), None),
        "float": (pa.array([0.1]), "0.1"),
        "int": (pa.array([2**60]), str(2**60)),
        "dictionary": (pa.array(["a"]).dictionary_encode(), "a"),
        "list": (pa.array([[1, 2]]), "[1, 2]"),
        "bytes": (pa.array([b"\x01\xff"]), "01ff"),
    }
    for name, (values, expected) in columns.items():
        (found,) = as_texts(pa.chunked_array([values])).to_pylist()
        assert (found[:19] if name in ("naive", "zoned") else found) == expected, name
