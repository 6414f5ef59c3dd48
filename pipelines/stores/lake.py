"""Tables of the lake read from their files, without an engine, by the library `deltalake`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import MillraceError
from pipelines.core.settings import Settings
from pipelines.stores import objects
from pipelines.stores.objects import Objects

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]
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
        return sum(rows for _, _, rows in self.files(name, version))

    def files(
        self, name: str, version: int | None = None
    ) -> list[tuple[str, Mapping[str, Any], int]]:
        """The data files of a version: names in the table, partition values, and rows."""
        import pyarrow as pa

        added = pa.table(self.table(name, version).get_add_actions(flatten=True)).to_pylist()
        start = "partition."
        return [
            (
                each["path"],
                {key.removeprefix(start): each[key] for key in each if key.startswith(start)},
                each["num_records"],
            )
            for each in added
        ]

    def has_days(self, name: str, first: date, last: date) -> bool:
        """Whether the newest version has rows of `known_date` from one day to another."""
        return self.newest(name) is not None and any(
            first <= values["known_date"] <= last for _, values, _ in self.files(name)
        )

    def read(self, name: str, version: int, columns: Sequence[str], **partition: str) -> "pa.Table":
        """Rows of a version, of one partition where its values are given."""
        picked = [(key, "=", value) for key, value in partition.items()] or None
        found = self.table(name, version).to_pyarrow_dataset(partitions=picked)
        return found.to_table(columns=list(columns))

    def is_plain(self, name: str) -> bool:
        """Whether the newest version has strings that every reader knows, if there is one."""
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError, TableNotFoundError

        try:
            DeltaTable(self.address(name))
        except TableNotFoundError:
            return True
        except DeltaError as error:
            return _COLLATED not in str(error)
        return True


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
