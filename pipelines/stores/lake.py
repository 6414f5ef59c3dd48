"""Tables of the lake read from their files, without an engine, by the library `deltalake`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import MillraceError
from pipelines.core.settings import Settings
from pipelines.stores import objects
from pipelines.stores.objects import Objects

if TYPE_CHECKING:
    from deltalake import DeltaTable

_LOG = "_delta_log"
# What Spark 4.2 calls the strings of a frame that came from Python, and no other reader knows.
_COLLATED = "string collate UTF8_BINARY"


@dataclass(frozen=True)
class Lake:
    """The tables of a warehouse, by the names that Spark's catalog has for them.

    Args:
        warehouse: its address.

    Example:
        >>> Lake("file:///lake").address("build.gold_toy_labels")
        'file:///lake/build.db/gold_toy_labels'
    """

    warehouse: str

    def address(self, name: str) -> str:
        """Where Spark keeps a table of its catalog."""
        schema, _, table = name.partition(".")
        return f"{self.warehouse.rstrip('/')}/{schema}.db/{table}"

    def table(self, name: str, version: int | None = None) -> "DeltaTable":
        """A table at a version, or at its newest.

        Raises:
            MillraceError: it isn't there, has no such version (any more), or can't be read.
        """
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError

        try:
            return DeltaTable(self.address(name), version=version)
        except DeltaError as error:
            raise MillraceError(_reason(name, version, str(error))) from error

    def newest(self, name: str) -> int | None:
        """The newest version of a table; None: there is no such table."""
        log = Objects.at(self.address(name)).names(_LOG)
        commits = (each.removeprefix(f"{_LOG}/").removesuffix(".json") for each in log)
        return max((int(commit) for commit in commits if commit.isdigit()), default=None)

    def num_rows(self, name: str, version: int | None = None) -> int:
        """The rows of a version, or of the newest, by its log."""
        return sum(file.num_rows for file in files(self.table(name, version)))

    def has_days(self, name: str, first: date, last: date) -> bool:
        """Whether the newest version has rows of `known_date` from one day to another."""
        dates = (file.partition["known_date"] for file in files(self.table(name)))
        return any(first <= known <= last for known in dates)

    def is_plain(self, name: str) -> bool:
        """Whether the newest version has strings that every reader knows, if there is one."""
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError

        try:
            DeltaTable(self.address(name))
        except DeltaError as error:
            return _COLLATED not in str(error)
        return True


@dataclass(frozen=True)
class File:
    """A data file of a table: its rows, and the values of its partition columns."""

    num_rows: int
    partition: Mapping[str, Any]


def files(table: "DeltaTable") -> list[File]:
    """The data files of a table, by its log."""
    import pyarrow as pa  # type: ignore[import-untyped]

    added = pa.table(table.get_add_actions()).to_pylist()
    return [File(each["num_records"], each.get("partition") or {}) for each in added]


def build_of(published: str) -> str:
    """The table behind a published name, as `UseCase.build_table` names it.

    Example:
        >>> build_of("gold.toy_labels")
        'build.gold_toy_labels'
    """
    return f"build.{published.replace('.', '_')}"


def of(settings: Settings) -> Lake:
    """The lake of a home."""
    return Lake(objects.warehouse(settings).address_of_root)


def _reason(name: str, version: int | None, said: str) -> str:
    if _COLLATED in said:
        return (
            f"{name} was last written by an earlier version of Millrace, in a way that only Spark "
            "reads: run the stage that writes it once more"
        )
    shown = "" if version is None else f" at version {version}"
    return f"{name} can't be read{shown}: {said.splitlines()[0]}"
