"""A Delta table's folder is what its log says, not what lies in it."""

import json
import struct
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from pipelines.data.reading import arrow_files
from pipelines.data.reading.batches import FILE, LINE, ORIGIN, FileRefused
from pipelines.data.reading.delta_folder import DeltaFolder

_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
# Of the protocol: a bitmap of 64-bit numbers, and one of 32-bit ones without runs.
_ROARING_64, _ROARING_32 = 1_681_511_377, 12_346


def folder(path: Path) -> DeltaFolder:
    return DeltaFolder(str(path), lambda name: (path / name).open("rb"), "t")


def read(path: Path, *columns: str) -> pa.Table:
    found = folder(path)
    return pa.concat_tables(found.batches(columns or found.header()), promote_options="default")


def test_only_the_newest_version_is_read_and_files_without_a_log_are_not(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path), pa.table({"a": [1, 2]}))
    write_deltalake(str(tmp_path), pa.table({"a": [3, 4]}), mode="overwrite")
    pq.write_table(pa.table({"a": [5]}), tmp_path / "part-00000-begun.parquet")
    found = folder(tmp_path)
    assert (found.version(), found.header()) == (1, ["a"])
    table = read(tmp_path)
    assert table["a"].to_pylist() == [3, 4]
    assert table[LINE].to_pylist() == [1, 2]
    (name,) = set(table[FILE].to_pylist())
    assert (tmp_path / name.removeprefix("t/")).is_file()


def test_the_version_that_was_asked_first_is_read(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path), pa.table({"a": [1]}))
    found = folder(tmp_path)
    assert found.version() == 0
    write_deltalake(str(tmp_path), pa.table({"a": [2]}), mode="append")
    assert pa.concat_tables(found.batches(["a"]))["a"].to_pylist() == [1]
    assert sorted(read(tmp_path)["a"].to_pylist()) == [1, 2]


def test_partitions_are_columns_with_their_types_and_names_of_any_kind(tmp_path: Path) -> None:
    made = pa.table(
        {
            "a": [1, 2, 3],
            "kind é": ["x", "y /ü%", None],
            "day": pa.array([date(2026, 11, 20), None, date(2026, 11, 21)]),
        }
    )
    write_deltalake(str(tmp_path), made, partition_by=["kind é", "day"])
    table = read(tmp_path, "day", "a", "kind é")
    assert table.schema.field("day").type == pa.date32()
    rows = table.drop_columns(list(ORIGIN)).select(made.column_names).sort_by("a")
    assert rows.to_pylist() == made.to_pylist()
    assert read(tmp_path).equals(read(tmp_path))


def test_b07_a_column_that_came_later_is_absent_from_older_files(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path), pa.table({"a": [1]}))
    more = pa.table({"a": [2], "b": ["x"]})
    write_deltalake(str(tmp_path), more, mode="append", schema_mode="merge")
    assert folder(tmp_path).header() == ["a", "b"]
    columns = [batch.column_names[:-4] for batch in folder(tmp_path).batches(["a", "b"])]
    assert sorted(columns) == [["a"], ["a", "b"]]
    rows = read(tmp_path, "a", "b").sort_by("a").select(["a", "b"]).to_pylist()
    assert rows == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]


