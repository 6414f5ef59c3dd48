"""The placed graph: layers left to right, nothing on top of anything, few crossings."""

import os
import random

import pytest

from pipelines.insight.lineage.layout import NODE_HEIGHT, NODE_WIDTH, layout

SEEDS = int(os.environ.get("MILLRACE_TEST_SEEDS", "5"))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_edges_go_right_and_nothing_overlaps(seed: int) -> None:
    print(f"seed {seed}")
    dice = random.Random(seed)  # noqa: S311
    nodes = [f"n{number}" for number in range(dice.randint(1, 40))]
    pairs = [(one, other) for at, one in enumerate(nodes) for other in nodes[at + 1 :]]
    edges = dice.sample(pairs, min(len(pairs), dice.randint(0, 60)))
    placed = layout(nodes, edges)
    assert set(placed.nodes) == set(nodes)
    for source, target in edges:
        assert placed.nodes[source][0] + NODE_WIDTH < placed.nodes[target][0]
        points = placed.edges[source, target]
        assert [x for x, _ in points] == sorted(x for x, _ in points)
    for one, (left, upper) in placed.nodes.items():
        assert 0 <= left <= placed.width - NODE_WIDTH
        assert 0 <= upper <= placed.height - NODE_HEIGHT
        for other, (x, y) in placed.nodes.items():
            assert one == other or x != left or abs(y - upper) >= NODE_HEIGHT
    assert layout(nodes, edges) == placed


def test_a_tangle_is_undone() -> None:
    nodes = ["a", "b", "c", "x", "y", "z"]
    placed = layout(nodes, [("a", "z"), ("b", "y"), ("c", "x")])
    left = sorted("abc", key=lambda name: placed.nodes[name][1])
    right = sorted("zyx", key=lambda name: placed.nodes[name][1])
    assert [("abc".index(name)) for name in left] == [("zyx".index(name)) for name in right]


def test_a_long_edge_keeps_away_from_the_nodes_it_passes() -> None:
    placed = layout(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
    upper = placed.nodes["b"][1]
    passing = [y for x, y in placed.edges["a", "c"] if x == placed.nodes["b"][0]]
    assert passing
    assert all(y < upper or y > upper + NODE_HEIGHT for y in passing)


@pytest.mark.parametrize(
    ("edges", "said"),
    [([("a", "b"), ("b", "a")], "circle: "), ([("a", "nowhere")], "no node")],
)
def test_what_can_not_be_placed_is_refused(edges: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        layout(["a", "b"], edges)
