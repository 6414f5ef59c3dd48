"""Tables that other programs write in random dialects come back equal, or are asked for."""

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from pipelines.data.reading.batches import LINE, PROBLEM
from pipelines.data.reading.dialect import Dialect
from pipelines.data.reading.files import FileTable
from pipelines.data.reading.notation import PLAIN
from pipelines.data.reading.values import converted
from tests.random_files import DELIMITED
from tests.random_tables import Column, table
from tests.random_typed_files import TYPED, Writer, Written

SEEDS = int(os.environ.get("MILLRACE_TEST_SEEDS", "40"))
WRITERS = [*DELIMITED, *TYPED]


def placed(folder: Path, written: Written, dialect: Dialect) -> FileTable:
    (folder / written.name).write_bytes(written.content)
    return FileTable(str(folder / written.name), (folder,), dialect)


def truth(column: Column) -> list[Any]:
    """An empty text is null."""
    return [None if value == "" else value for value in column.values]


def read(source: FileTable, names: Sequence[str]) -> pa.Table:
    found = list(source.batches(names))
    return pa.concat_tables(found) if found else None


@pytest.mark.parametrize("writer", WRITERS, ids=lambda each: each.__name__)
def test_told_how_it_is_written_a_table_comes_back(tmp_path: Path, writer: Writer) -> None:
    for seed in range(SEEDS):
        draw = random.Random(seed)  # noqa: S311
        written = writer(draw, table(draw))
        source = placed(tmp_path, written, written.dialect)
        names = [each.name for each in written.table]
        is_empty = not written.table[0].values
        assert is_empty or source.column_names() == names, seed
        found = read(source, names)
        if found is None:
            assert is_empty, seed
            continue
        assert found[PROBLEM].null_count == len(found), (seed, found[PROBLEM].drop_null()[0])
        for column in written.table:
            notation = written.notations.get(column.name, PLAIN)
            values = converted(found[column.name], column.kind, notation).values.to_pylist()
            assert values == truth(column), (seed, column.name, column.kind, notation)
        assert written.lines is None or found[LINE].to_pylist() == list(written.lines), seed
