"""Tables and matrices as Arrow files: plain data, the same bytes for the same values.

Shape suffixes: J rows, D numbers a row.
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]

from models.errors import ModelRefused
from models.files import write_atomically
from models.tasks.task import Array


def write(path: Path, table: pa.Table) -> None:
    """Write a table, uncompressed."""
    content = pa.BufferOutputStream()
    with pa.ipc.new_file(content, table.schema) as file:
        file.write_table(table)
    write_atomically(path, content.getvalue().to_pybytes())


def read(path: Path, schema: pa.Schema) -> pa.Table:
    """Read what `write` wrote, every value looked at.

    Raises:
        ModelRefused: there is no such table, a value is null, or its columns are others.
    """
    try:
        table = pa.ipc.open_file(pa.BufferReader(path.read_bytes())).read_all()
        table.validate(full=True)
    except (OSError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise refusal(path, str(error)) from error
    if table.schema != schema:
        raise refusal(path, f"its columns are {', '.join(map(str, table.schema))}")
    if any(column.null_count for column in table.columns):
        raise refusal(path, "a value is missing")
    return table


def write_vectors(path: Path, name_J: pa.StringArray, vector_JD: Array) -> None:
    """Write a float32 vector for each name."""
    values = pa.FixedSizeListArray.from_arrays(vector_JD.astype("<f4").ravel(), vector_JD.shape[1])
    write(path, pa.table([name_J, values], schema=_vectors(vector_JD.shape[1])))


def read_vectors(path: Path, num_numbers: int) -> tuple[pa.StringArray, Array]:
    """Read what `write_vectors` wrote.

    Raises:
        ModelRefused: see `read`.
    """
    table = read(path, _vectors(num_numbers))
    name_J, values = (column.combine_chunks() for column in table.columns)
    vector_JD: Array = values.flatten().to_numpy().reshape(len(name_J), num_numbers)
    return name_J, vector_JD


def _vectors(num_numbers: int) -> pa.Schema:
    return pa.schema([("name", pa.string()), ("vector", pa.list_(pa.float32(), num_numbers))])


def texts(values: Sequence[str]) -> pa.StringArray:
    """Texts as a column."""
    return pa.array(values, pa.string())


def refusal(path: Path, found: str) -> ModelRefused:
    """A file that this family did not write so."""
    return ModelRefused(
        f"{path.name} is not what was written ({found}); restore it, or roll back to an earlier "
        "version"
    )
