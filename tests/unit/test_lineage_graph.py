"""The placed graph: layers left to right, nothing on top of anything, few crossings."""

import os
import random

import pytest

from pipelines.insight.lineage.layout import NODE_HEIGHT, NODE_WIDTH, layout

SEEDS = int(os.environ.get("MILLRACE_TEST_SEEDS", "5"))
LAYERS = ("landing", "bronze", "quarantine", "silver", "gold", "features", "models")
A, B, C = "landing.c_a", "bronze.c_b", "silver.c_c"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_edges_go_right_and_nothing_overlaps(seed: int) -> None:
    print(f"seed {seed}")
    dice = random.Random(seed)  # noqa: S311
    nodes = [f"{dice.choice(LAYERS)}.c_n{number}" for number in range(dice.randint(1, 40))]
    pairs = [(one, other) for at, one in enumerate(nodes) for other in nodes[at + 1 :]]
    edges = dice.sample(pairs, min(len(pairs), dice.randint(0, 60)))
    reads = {name: [one for one, other in edges if other == name] for name in nodes}
    placed = layout(reads)
    assert set(placed.nodes) == set(nodes)
    assert set(placed.edges) == set(edges)
    for (source, target), points in placed.edges.items():
        assert placed.nodes[source][0] + NODE_WIDTH < placed.nodes[target][0]
        assert [x for x, _ in points] == sorted(x for x, _ in points)
        assert all(0 <= y <= placed.height for _, y in points)
    for one, (left, upper) in placed.nodes.items():
        assert 0 <= left <= placed.width - NODE_WIDTH
        assert 0 <= upper <= placed.height - NODE_HEIGHT
        for other, (x, y) in placed.nodes.items():
            assert one == other or x != left or abs(y - upper) >= NODE_HEIGHT
    in_other_order = sorted(nodes, key=lambda name: placed.nodes[name])
    assert layout({name: reads[name][::-1] for name in in_other_order}) == placed


def test_a_layer_is_a_column_and_one_that_is_lacking_leaves_no_gap() -> None:
    names = ["gold.c_predictions", "models.c.m", "gold.c_training_set", "features.c_s", "gold.c_s"]
    names += ["bronze.c_d", "quarantine.c_d", "landing.c_d"]
    placed = layout(dict.fromkeys(names, ()))
    lefts = [placed.nodes[name][0] for name in reversed(names)]
    assert lefts == [0.0, 410.0, 410.0, 820.0, 1230.0, 1640.0, 2050.0, 2460.0]


def test_what_reads_its_own_layer_goes_right_of_it() -> None:
    reads = {"gold.c_flights": [], "gold.c_decisions": ["gold.c_flights"], "features.c_s": []}
    placed = layout(reads)
    assert [placed.nodes[name][0] for name in reads] == [0.0, 410.0, 410.0]


def test_boxes_that_nothing_puts_in_order_are_in_that_of_their_names() -> None:
    placed = layout({f"landing.c_{name}": [] for name in "hbgdaecf"})
    found = sorted(placed.nodes, key=lambda name: placed.nodes[name][1])
    assert found == [f"landing.c_{name}" for name in "abcdefgh"]


def test_a_tangle_is_undone() -> None:
    ends = {"z": "a", "y": "b", "x": "c"}
    reads = {f"landing.c_{name}": [] for name in "abc"}
    placed = layout(
        reads | {f"bronze.c_{name}": [f"landing.c_{end}"] for name, end in ends.items()}
    )
    right = sorted("xyz", key=lambda name: placed.nodes[f"bronze.c_{name}"][1])
    left = sorted("abc", key=lambda name: placed.nodes[f"landing.c_{name}"][1])
    assert [ends[name] for name in right] == left


def test_a_long_edge_keeps_away_from_the_nodes_it_passes() -> None:
    placed = layout({A: [], B: [A], C: [B, A]})
    upper = placed.nodes[B][1]
    passing = [y for x, y in placed.edges[A, C] if x == placed.nodes[B][0]]
    assert passing
    assert all(y < upper or y > upper + NODE_HEIGHT for y in passing)


@pytest.mark.parametrize("reads", [{A: [B], B: [A]}, {A: ["bronze.c_nowhere"]}, {A: [A]}])
def test_what_can_not_be_placed_is_refused(reads: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match=r"landing.c_a reads .*, which is no node that comes"):
        layout(reads)
