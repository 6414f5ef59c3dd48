"""Where the boxes and lines of a case's picture are: columns by layer, from landing to predictions.

A line that passes columns on its way has a place of its own in each, so that it meets no box. Pure,
and the same answer whatever order the nodes come in.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import fmean
from typing import TypeAlias

from pipelines.use_cases.spec.model import PREDICTIONS, TRAINING_SET

# Sizes are in the units of the picture, pixels at its natural size.
NODE_WIDTH, NODE_HEIGHT = 300.0, 48.0
_COLUMN_GAP, _ROW_GAP, _LINE_HEIGHT = 110.0, 18.0, 8.0
_SWEEPS = 3
# From left to right; quarantine is beside bronze.
_LAYERS = ("landing", "bronze", "silver", "gold", "features", TRAINING_SET, "models", PREDICTIONS)

Point: TypeAlias = tuple[float, float]
Edge: TypeAlias = tuple[str, str]
# What a column has from above to below: nodes, each as an edge to itself, and edges that pass.
_Column: TypeAlias = Sequence[Edge]
# The place of an edge in each column from its source's to its target's.
_Way: TypeAlias = Mapping[int, Edge]


@dataclass(frozen=True)
class Layout:
    """Where each node's left upper corner is, and through which points each edge goes."""

    nodes: Mapping[str, Point]
    edges: Mapping[Edge, Sequence[Point]]
    width: float
    height: float


def layout(reads: Mapping[str, Collection[str]]) -> Layout:
    """Place every node in its layer's column, or further right if it reads one that is there.

    Args:
        reads: what each node reads; a node comes after those that it reads.

    Raises:
        ValueError: a node reads one that doesn't come before it.

    Example:
        >>> placed = layout({"landing.c_a": [], "bronze.c_a": ["landing.c_a"]})
        >>> placed.nodes["bronze.c_a"], placed.edges["landing.c_a", "bronze.c_a"]
        ((410.0, 0.0), [(300.0, 24.0), (410.0, 24.0)])
    """
    at = _numbers(reads)
    edges = sorted((source, name) for name in reads for source in set(reads[name]))
    ways = {edge: _way(edge, at) for edge in (*edges, *((name, name) for name in at))}
    columns = [_stacked(column) for column in _ordered(list(ways.values()))]
    middles = [y for column in columns for y in column.values()]
    top = min(middles, default=0.0) - NODE_HEIGHT / 2
    corners = {
        name: (_left(number), columns[number][name, name] - top - NODE_HEIGHT / 2)
        for name, number in at.items()
    }
    return Layout(
        nodes=corners,
        edges={edge: _points(ways[edge], columns, top) for edge in edges},
        width=max((left for left, _ in corners.values()), default=0.0) + NODE_WIDTH,
        height=max(middles, default=0.0) + NODE_HEIGHT / 2 - top,
    )


def _left(number: int) -> float:
    return number * (NODE_WIDTH + _COLUMN_GAP)


def _numbers(reads: Mapping[str, Collection[str]]) -> dict[str, int]:
    """The column of each node; a layer that has none leaves no gap."""
    found: dict[str, int] = {}
    for name, below in reads.items():
        if lacking := sorted(set(below) - found.keys()):
            raise ValueError(f"{name} reads {lacking[0]}, which is no node that comes before it")
        found[name] = max([_layer(name), *(found[each] + 1 for each in below)])
    used = sorted(set(found.values()))
    return {name: used.index(number) for name, number in found.items()}


def _layer(name: str) -> int:
    layer, _, table = name.partition(".")
    # Named by their case, and a further model's by its prefix.
    ends = (end for end in (TRAINING_SET, PREDICTIONS) if f"_{table}".endswith(f"_{end}"))
    own = next(ends, layer) if layer == "gold" else layer
    return _LAYERS.index(own.replace("quarantine", "bronze"))


def _way(edge: Edge, at: Mapping[str, int]) -> _Way:
    ends = {at[name]: (name, name) for name in edge}
    return {number: ends.get(number, edge) for number in range(min(ends), max(ends) + 1)}


def _ordered(ways: Sequence[_Way]) -> list[_Column]:
    """Each column by the mean height of what its places are joined to, swept to and fro."""
    last = max((max(way) for way in ways), default=-1)
    columns: list[_Column] = [
        sorted({way[number] for way in ways if number in way}) for number in range(last + 1)
    ]
    for _ in range(_SWEEPS):
        for number in reversed(range(last)):
            columns[number] = _sorted(number, number + 1, columns, ways)
        for number in range(1, last + 1):
            columns[number] = _sorted(number, number - 1, columns, ways)
    return columns


def _sorted(number: int, beside: int, columns: Sequence[_Column], ways: Sequence[_Way]) -> _Column:
    """Those that are joined to nothing beside keep their height."""
    own, heights = _stacked(columns[number]), _stacked(columns[beside])
    near = defaultdict[Edge, list[float]](list)
    for way in ways:
        if number in way and beside in way:
            near[way[number]].append(heights[way[beside]])
    return sorted(columns[number], key=lambda place: fmean(near[place] or [own[place]]))


def _stacked(column: _Column) -> dict[Edge, float]:
    """The middle of each place, with the column's own middle at 0."""
    sizes = [NODE_HEIGHT if source == target else _LINE_HEIGHT for source, target in column]
    ends = list(accumulate(size + _ROW_GAP for size in sizes))
    return {
        place: end - size / 2 - (ends[-1] + _ROW_GAP) / 2
        for place, size, end in zip(column, sizes, ends, strict=True)
    }


def _points(way: _Way, columns: Sequence[Mapping[Edge, float]], top: float) -> list[Point]:
    """From the middle of one node's right side to the middle of the other's left."""
    sides = [
        (_left(number) + x, columns[number][place] - top)
        for number, place in way.items()
        for x in (0.0, NODE_WIDTH)
    ]
    return sides[1:-1]
