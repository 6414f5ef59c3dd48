"""Places the nodes of a graph without circles in layers, left to right, with few crossings.

The method is that of Sugiyama: longest path for the layers, a waypoint on every layer that a long
edge passes, sweeps that order each layer by the mean place of its neighbours, then heights. Pure,
and the same answer for the same graph.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import fmean
from typing import TypeAlias

# Sizes are in the units of the picture, pixels at its natural size.
NODE_WIDTH, NODE_HEIGHT = 300.0, 48.0
_LAYER_GAP, _ROW_GAP, _WAYPOINT_HEIGHT = 110.0, 18.0, 8.0
_SWEEPS, _PULLS = 12, 24

Point: TypeAlias = tuple[float, float]
# A node's id, or a waypoint: the edge it is of and the layer that it is on.
_Place: TypeAlias = tuple[str, str, int]


@dataclass(frozen=True)
class Layout:
    """Where each node's left upper corner is, and through which points each edge goes."""

    nodes: Mapping[str, Point]
    edges: Mapping[tuple[str, str], Sequence[Point]]
    width: float
    height: float


def layout(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> Layout:
    """Place every node; each edge ends in a later layer than it begins.

    Raises:
        ValueError: an edge's end is no node, or the edges form a circle.

    Example:
        >>> placed = layout(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
        >>> [placed.nodes[name][0] for name in "abc"]
        [0.0, 410.0, 820.0]
    """
    wanted = sorted(set(edges))
    layers = _layers(nodes, wanted)
    chains = {edge: _chain(edge, layers) for edge in wanted}
    rows = _ordered(_rows(nodes, layers, chains.values()), _neighbours(chains.values()))
    heights = _heights(rows, _neighbours(chains.values()))
    top = min(heights.values(), default=0.0)
    placed = {name: (_left(layers[name]), round(heights[_node(name)] - top, 1)) for name in nodes}
    return Layout(
        nodes=placed,
        edges={edge: _points(edge, placed, chains[edge], heights, top) for edge in wanted},
        width=_left(max(layers.values(), default=0)) + NODE_WIDTH,
        height=max((y for _, y in placed.values()), default=0.0) + NODE_HEIGHT,
    )


def _node(name: str) -> _Place:
    return (name, "", 0)


def _left(layer: int) -> float:
    return layer * (NODE_WIDTH + _LAYER_GAP)


def _layers(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The longest path to each node."""
    above: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in edges:
        if source not in above or target not in above:
            raise ValueError(f"edge {source} -> {target}: an end of it is no node")
        above[target].append(source)
    layers: dict[str, int] = {}

    def layer(name: str, path: tuple[str, ...]) -> int:
        if name in path:
            raise ValueError(f"the edges form a circle: {' -> '.join((*path, name))}")
        if name not in layers:
            layers[name] = 1 + max((layer(each, (*path, name)) for each in above[name]), default=-1)
        return layers[name]

    return {name: layer(name, ()) for name in nodes}


def _chain(edge: tuple[str, str], layers: Mapping[str, int]) -> list[_Place]:
    """An edge's ends, and a waypoint on each layer in between."""
    source, target = edge
    between = range(layers[source] + 1, layers[target])
    return [_node(source), *((source, target, layer) for layer in between), _node(target)]


def _rows(
    nodes: Sequence[str], layers: Mapping[str, int], chains: Iterable[Sequence[_Place]]
) -> list[list[_Place]]:
    rows: list[list[_Place]] = [[] for _ in range(max(layers.values(), default=0) + 1)]
    for name in nodes:
        rows[layers[name]].append(_node(name))
    for chain in chains:
        for waypoint in chain[1:-1]:
            rows[waypoint[2]].append(waypoint)
    return rows


_Neighbours: TypeAlias = Mapping[_Place, Sequence[_Place]]


def _neighbours(chains: Iterable[Sequence[_Place]]) -> tuple[_Neighbours, _Neighbours]:
    """Of each place those to its left, and those to its right."""
    left, right = defaultdict[_Place, list[_Place]](list), defaultdict[_Place, list[_Place]](list)
    for chain in chains:
        for source, target in pairwise(chain):
            left[target].append(source)
            right[source].append(target)
    return left, right


def _ordered(
    rows: list[list[_Place]], neighbours: tuple[_Neighbours, _Neighbours]
) -> list[list[_Place]]:
    """Each row by the mean position of its neighbours, swept to and fro; the best order seen."""
    best, fewest = rows, _crossings(rows, neighbours[1])
    for sweep in range(_SWEEPS):
        rows = _swept(rows, neighbours, forth=sweep % 2 == 0)
        found = _crossings(rows, neighbours[1])
        if found < fewest:
            best, fewest = rows, found
    return best


def _swept(
    rows: list[list[_Place]], neighbours: tuple[_Neighbours, _Neighbours], *, forth: bool
) -> list[list[_Place]]:
    rows = list(rows)
    for index in range(1, len(rows)) if forth else range(len(rows) - 2, -1, -1):
        beside = rows[index - 1 if forth else index + 1]
        at = {place: float(position) for position, place in enumerate(beside)}
        rows[index] = _by_mean(rows[index], neighbours[0 if forth else 1], at)
    return rows


def _crossings(rows: list[list[_Place]], right: _Neighbours) -> int:
    """How many pairs of lines between neighbouring rows cross."""
    at = {place: position for row in rows for position, place in enumerate(row)}
    lines = [[(at[one], at[other]) for one in row for other in right.get(one, ())] for row in rows]
    return sum(
        (first[0] - second[0]) * (first[1] - second[1]) < 0
        for row in lines
        for first, second in combinations(row, 2)
    )


def _by_mean(row: list[_Place], near: _Neighbours, at: Mapping[_Place, float]) -> list[_Place]:
    """Those without neighbours keep their position."""
    own = {place: float(position) for position, place in enumerate(row)}

    def mean(place: _Place) -> float:
        found = [at[each] for each in near.get(place, ()) if each in at]
        return fmean(found) if found else own[place]

    return sorted(row, key=lambda place: (mean(place), own[place]))


def _heights(
    rows: list[list[_Place]], neighbours: tuple[_Neighbours, _Neighbours]
) -> dict[_Place, float]:
    """The upper edge of each place: near its neighbours, in its row's order, never overlapping."""
    heights: dict[_Place, float] = {}
    for row in rows:
        _set(heights, row, dict.fromkeys(row, 0.0))
    for _ in range(_PULLS):
        for row in rows:
            wished = {place: _wish(place, neighbours, heights) for place in row}
            _set(heights, row, wished)
    return heights


def _wish(
    place: _Place, neighbours: tuple[_Neighbours, _Neighbours], heights: Mapping[_Place, float]
) -> float:
    near = [each for side in neighbours for each in side.get(place, ())]
    middles = [heights[each] + _height(each) / 2 for each in near]
    return fmean(middles) - _height(place) / 2 if middles else heights[place]


def _set(
    heights: dict[_Place, float], row: Sequence[_Place], wished: Mapping[_Place, float]
) -> None:
    """As near to the wishes as the order and the gaps allow, without drifting down."""
    free, offsets = 0.0, []
    for place in row:
        offsets.append(free)
        free += _height(place) + _ROW_GAP
    # With the gaps taken off, the wishes need only not fall: pool those that do (isotonic means).
    pools: list[list[float]] = []
    for place, offset in zip(row, offsets, strict=True):
        pools.append([wished[place] - offset])
        while len(pools) > 1 and fmean(pools[-2]) > fmean(pools[-1]):
            last = pools.pop()
            pools[-1].extend(last)
    settled = [fmean(pool) for pool in pools for _ in pool]
    for place, offset, value in zip(row, offsets, settled, strict=True):
        heights[place] = value + offset


def _height(place: _Place) -> float:
    return _WAYPOINT_HEIGHT if place[1] else NODE_HEIGHT


def _points(
    edge: tuple[str, str],
    placed: Mapping[str, Point],
    chain: Sequence[_Place],
    heights: Mapping[_Place, float],
    top: float,
) -> list[Point]:
    """From the middle of one node's right side to the middle of the other's left."""
    (left, upper), (right, lower) = (placed[name] for name in edge)
    through = [
        (_left(each[2]) + x, round(heights[each] - top + _WAYPOINT_HEIGHT / 2, 1))
        for each in chain[1:-1]
        for x in (0.0, NODE_WIDTH)
    ]
    start = (left + NODE_WIDTH, round(upper + NODE_HEIGHT / 2, 1))
    return [start, *through, (right, round(lower + NODE_HEIGHT / 2, 1))]