def z85(raw: bytes) -> str:
    found = ""
    for place in range(0, len(raw), 4):
        number = int.from_bytes(raw[place : place + 4])
        found += "".join(_Z85[number // 85**power % 85] for power in (4, 3, 2, 1, 0))
    return found


def vector(rows: list[int]) -> dict[str, Any]:
    """A deletion vector inside the log."""
    values = struct.pack(f"<{len(rows)}H", *rows)
    bitmap = struct.pack("<IIHHI", _ROARING_32, 1, 0, len(rows) - 1, 16) + values
    raw = struct.pack("<iqI", _ROARING_64, 1, 0) + bitmap
    padded = raw + bytes(-len(raw) % 4)
    told = {"storageType": "i", "pathOrInlineDv": z85(padded), "cardinality": len(rows)}
    return told | {"sizeInBytes": len(raw)}


def field(name: str, kind: Any, number: int) -> dict[str, Any]:
    """A column that is named otherwise in the files."""
    mapped = {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": f"c-{number}"}
    return {"name": name, "type": kind, "nullable": True, "metadata": mapped}


def log(path: Path, features: list[str], *adds: dict[str, Any]) -> None:
    inner = {"type": "struct", "fields": [field("u", "long", 3)]}
    schema = {"type": "struct", "fields": [field("Order Id", "long", 1), field("s", inner, 2)]}
    told = {"delta.columnMapping.mode": "name", "delta.enableDeletionVectors": "true"}
    protocol = {"minReaderVersion": 3, "minWriterVersion": 7}
    lines = [
        {"protocol": protocol | {"readerFeatures": features, "writerFeatures": features}},
        {
            "metaData": {
                "id": "t",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps(schema),
                "partitionColumns": [],
                "configuration": told | {"delta.columnMapping.maxColumnId": "3"},
            }
        },
        *({"add": each} for each in adds),
    ]
    (path / "_delta_log").mkdir()
    text = "\n".join(map(json.dumps, lines))
    (path / "_delta_log" / f"{0:020}.json").write_text(text)


def added(path: Path, name: str, **more: Any) -> dict[str, Any]:
    size = (path / name).stat().st_size if (path / name).is_file() else 1
    told = {"path": name, "partitionValues": {}, "size": size, "modificationTime": 0}
    return told | {"dataChange": True, "stats": json.dumps({"numRecords": 5})} | more


BOTH = ["deletionVectors", "columnMapping"]


def test_deleted_rows_stay_away_and_mapped_columns_have_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrow_files, "BATCH_ROWS", 2)
    inner = pa.array([{"c-3": n * 10} for n in range(5)])
    table = pa.table({"c-1": list(range(5)), "c-2": inner})
    pq.write_table(table, tmp_path / "one.parquet", row_group_size=2)
    pq.write_table(table, tmp_path / "two.parquet")
    one = added(tmp_path, "one.parquet", deletionVector=vector([1, 4]))
    log(tmp_path, BOTH, added(tmp_path, "two.parquet"), one)
    found = folder(tmp_path)
    assert found.header() == ["Order Id", "s.u"]
    assert found.flattened == ["s"]
    rows = read(tmp_path).select(["Order Id", "s.u", LINE]).to_pydict()
    assert rows == {
        "Order Id": [0, 2, 3, 0, 1, 2, 3, 4],
        "s.u": [0, 20, 30, 0, 10, 20, 30, 40],
        LINE: [1, 3, 4, 1, 2, 3, 4, 5],
    }
    # The oracle: the engine of the library, whose rows have no order.
    ids = pa.table(DeltaTable(str(tmp_path)).scan(columns=["Order Id"]))["Order Id"].to_pylist()
    assert sorted(rows["Order Id"]) == sorted(ids)


@pytest.mark.parametrize("name", ["../other.parquet", "/etc/passwd", "file:///etc/passwd"])
def test_a_log_that_leads_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    log(tmp_path, BOTH, added(tmp_path, name))
    with pytest.raises(FileRefused, match="outside of its folder"):
        read(tmp_path, "Order Id")


def test_what_cannot_be_read_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="the log of t can't be read"):
        folder(tmp_path / "none").header()
    log(tmp_path, [*BOTH, "variantType"], added(tmp_path, "gone.parquet"))
    with pytest.raises(FileRefused, match="t needs variantType of its readers"):
        folder(tmp_path).header()
    (tmp_path / "again").mkdir()
    log(tmp_path / "again", BOTH, added(tmp_path, "gone.parquet"))
    with pytest.raises(FileRefused, match=r"t/gone\.parquet is damaged or cut off"):
        read(tmp_path / "again", "Order Id")
