"""The columns of one use case and where each comes from, from landing files to predictions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

from pipelines.insight.lineage.edges import Field, How, Relation, Source, Value

Kind: TypeAlias = Literal["files", "table", "feature view", "model"]


def landing_name(case: str, feed: str) -> str:
    """The name that a feed's files have in lineage."""
    return f"landing.{case}_{feed}"


def view_name(case: str, state: str) -> str:
    """The name that a feature view has in lineage."""
    return f"features.{case}_{state}"


def model_name(case: str, model: str) -> str:
    """The name that a case's model has in lineage: `models.` and its name in the registry."""
    return f"models.{case}.{model}"


# Stands for "which rows there are" where it is followed like a column.
ROWS = "*"


@dataclass(frozen=True, kw_only=True)
class Node:
    """A table, or what stands for one: its columns' types, and what they and its rows depend on.

    Args:
        name: `<layer>.<case>_<name>`; the layers beside the lake's are `landing`, `features` and
            `models`.
        unresolved: names in its SQL that could not be placed; they stand for all columns read.
    """

    name: str
    kind: Kind
    title: str
    columns: Mapping[str, str]
    relation: Relation = field(default_factory=lambda: Relation({}))
    unresolved: Sequence[str] = ()

    @property
    def reads(self) -> list[str]:
        """The tables that any of its columns or rows depend on."""
        sources = {*self.relation.rows}.union(*(v.sources for v in self.relation.columns.values()))
        return sorted({source.field.table for source in sources})


@dataclass(frozen=True, order=True)
class Edge:
    """One column depends on another."""

    source: Field
    target: Field
    how: How


@dataclass(frozen=True)
class CaseLineage:
    """All columns of a case; its nodes in an order in which each comes after what it reads."""

    case: str
    nodes: Sequence[Node]

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def edges(self) -> Sequence[Edge]:
        """Column to column."""
        return sorted(
            Edge(source.field, Field(node.name, column), source.how)
            for node in self.nodes
            for column, value in node.relation.columns.items()
            for source in value.sources
        )

    @cached_property
    def row_edges(self) -> Sequence[Edge]:
        """What decides which rows a table has: columns, and the rows of the tables it reads."""
        return sorted(edge for node in self.nodes for edge in _row_edges(node))

    def to_json(self) -> dict[str, Any]:
        return {"case": self.case, "nodes": [_node_json(node) for node in self.nodes]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "CaseLineage":
        return cls(values["case"], [_node(each) for each in values["nodes"]])


def _row_edges(node: Node) -> Iterator[Edge]:
    rows = Field(node.name, ROWS)
    yield from (Edge(source.field, rows, source.how) for source in node.relation.rows)
    yield from (Edge(Field(name, ROWS), rows, How.FILTER) for name in node.reads)


def _node_json(node: Node) -> dict[str, Any]:
    columns = node.relation.columns
    return {
        **{name: getattr(node, name) for name in ("name", "kind", "title")},
        "columns": dict(node.columns),
        "sources": {name: _sources_json(value.sources) for name, value in columns.items()},
        "rows": _sources_json(node.relation.rows),
        "unresolved": list(node.unresolved),
    }


def _sources_json(sources: Iterable[Source]) -> list[tuple[str, str, str]]:
    return [(each.field.table, each.field.column, each.how.value) for each in sorted(sources)]


def _node(values: Mapping[str, Any]) -> Node:
    columns = {name: Value(_sources(found)) for name, found in values["sources"].items()}
    return Node(
        **{name: values[name] for name in ("name", "kind", "title", "columns", "unresolved")},
        relation=Relation(columns, _sources(values["rows"])),
    )


def _sources(values: Iterable[Sequence[str]]) -> frozenset[Source]:
    return frozenset(Source(Field(table, column), How(how)) for table, column, how in values)
