"""A Delta table read from its files is what the library that wrote it reads."""

import random
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from pipelines.core.errors import MillraceError
from pipelines.stores import delta_files
from pipelines.stores.objects import Objects


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Five versions in two partitions, a deletion, and a checkpoint in the middle."""
    folder = tmp_path / "t"
    for number in range(3):
        rows = pa.table({"id": [10 * number, 10 * number + 1], "day": ["a b", "c"]})
        write_deltalake(folder, rows, mode="append", partition_by=["day"])
    DeltaTable(folder).create_checkpoint()
    DeltaTable(folder).delete("id = 10")
    write_deltalake(folder, pa.table({"id": [40], "day": ["c"]}), mode="append")
    return folder


@pytest.mark.parametrize("version", range(5))
def test_every_version_is_what_the_library_reads(table: Path, version: int) -> None:
    expected = DeltaTable(table, version=version).to_pyarrow_table(columns=["id"])["id"]
    found = delta_files.read(Objects.at(str(table)), version, ["id"])["id"]
    assert sorted(found.to_pylist()) == sorted(expected.to_pylist())


def test_every_version_of_a_random_history_has_the_files_that_the_library_says(
    tmp_path: Path,
) -> None:
    """As ingest does it: the rows of one day are replaced, again and again."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)  # noqa: S311
    folder = tmp_path / "t"
    for step in range(14):
        day = f"2026-11-0{1 + dice.randrange(5)}"
        rows = pa.table({"id": [step], "day": [day]})
        where = f"day = '{day}'" if step else None
        write_deltalake(folder, rows, mode="overwrite", partition_by=["day"], predicate=where)
        if step in {4, 9}:
            DeltaTable(folder).create_checkpoint()
    for version in range(DeltaTable(folder).version() + 1):
        theirs = DeltaTable(folder, version=version).file_uris()
        ours = [str(folder / name) for name in delta_files.files(Objects.at(str(folder)), version)]
        assert sorted(ours) == sorted(theirs), version


def test_a_partition_narrows_it(table: Path) -> None:
    partition = {"day": "a b"}
    assert sorted(
        delta_files.read(Objects.at(str(table)), 4, ["id"], partition=partition)["id"].to_pylist()
    ) == [
        0,
        20,
    ]
    assert (
        delta_files.read(Objects.at(str(table)), 4, ["id"], partition={"day": "none"}).num_rows == 0
    )


def test_a_version_that_is_not_there_is_refused(table: Path) -> None:
    with pytest.raises(MillraceError, match="has no version 9 any more"):
        delta_files.read(Objects.at(str(table)), 9, ["id"])


def test_a_protocol_raised_before_the_newest_checkpoint_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    rows = pa.table({"id": [1, 2], "at": pa.array([0, 1], pa.timestamp("us"))})
    write_deltalake(folder, rows)  # an instant without a zone needs reader version 3
    DeltaTable(folder).create_checkpoint()
    with pytest.raises(MillraceError, match="needs Delta reader version 3"):
        delta_files.files(Objects.at(str(folder)), 0)


def test_what_needs_more_of_the_protocol_is_refused(table: Path) -> None:
    commit = table / "_delta_log" / f"{4:020d}.json"
    commit.write_text('{"protocol":{"minReaderVersion":3,"minWriterVersion":7}}\n')
    with pytest.raises(MillraceError, match="needs Delta reader version 3"):
        delta_files.read(Objects.at(str(table)), 4, ["id"])
