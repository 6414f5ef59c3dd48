"""Sheets as people keep them: titles, gaps, errors, numbers as texts, several of them."""

import random
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

import pytest

from pipelines.data.reading import excel
from pipelines.data.reading.batches import FILE, LINE, ORIGIN, FileRefused
from pipelines.data.reading.dialect import Dialect
from pipelines.data.reading.excel import ExcelSheet
from tests.workbooks import Error, Sheet, workbook

NOON = datetime.fromisoformat("2026-11-20T12:00")


def sheet(content: bytes, **dialect: Any) -> ExcelSheet:
    return ExcelSheet(lambda: BytesIO(content), "a.xlsx", Dialect(**dialect))


def column(*cells: Any) -> tuple[str, list[Any]]:
    """The type and the values that a column with these cells has."""
    # A second one keeps rows with an empty cell.
    rows = [[cell, "x"] for cell in cells]
    found = next(sheet(workbook({"S": [["a", "b"], *rows]})).batches(["a"]))
    return str(found.schema.field("a").type), found["a"].to_pylist()


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        ((1, 2.0, None), "int64", [1, 2, None]),
        ((1, 2.5), "double", [1.0, 2.5]),
        ((True, None, False), "bool", [True, None, False]),
        ((date(2026, 11, 20), date(1931, 2, 1)), "date32[day]", None),
        ((date(2026, 11, 20), NOON), "timestamp[us]", [NOON - timedelta(hours=12), NOON]),
        ((timedelta(hours=30), timedelta(seconds=1)), "double", [108_000.0, 1.0]),
        ((time(13, 45), time(0, 5)), "string", ["13:45:00", "00:05:00"]),
        (("00123", " x "), "string", ["00123", " x "]),
        ((7, "n/a", 7.5, True), "string", ["7", "n/a", "7.5", "true"]),
        ((date(2026, 11, 20), "soon", NOON), "string", None),
        ((1, Error("#N/A"), Error("#DIV/0!")), "string", ["1", "#N/A", "#DIV/0!"]),
        ((None, None), "string", [None, None]),
        ((1, "", "  "), "int64", [1, None, None]),
        ((2.0**53,), "double", [2.0**53]),
    ],
)
def test_cells_stay_what_they_are_or_become_what_a_person_sees(cells, kind, values):
    mixed = ["2026-11-20", "soon", "2026-11-20T12:00:00"]
    expected = values or (mixed if kind == "string" else list(cells))
    assert column(*cells) == (kind, expected)


def test_days_count_from_1904_where_the_workbook_says_so():
    for epoch in (1900, 1904):
        made = workbook({"S": [["at"], [date(2026, 11, 20)], [NOON]]}, epoch)
        found = next(sheet(made).batches(["at"]))["at"].to_pylist()
        assert found == [NOON - timedelta(hours=12), NOON]


def test_the_header_is_the_first_row_with_anything_in_it_and_lines_are_the_sheets_rows():
    rows = [None, ["Report of 2026"], None, [None, "id", None, 2024, "id", None], None]
    rows += [[None, 1, "x", 5, 9], [None] * 4, [None, "", " "], [None, 2, None, 6, 8]]
    found = sheet(workbook({"S": Sheet(rows, merged=["A2:C2"])}), skipped_lines=2)
    assert found.header() == ["id", "", "2024", "id"]
    table = next(found.batches(["2024", "id", "gone"]))
    assert table.drop_columns(list(ORIGIN[2:])).to_pylist() == [
        {"2024": 5, "id": 1, FILE: "a.xlsx", LINE: 6},
        {"2024": 6, "id": 2, FILE: "a.xlsx", LINE: 9},
    ]


def test_the_only_sheet_with_data_is_meant_and_of_several_one_is_asked_for():
    data = [["a"], [1]]
    alone = {"Notes": [], "Data": data, "Lists": Sheet([["b"]], state="hidden")}
    assert sheet(workbook(alone)).header() == ["a"]
    two = workbook(alone | {"More": [["c"], [2]]})
    with pytest.raises(FileRefused, match=r"a.xlsx has the sheets Data, More; say which one"):
        sheet(two).header()
    assert sheet(two, sheet="More").header() == ["c"]
    assert sheet(two, sheet="Lists").header() == ["b"]
    with pytest.raises(FileRefused, match="has no sheet Gone; it has Notes, Data, Lists, More"):
        sheet(two, sheet="Gone").header()
    assert sheet(workbook({"Only hidden": Sheet(data, state="veryHidden")})).header() == ["a"]
    empty = sheet(workbook({"Nothing": []}))
    assert empty.header() == []
    assert list(empty.batches(["a"])) == []


def test_errors_are_found_on_the_sheet_that_is_read_and_in_every_batch(monkeypatch):
    monkeypatch.setattr(excel, "BATCH_ROWS", 2)
    rows = [["a"], [1], [Error("#REF!")], [3], [Error("#N/A")]]
    found = sheet(workbook({"First": [["a"], [Error("#NAME?")]], "S": rows}), sheet="S")
    batches = list(found.batches(["a"]))
    assert [each["a"].to_pylist() for each in batches] == [["1", "#REF!"], ["3", "#N/A"]]
    assert [each[LINE].to_pylist() for each in batches] == [[2, 3], [4, 5]]


def test_a_column_has_one_type_in_every_batch(monkeypatch):
    monkeypatch.setattr(excel, "BATCH_ROWS", 2)
    cells = [1, 2, None, None, 0.5, 3]
    found = sheet(workbook({"S": [["a", "b"], *([cell, "x"] for cell in cells)]}))
    batches = list(found.batches(["a"]))
    assert [str(each.schema.field("a").type) for each in batches] == ["double"] * 3
    assert [v for each in batches for v in each["a"].to_pylist()] == cells


def test_b04_a_damaged_workbook_is_refused_by_its_name():
    whole = workbook({"S": [["a"], [1]]})
    for broken in (b"", b"a,b\n1,2\n", whole[:300], whole[:-30], b"PK\x03\x04"):
        with pytest.raises(FileRefused, match=r"a\.xlsx is no whole Excel workbook"):
            sheet(broken).header()


def test_scratched_workbooks_are_read_or_refused_and_nothing_else():
    whole = workbook({"S": [["a"], *([n] for n in range(50))]})
    drawn = random.Random(14)  # noqa: S311
    for _ in range(300):
        scratched = bytearray(whole)
        for _ in range(drawn.randint(1, 8)):
            scratched[drawn.randrange(len(whole))] = drawn.randrange(256)
        try:
            sum(map(len, sheet(bytes(scratched)).batches(["a"])))
        except FileRefused:
            continue


def test_a_workbook_that_unpacks_to_too_much_is_refused_unread(monkeypatch):
    monkeypatch.setattr(excel, "UNPACKED_BYTES_MAX", 1000)
    with pytest.raises(FileRefused, match=r"unpacks to \d+ bytes, above 1000"):
        sheet(workbook({"S": [["a"], [1]]})).header()


def test_b19_too_many_columns_are_refused():
    with pytest.raises(FileRefused, match="has 1001 columns, above 1000"):
        sheet(workbook({"S": [[f"c{n}" for n in range(1_001)]]})).header()
