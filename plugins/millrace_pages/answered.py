"""A model's newest published answers and what became of them, read from the lake's own files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, reduce
from operator import and_
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from sqlalchemy import Engine

from pipelines.core import cases
from pipelines.core.errors import MillraceError
from pipelines.core.settings import Settings
from pipelines.insight import status
from pipelines.insight.lineage import predictions
from pipelines.stores import lake
from pipelines.stores.lake import Lake
from pipelines.use_cases.spec.model import LABELS, Model
from pipelines.use_cases.spec.use_case import Layer, UseCase

if TYPE_CHECKING:
    import pyarrow.dataset as ds  # type: ignore[import-untyped]

    from models.spec import ModelSpec

Rows: TypeAlias = Sequence[Mapping[str, Any]]

# What a visit reads at most: rows to be shown, and keys to choose from.
_ROWS_MAX, _KEYS_MAX = 5_000, 200_000


@dataclass(frozen=True)
class Answered:
    """The answers to the decisions of the newest day that is published.

    What it reads raises MillraceError where a table lacks a column that the use case names.

    Args:
        versions: of the case's tables that readers see, by their names.
        until: how far the answers are published.
    """

    case: UseCase
    model: Model
    lake: Lake
    versions: Mapping[str, int]
    until: datetime

    @cached_property
    def spec(self) -> "ModelSpec":
        return cases.model(self.case.name, self.model)

    @property
    def day(self) -> date:
        """A decision at midnight lies in the day that ends then."""
        return (self.until.astimezone(UTC) - timedelta(microseconds=1)).date()

    @cached_property
    def schema(self) -> pa.Schema:
        return self._dataset("gold", self.model.predictions).schema

    @property
    def fields(self) -> Sequence[str]:
        """The fields of an answer, as the table has them."""
        return predictions.answer_columns(self.schema.names)

    def keys(self, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """The values of some columns that have an answer, in their order."""
        read = self._read("gold", self.model.predictions, self._today({}), columns, _KEYS_MAX)
        found = read.group_by(list(columns)).aggregate([]).to_pylist()
        return sorted(tuple(row[name] for name in columns) for row in found)

    def newest(self, given: Mapping[str, Any], more: Iterable[str] = ()) -> Rows:
        """The newest answer to each decision of the day; where they have these values.

        Args:
            more: columns beside key, answer and instants; one that the table lacks is left out.
        """
        about = ("decided_at", "model_version", *self.fields, "predicted_at")
        columns = [*self.model.row_key, *about, *(n for n in more if n in self.schema.names)]
        read = self._read(
            "gold", self.model.predictions, self._today(given), list(dict.fromkeys(columns))
        )
        return newest(_rows(read), (*self.model.row_key, "decided_at"), "predicted_at")

    def labels(self, given: Mapping[str, Any], since: date) -> Rows:
        """The newest label of each row key, known since a day; empty: none is published."""
        if self.case.table("gold", LABELS) not in self.versions:
            return ()
        condition = [pc.field("known_date") >= pa.scalar(since), *_equal(given)]
        columns = (*self.model.row_key, "known_at", self.model.label)
        read = self._read("gold", LABELS, condition, columns)
        return newest(_rows(read), self.model.row_key, "known_at")

    def names(self, items: Iterable[str], at: datetime) -> Mapping[str, str]:
        """What items were called at an instant, as far as the case says and the lake knows."""
        place, wanted = self.case.item_names(self.model), sorted(set(items))
        if place is None or self.case.table("gold", place[0].name) not in self.versions:
            return {}
        state, column = place
        (key,), since = state.keys, (at - timedelta(minutes=state.ttl_minutes)).date()
        condition = [
            pc.field("known_date") >= pa.scalar(since),
            pc.field("known_at") <= pa.scalar(at),
            pc.field(key).isin(wanted),
        ]
        read = self._read("gold", state.name, condition, (key, "known_at", column))
        return {row[key]: row[column] for row in newest(_rows(read), (key,), "known_at")}

    def _today(self, given: Mapping[str, Any]) -> list[Any]:
        return [pc.field("decided_date") == pa.scalar(self.day), *_equal(given)]

    def _read(
        self,
        layer: Layer,
        name: str,
        condition: Sequence[Any],
        columns: Sequence[str],
        limit: int = _ROWS_MAX,
    ) -> pa.Table:
        every = self._dataset(layer, name)
        lacking = sorted(set(columns) - set(every.schema.names))
        if lacking:
            raise MillraceError(
                f"{self.case.table(layer, name)} has no {', '.join(lacking)}; the use case names it"
            )
        return every.scanner(list(columns), filter=reduce(and_, condition)).head(limit)

    def _dataset(self, layer: Layer, name: str) -> "ds.Dataset":
        version = self.versions[self.case.table(layer, name)]
        return self.lake.table(self.case.build_table(layer, name), version).to_pyarrow_dataset()


def find(settings: Settings, journal: Engine, case: UseCase, model: Model) -> Answered | None:
    """The published answers of a model; None: there are none yet."""
    published = {row.table_name: row for row in status.newest_published(journal, case)}
    ours = published.get(case.table("gold", model.predictions))
    if ours is None:
        return None
    versions = {name: row.version for name, row in published.items()}
    return Answered(case, model, lake.of(settings), versions, ours.reach)


def newest(rows: Rows, key: Sequence[str], by: str) -> Rows:
    """Of rows with one key the one that is largest, in their order.

    Example:
        >>> newest([{"id": 1, "at": 3}, {"id": 2, "at": 1}, {"id": 1, "at": 2}], ["id"], "at")
        [{'id': 1, 'at': 3}, {'id': 2, 'at': 1}]
    """
    found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for row in rows:
        held = found.setdefault(tuple(row[name] for name in key), row)
        if row[by] > held[by]:
            found[tuple(row[name] for name in key)] = row
    return list(found.values())


def _rows(table: pa.Table) -> Rows:
    rows: Rows = table.to_pylist(maps_as_pydicts="strict")
    return rows


def _equal(given: Mapping[str, Any]) -> list[Any]:
    return [pc.field(name) == pa.scalar(value) for name, value in given.items()]
