"""Tables of the lake read from their files, without an engine, by the library `deltalake`."""

from typing import TYPE_CHECKING

from pipelines.core.errors import MillraceError

if TYPE_CHECKING:
    from deltalake import DeltaTable


def address(warehouse: str, name: str) -> str:
    """Where Spark keeps a table of its catalog.

    Example:
        >>> address("file:///lake", "build.gold_toy_labels")
        'file:///lake/build.db/gold_toy_labels'
    """
    schema, _, table = name.partition(".")
    return f"{warehouse.rstrip('/')}/{schema}.db/{table}"


def table(warehouse: str, name: str, version: int | None = None) -> "DeltaTable":
    """A table at a version, or at its newest.

    Raises:
        MillraceError: there is no such table, or it has no such version (any more).
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError, TableNotFoundError

    try:
        return DeltaTable(address(warehouse, name), version=version)
    except TableNotFoundError as error:
        raise MillraceError(f"there is no table {name} in the lake at {warehouse}") from error
    except DeltaError as error:
        raise MillraceError(f"{name} can't be read at version {version}: {error}") from error
