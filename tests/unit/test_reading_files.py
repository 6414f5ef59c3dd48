"""Files and folders as they lie there: packed, damaged, of other columns, giant."""

import bz2
import gzip
import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.core.errors import BatchRefused, MillraceError
from pipelines.data.extract.database import DatabaseTable
from pipelines.data.reading.batches import FILE, LINE, PROBLEM, RAW
from pipelines.data.reading.delimited import Delimited
from pipelines.data.reading.files import FileTable

TEXT = "id,note\n" + "".join(f"{n},note {n}\n" for n in range(5_000))


def zipped(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return packed.getvalue()


PACKED = {
    "rows.csv.gz": gzip.compress(TEXT.encode()),
    "rows.csv.bz2": bz2.compress(TEXT.encode()),
    "rows.csv.zip": zipped("rows.csv", "__MACOSX/rows.csv", ".rows.csv"),
}


def rows(folder: Path, *columns: str) -> list[dict[str, object]]:
    table = FileTable(str(folder), (folder,))
    names = columns or tuple(table.column_names())
    batches = table.batches(names, optional=names)
    return [row for batch in batches for row in batch.to_pylist()]


@pytest.mark.parametrize("name", PACKED)
def test_packed_files_are_read_as_they_are(tmp_path, name):
    (tmp_path / name).write_bytes(PACKED[name])
    found = rows(tmp_path)
    assert [row["id"] for row in found] == [str(n) for n in range(5_000)]
    assert found[-1][LINE] == 5_001


@pytest.mark.parametrize("name", PACKED)
def test_b04_a_truncated_packed_file_is_refused_by_its_name(tmp_path, name):
    (tmp_path / name).write_bytes(PACKED[name][: len(PACKED[name]) // 2])
    with pytest.raises(BatchRefused, match=rf"{name} can't be read: "):
        rows(tmp_path)


def test_a_zip_of_several_files_is_refused(tmp_path):
    (tmp_path / "rows.csv.zip").write_bytes(zipped("a.csv", "b.csv"))
    with pytest.raises(BatchRefused, match="the zip has 2 files; unpack it"):
        rows(tmp_path)


def test_b07_columns_that_come_and_go_are_null_where_they_are_not(tmp_path):
    texts = {"1.csv": "", "2.csv": "id,a\n1,x\n", "3.csv": "b,id\ny,2\n", "4.csv": "id,a,b\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert FileTable(str(tmp_path), (tmp_path,)).column_names() == ["id", "a", "b"]
    found = [[row[name] for name in ("id", "a", "b", FILE)] for row in rows(tmp_path)]
    assert found == [["1", "x", None, "2.csv"], ["2", None, "y", "3.csv"]]
    with pytest.raises(BatchRefused, match=r"3\.csv: there is no column a; there is b, id"):
        list(FileTable(str(tmp_path), (tmp_path,)).batches(["id", "a"]))


def test_b19_ten_thousand_columns_are_refused_and_a_giant_cell_costs_its_row(tmp_path):
    wide = tmp_path / "wide"
    wide.mkdir()
    (wide / "rows.csv").write_text(",".join(f"c{n}" for n in range(10_000)) + "\n")
    with pytest.raises(BatchRefused, match="the header has 10000 columns, above 1000"):
        rows(wide)
    long = tmp_path / "long"
    long.mkdir()
    (long / "rows.csv").write_text(f"id,note\n1,a\n2,{'x' * 1_000_001}\n3,c\n")
    found = rows(long)
    assert [row["id"] for row in found] == ["1", None, "3"]
    assert found[1][PROBLEM] == "a cell of 1000001 characters, above 1000000"
    assert str(found[1][RAW]).startswith("2,xxx")


class Endless(io.RawIOBase):
    """A file of so many blocks, of which none is ever held."""

    def __init__(self, num_blocks: int) -> None:
        self.blocks: Iterator[bytes] = iter([b"id,note,late\n", *[BLOCK] * num_blocks])

    def read(self, _size: int = -1, /) -> bytes:
        return next(self.blocks, b"")


BLOCK = b'1,"a ""b"" note",0\n2,plain,1\n' * 20_000


def test_b17_memory_does_not_grow_with_the_file():
    """Each block is 0.6 MB: of 20 and of 200 the peak is the same."""
    peaks = []
    for num_blocks in (20, 200):
        tracemalloc.start()
        reader = Delimited(lambda n=num_blocks: Endless(n), "rows.csv")
        num_rows = sum(len(batch) for batch in reader.batches(["id", "late"]))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert num_rows == 40_000 * num_blocks
    assert peaks[1] < 1.5 * peaks[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


def test_files_outside_the_roots_and_symlinks_are_refused(folder, tmp_path):
    (tmp_path / "secret.csv").write_text(TEXT)
    with pytest.raises(BatchRefused, match="none of the allowed folders"):
        FileTable(str(tmp_path / "secret.csv"), (folder,)).column_names()
    with pytest.raises(BatchRefused, match="is a URL"):
        FileTable(f"file://{tmp_path}/secret.csv", (folder,)).column_names()
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(BatchRefused, match="symlink"):
        FileTable(str(folder), (folder,)).column_names()
    database = tmp_path / "secret.db"
    with pytest.raises(BatchRefused, match="none of the allowed folders"):
        DatabaseTable(f"sqlite:///{database}", "rows", (folder,)).column_names()
    with pytest.raises(MillraceError, match="there is no"):
        DatabaseTable(f"sqlite:///{folder}/none.db", "rows", (folder,)).column_names()
    assert not (folder / "none.db").exists()
