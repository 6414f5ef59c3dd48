"""One version of a Delta table read from its files, without an engine: for a person's question.

The library for this, `deltalake`, refuses the tables that Spark 4.2 makes of a frame: their schema
says `string collate UTF8_BINARY` where it knows only `string`. What is read here is the plain part
of the protocol (JSON commits, whole checkpoints); anything beyond is refused, not guessed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.core.errors import MillraceError

Partition: TypeAlias = Mapping[str, str | None]

_COMMIT = "{:020d}.json"
_CHECKPOINT = ".checkpoint.parquet"


def table_folder(warehouse: Path, table: str) -> Path:
    """Where Spark keeps a table of its catalog.

    Example:
        >>> table_folder(Path("/lake"), "build.gold_toy_labels").as_posix()
        '/lake/build.db/gold_toy_labels'
    """
    schema, _, name = table.partition(".")
    return warehouse / f"{schema}.db" / name


def read(
    folder: Path,
    version: int,
    columns: Sequence[str],
    partition: Partition | None = None,
) -> pa.Table:
    """Rows of a table at a version.

    Args:
        partition: only files whose partition values are these; a partition column is no column.

    Raises:
        MillraceError: the version is not there, or needs more of the protocol than is read here.
    """
    wanted = (partition or {}).items()
    parts = [
        pq.ParquetFile(folder / path).read(list(columns))
        for path, values in files(folder, version).items()
        if wanted <= values.items()
    ]
    if not parts:
        return pa.table({name: pa.array([], pa.null()) for name in columns})
    return pa.concat_tables(parts)


def files(folder: Path, version: int) -> dict[str, Partition]:
    """The data files of a version, relative to the table's folder, and their partition values.

    Raises:
        MillraceError: the version is not there, or needs more of the protocol than is read here.
    """
    log = folder / "_delta_log"
    start, found = _checkpoint(log, version)
    for number in range(start, version + 1):
        try:
            text = (log / _COMMIT.format(number)).read_text()
        except FileNotFoundError as error:
            raise MillraceError(
                f"{folder.name} has no version {version} any more: {error.filename} is missing"
            ) from error
        _replay(folder, found, map(json.loads, text.splitlines()))
    return {unquote(path): values for path, values in found.items()}


def _checkpoint(log: Path, version: int) -> tuple[int, dict[str, Partition]]:
    """The newest checkpoint up to a version: the next commit's number, and the files so far."""
    numbered = (
        int(path.name.removesuffix(_CHECKPOINT))
        for path in log.glob(f"*{_CHECKPOINT}")
        if path.name.removesuffix(_CHECKPOINT).isdigit()
    )
    newest = max((number for number in numbered if number <= version), default=None)
    files: dict[str, Partition] = {}
    if newest is None:
        return 0, files
    kept = pq.read_table(log / f"{newest:020d}{_CHECKPOINT}", columns=["add", "protocol"])
    _replay(log.parent, files, map(_plain, kept.to_pylist()))
    return newest + 1, files


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """An action as a commit has it: Arrow gives a row with every kind, and maps as pairs.

    A kind that it is not of is null, or all its fields are.
    """
    action = {kind: found for kind, found in row.items() if any((found or {}).values())}
    if "add" in action:
        add = action["add"]
        action["add"] = {**add, "partitionValues": dict(add["partitionValues"])}
    return action


def _replay(folder: Path, files: dict[str, Partition], actions: Iterable[dict[str, Any]]) -> None:
    for action in _understood(folder, actions):
        if "add" in action:
            files[action["add"]["path"]] = action["add"]["partitionValues"]
        elif "remove" in action:
            files.pop(action["remove"]["path"], None)


def _understood(folder: Path, actions: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for action in actions:
        needed = action.get("protocol", {}).get("minReaderVersion", 1)
        if needed > 1 or (action.get("add") or {}).get("deletionVector"):
            raise MillraceError(
                f"{folder.name} needs Delta reader version {needed} or deletion vectors; "
                "ask Spark for its rows"
            )
        yield action
