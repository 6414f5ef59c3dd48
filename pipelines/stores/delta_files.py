"""One version of a Delta table read from its files, without an engine: for a person's question.

The library for this, `deltalake`, refuses the tables that Spark 4.2 makes of a frame: their schema
says `string collate UTF8_BINARY` where it knows only `string`. What is read here is the plain part
of the protocol (JSON commits, whole checkpoints); anything beyond is refused, not guessed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import unquote

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.core.errors import MillraceError
from pipelines.stores.objects import Objects

Partition: TypeAlias = Mapping[str, str | None]

_LOG = "_delta_log"
_COMMIT = _LOG + "/{:020d}.json"
_CHECKPOINT = ".checkpoint.parquet"


def table(warehouse: Objects, name: str) -> Objects:
    """Where Spark keeps a table of its catalog.

    Example:
        >>> table(Objects.at("/lake"), "build.gold_toy_labels").prefix
        'build.db/gold_toy_labels'
    """
    schema, _, name = name.partition(".")
    return warehouse.below(f"{schema}.db/{name}")


def read(
    table: Objects,
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
        _columns(table, name, columns)
        for name, values in files(table, version).items()
        if wanted <= values.items()
    ]
    if not parts:
        return pa.table({name: pa.array([], pa.null()) for name in columns})
    return pa.concat_tables(parts)


def _columns(table: Objects, name: str, columns: Sequence[str]) -> pa.Table:
    with table.open(name) as file:
        return pq.ParquetFile(file).read(list(columns))


def files(table: Objects, version: int) -> dict[str, Partition]:
    """The data files of a version by their names in the table, and their partition values.

    Raises:
        MillraceError: the version is not there, or needs more of the protocol than is read here.
    """
    start, found = _checkpoint(table, version)
    for number in range(start, version + 1):
        commit = _COMMIT.format(number)
        try:
            text = table.read_text(commit)
        except FileNotFoundError as error:
            raise MillraceError(
                f"{table.name} has no version {version} any more: {commit} is missing"
            ) from error
        _replay(table.name, found, map(json.loads, text.splitlines()))
    return {unquote(path): values for path, values in found.items()}


def _checkpoint(table: Objects, version: int) -> tuple[int, dict[str, Partition]]:
    """The newest checkpoint up to a version: the next commit's number, and the files so far."""
    numbered = (
        int(number)
        for name in table.names(_LOG)
        if (number := name.removeprefix(f"{_LOG}/").removesuffix(_CHECKPOINT)).isdigit()
    )
    newest = max((number for number in numbered if number <= version), default=None)
    files: dict[str, Partition] = {}
    if newest is None:
        return 0, files
    kept = _columns(table, f"{_LOG}/{newest:020d}{_CHECKPOINT}", ["add", "protocol"])
    _replay(table.name, files, map(_plain, kept.to_pylist()))
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


def _replay(table: str, files: dict[str, Partition], actions: Iterable[dict[str, Any]]) -> None:
    for action in _understood(table, actions):
        if "add" in action:
            files[action["add"]["path"]] = action["add"]["partitionValues"]
        elif "remove" in action:
            files.pop(action["remove"]["path"], None)


def _understood(table: str, actions: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for action in actions:
        needed = action.get("protocol", {}).get("minReaderVersion", 1)
        if needed > 1 or (action.get("add") or {}).get("deletionVector"):
            raise MillraceError(
                f"{table} needs Delta reader version {needed} or deletion vectors; "
                "ask Spark for its rows"
            )
        yield action
