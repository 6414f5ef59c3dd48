"""Typed files stay typed, whatever types they have; a damaged one is refused by its name."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from pipelines.data.reading import arrow_files
from pipelines.data.reading.arrow_columns import plain
from pipelines.data.reading.arrow_files import ArrowFile
from pipelines.data.reading.batches import (
    CELL_CHARACTERS_MAX,
    LINE,
    ORIGIN,
    PROBLEM,
    FileRefused,
)

NOON = datetime.fromisoformat("2026-11-20T12:00:00.000001")
ID = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
MOST = 2**64 - 1


def parquet(table: pa.Table, **options: Any) -> bytes:
    content = BytesIO()
    pq.write_table(table, content, **options)
    return content.getvalue()


def feather_2(table: pa.Table) -> bytes:
    content = BytesIO()
    feather.write_feather(table, content)
    return content.getvalue()


def stream(table: pa.Table) -> bytes:
    content = BytesIO()
    with pa.ipc.new_stream(content, table.schema) as writer:
        writer.write_table(table)
    return content.getvalue()


def reader(content: bytes) -> ArrowFile:
    return ArrowFile(lambda: BytesIO(content), "a.parquet")


def read(content: bytes, *columns: str) -> pa.Table:
    found = reader(content)
    return pa.concat_tables(found.batches(columns or found.header()))


@pytest.mark.parametrize("write", [parquet, feather_2, stream])
def test_each_kind_of_file_gives_its_rows_typed_and_numbered(
    write: Callable[[pa.Table], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrow_files, "BATCH_ROWS", 2)
    made = pa.table(
        {
            "n": pa.array([1, None, 3, 4, 5], pa.int32()),
            "a.b": ["x", "y", None, "", "z"],
            "s": pa.array([{"u": 1, "v": [1]}, None, {"u": 3}, {"u": 4}, {"u": 5}]),
            "c": pa.array(["k", "l", "k", None, "k"]).dictionary_encode(),
        }
    )
    found = reader(write(made))
    assert found.header() == ["n", "a.b", "s.u", "s.v", "c"]
    assert found.flattened == ["s"]
    batches = list(found.batches(["c", "s.u", "n", "a.b", "gone"]))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    table = pa.concat_tables(batches)
    assert table.column_names == ["c", "s.u", "n", "a.b", *ORIGIN]
    assert table.schema.types[:4] == [pa.string(), pa.int64(), pa.int32(), pa.string()]
    assert table["n"].to_pylist() == [1, None, 3, 4, 5]
    assert table["a.b"].to_pylist() == ["x", "y", None, "", "z"]
    assert table["s.u"].to_pylist() == [1, None, 3, 4, 5]
    assert table["c"].to_pylist() == ["k", "l", "k", None, "k"]
    assert table[LINE].to_pylist() == [1, 2, 3, 4, 5]
    assert pa.concat_tables(found.batches([])).num_rows == 5


@pytest.mark.parametrize(
    ("values", "given", "kind", "expected"),
    [
        ([NOON], pa.timestamp("us"), pa.timestamp("us"), [NOON]),
        ([0], pa.timestamp("s", "Europe/Berlin"), pa.timestamp("us", "UTC"), None),
        ([0], pa.timestamp("ms", "+05:30"), pa.timestamp("us", "UTC"), None),
        ([1_001], pa.timestamp("ns", "UTC"), pa.timestamp("us", "UTC"), None),
        ([date(2026, 11, 20)], pa.date64(), pa.date32(), [date(2026, 11, 20)]),
        ([time(13, 45, 1)], pa.time32("s"), pa.string(), ["13:45:01"]),
        ([timedelta(minutes=1, milliseconds=5)], pa.duration("ns"), pa.float64(), [60.005]),
        ([Decimal("1.10")], pa.decimal128(38, 10), pa.decimal128(38, 10), [Decimal("1.10")]),
        ([Decimal("1.10")], pa.decimal64(9, 2), pa.decimal128(9, 2), [Decimal("1.10")]),
        ([Decimal("1.10")], pa.decimal256(50, 2), pa.decimal128(38, 2), [Decimal("1.10")]),
        ([Decimal(10**45)], pa.decimal256(50, 2), pa.string(), [f"{10**45}.00"]),
        ([2**62], pa.uint64(), pa.int64(), [2**62]),
        ([MOST], pa.uint64(), pa.decimal128(20, 0), [Decimal(MOST)]),
        ([200], pa.uint8(), pa.uint8(), [200]),
        ([0.5], pa.float16(), pa.float32(), [0.5]),
        ([True], pa.bool_(), pa.bool_(), [True]),
        (["x"], pa.large_string(), pa.string(), ["x"]),
        (["x"], pa.string_view(), pa.string(), ["x"]),
        ([b"K\xf6"], pa.binary(), pa.string(), ["4bf6"]),
        ([b"K\xf6"], pa.binary(2), pa.string(), ["4bf6"]),
        ([ID.bytes], pa.uuid(), pa.string(), [str(ID)]),
        ([None], pa.null(), pa.string(), [None]),
        ([[1, None]], pa.list_(pa.int8()), pa.string(), ["[1, null]"]),
        ([[("k", Decimal("1.10"))]], pa.map_(pa.string(), pa.decimal128(3, 2)), pa.string(), None),
        ([{"u": [date(2026, 11, 20)]}], None, pa.string(), ['{"u": ["2026-11-20"]}']),
        (["k", "k"], pa.dictionary(pa.int8(), pa.large_string()), pa.string(), ["k", "k"]),
        ([7, 7], pa.run_end_encoded(pa.int32(), pa.int64()), pa.int64(), [7, 7]),
        ([(1, 2, 3)], pa.month_day_nano_interval(), pa.string(), None),
    ],
)
def test_every_type_has_one_of_the_platform(values, given, kind, expected):
    found = plain(pa.array([*values, None], given))
    assert found.type == kind
    assert found.null_count == (2 if values == [None] else 1)
    if expected:
        assert found.to_pylist()[: len(expected)] == expected


def test_b12_instants_are_those_of_the_zone_and_nanoseconds_are_cut():
    assert plain(pa.array([1_999], pa.timestamp("ns"))).cast(pa.int64()).to_pylist() == [1]
    berlin = pa.array([NOON.replace(tzinfo=UTC)], pa.timestamp("us", "Europe/Berlin"))
    assert plain(berlin).to_pylist() == [NOON.replace(tzinfo=UTC)]
    assert json.loads(plain(pa.array([[NOON]])).to_pylist()[0]) == [NOON.isoformat()]


def broken_text() -> pa.Array:
    """Texts of which one is in another encoding, as some writers leave them."""
    raw = pa.array([b"ok", b"K\xf6ln", None, b"\\xf6"])
    nulls, offsets, texts = raw.buffers()
    return pa.StringArray.from_buffers(4, offsets, texts, nulls)


def test_a_text_of_another_encoding_is_its_rows_problem():
    found = read(parquet(pa.table({"a": broken_text(), "n": [1, 2, 3, 4]})))
    assert found["a"].to_pylist() == ["ok", None, None, "\\xf6"]
    assert found["n"].to_pylist() == [1, None, 3, 4]
    assert found[PROBLEM].to_pylist() == [None, "a: the text K\\xf6ln is not UTF-8", None, None]


def test_b19_a_cell_that_is_too_long_is_its_rows_problem():
    longest = "ä" * CELL_CHARACTERS_MAX
    found = read(parquet(pa.table({"a": ["x", longest, longest + "ä"], "n": [1, 2, 3]})))
    assert found["n"].to_pylist() == [1, 2, None]
    assert found["a"][1].as_py() == longest
    assert found[PROBLEM][2].as_py() == "a: 1000001 characters, above 1000000"


def test_a_day_that_no_calendar_has_is_its_rows_problem():
    found = read(
        parquet(
            pa.table(
                {
                    "s": pa.array([10**15, 0, None], pa.timestamp("s")).cast(pa.timestamp("ms")),
                    "d": pa.array([0, 2_932_897, 2_932_896], pa.date32()),
                    "ns": pa.array([2**62, -(2**62), 1], pa.timestamp("ns")),
                }
            )
        )
    )
    assert found[PROBLEM].to_pylist() == [
        *("s: not in the years 1 to 9999", "d: not in the years 1 to 9999", None)
    ]
    assert found["d"].to_pylist() == [None, None, date(9999, 12, 31)]


def test_b04_a_damaged_file_is_refused_by_its_name():
    whole = parquet(pa.table({"a": list(range(10_000))}), compression="none")
    scratched = bytearray(whole)
    scratched[4:40] = b"\xff" * 36
    for broken in (whole[:-1], whole[: len(whole) // 2], whole[:4], b"", b"a,b\n1,2\n", scratched):
        with pytest.raises(FileRefused, match=r"a\.parquet is damaged or cut off"):
            read(bytes(broken), "a")
    cut = stream(pa.table({"a": list(range(1_000))}))[:-3_000]
    with pytest.raises(FileRefused, match=r"a\.parquet is damaged or cut off"):
        read(cut, "a")
    with pytest.raises(FileRefused, match="Feather version 1"):
        reader(b"FEA1....").header()
    with pytest.raises(FileRefused, match="encrypted"):
        reader(b"PARE....").header()


def test_b19_too_many_columns_are_refused():
    wide = parquet(pa.table({f"c{n}": [n] for n in range(1_001)}))
    with pytest.raises(FileRefused, match="has 1001 columns, above 1000"):
        reader(wide).header()
