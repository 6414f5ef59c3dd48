"""Everything a column comes from, or goes into: pure walks over a case's lineage, as a tree."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

from pipelines.core.errors import UsageError
from pipelines.insight.lineage import trees
from pipelines.insight.lineage.case import ROWS, CaseLineage, Edge
from pipelines.insight.lineage.edges import Field, How

Direction: TypeAlias = Literal["upstream", "downstream"]
# Of one table: columns, each with how it has to do with the column that was asked for.
Columns: TypeAlias = Mapping[str, frozenset[How]]

_NAMES_SHOWN = 8


@dataclass(frozen=True)
class Step:
    """One table on the way, the columns of it that matter, and where it goes on from there."""

    table: str
    columns: Columns
    steps: Sequence["Step"] = field(default_factory=tuple)


def asked_field(lineage: CaseLineage, name: str) -> Field:
    """The column that a person named, `TABLE.COLUMN`.

    Raises:
        UsageError: there is no such table or column; the message has the nearest ones.
    """
    table, _, column = name.rpartition(".")
    if table not in lineage.by_name:
        known = list(lineage.by_name)
        raise UsageError(
            f"{lineage.case} has no table {table or name!r}; {_nearest(table or name, known)}"
            " (write TABLE.COLUMN)"
        )
    columns = lineage.by_name[table].columns
    if column not in columns:
        raise UsageError(f"{table} has no column {column!r}; {_nearest(column, list(columns))}")
    return Field(table, column)


def _nearest(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=3, cutoff=0.4) or known
    return f"there is {', '.join(near[:12])}"


def walk(lineage: CaseLineage, start: Field, direction: Direction) -> Step:
    """The tables on the way from one column, each with the columns that matter.

    Upstream follows columns only; downstream also which rows there are (the column `*`), because
    a changed filter changes every later row.
    """
    edges = [*lineage.edges, *(lineage.row_edges if direction == "downstream" else ())]
    return _step(_index(edges, direction), start.table, {start.column: frozenset({How.IDENTITY})})


_Index: TypeAlias = Mapping[Field, Sequence[tuple[Field, How]]]


def _index(edges: Iterable[Edge], direction: Direction) -> _Index:
    index: dict[Field, list[tuple[Field, How]]] = defaultdict(list)
    for edge in edges:
        ends = (edge.target, edge.source) if direction == "upstream" else (edge.source, edge.target)
        index[ends[0]].append((ends[1], edge.how))
    return index


def _step(index: _Index, table: str, columns: Columns) -> Step:
    found: dict[str, dict[str, set[How]]] = defaultdict(lambda: defaultdict(set))
    for column, hows in columns.items():
        for other, how in index.get(Field(table, column), ()):
            found[other.table][other.column] |= {how.after(each) for each in hows}
    steps = (
        _step(index, name, {each: frozenset(hows) for each, hows in sorted(others.items())})
        for name, others in sorted(found.items())
    )
    return Step(table, columns, tuple(steps))


def to_json(lineage: CaseLineage, step: Step) -> dict[str, Any]:
    """The columns on the way and the edges between them, each once."""
    columns = _all(step)
    between = (
        edge
        for edge in (*lineage.edges, *lineage.row_edges)
        if {edge.source, edge.target} <= columns.keys()
    )
    return {
        "columns": [
            {"column": str(each), "how": sorted(hows)} for each, hows in sorted(columns.items())
        ],
        "edges": [
            {"from": str(edge.source), "to": str(edge.target), "how": edge.how.value}
            for edge in between
        ],
    }


def _all(step: Step) -> dict[Field, frozenset[How]]:
    found = {Field(step.table, name): hows for name, hows in step.columns.items()}
    for each in step.steps:
        for name, hows in _all(each).items():
            found[name] = found.get(name, frozenset()) | hows
    return found


def in_words(step: Step) -> str:
    """The tree for people; what was shown once is named again, not shown again.

    `value` columns become the value; `decides` columns say which value it is.
    """
    return trees.drawn(
        step,
        key=lambda each: (each.table, frozenset(each.columns)),
        head=_head,
        below=lambda each: each.steps,
        again=_head,
    )


def _head(step: Step) -> str:
    return f"{step.table}: {_described(step.columns)}"


def _described(columns: Columns) -> str:
    direct = [name for name, hows in columns.items() if any(how.is_direct for how in hows)]
    deciding = [name for name in columns if name not in direct]
    said = [_listed(direct)] if direct else []
    rows = [ROWS] if ROWS in deciding else []
    deciding = [name for name in deciding if name not in rows]
    said += [f"decided by {_listed(deciding)}"] if deciding else []
    said += ["which rows there are"] if rows else []
    return "; ".join(said)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown
