"""The task `ranking`: lists judged by what was taken afterwards."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import ndcg_score

from models import tasks
from models.errors import DataRefused
from models.tasks import Ranking
from models.tasks.bootstrap import Bootstrap
from models.tasks.task import Array, Evidence

TASK = Ranking(k=3, num_rows_min=4, num_units_min=2)
NAMES = np.array([f"i{number}" for number in range(30)])
CASES = ("ndcg_at_3", "map_at_3", "precision_at_3", "recall_at_3")


def answers(lists: list[list[str]], **changes: pa.Array) -> pa.Table:
    """Lists as answers, the first item's score the number of items."""
    num_rows = len(lists)
    scores = [[float(len(items) - place) for place in range(len(items))] for items in lists]
    columns = {
        "items": pa.array(lists, pa.list_(pa.string())),
        "scores": pa.array(scores, pa.list_(pa.float32())),
        "popularity": pa.array([0.5] * num_rows, pa.float32()),
        "unseen_share": pa.array([0.0] * num_rows, pa.float32()),
        "is_fallback": pa.array([False] * num_rows),
    }
    return pa.table({**columns, **changes}, schema=TASK.answer)


def judged(lists: list[list[str]], labels: list[list[str]], unit: Array | None = None) -> Evidence:
    rows = pa.table({"next": pa.array(labels, pa.list_(pa.string()))})
    unit = np.arange(len(lists)) if unit is None else unit
    return TASK.evidence("next", rows, answers(lists), unit)


def drawn(num_rows: int, seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """Lists of 0 to 3 items, and 0 to 8 relevant ones."""
    random = np.random.default_rng(seed)
    lists = [random.permutation(NAMES)[: random.integers(0, 4)].tolist() for _ in range(num_rows)]
    sizes = random.integers(0, 9, num_rows)
    return lists, [random.permutation(NAMES)[:size].tolist() for size in sizes]


def by_hand(listed: list[str], relevant: list[str]) -> dict[str, float]:
    """As Microsoft's recommenders define them (`ndcg_at_k`, `map_at_k`, ...), a row at a time."""
    hits = [item in relevant for item in listed]
    gain = sum(1 / np.log2(place + 2) for place, hit in enumerate(hits) if hit)
    best = sum(1 / np.log2(place + 2) for place in range(min(3, len(relevant))))
    precision = [sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(hits) if hit]
    values = (
        gain / best,
        sum(precision) / min(3, len(relevant)),
        sum(hits) / 3,
        sum(hits) / len(relevant),
    )
    return dict(zip(CASES, values, strict=True))


def test_each_metric_is_its_definition() -> None:
    lists, labels = drawn(400, 0)
    found = TASK.scores(judged(lists, labels))
    rows = [by_hand(*pair) for pair in zip(lists, labels, strict=True) if pair[1]]
    assert 300 < len(rows) < 400
    for name in CASES:
        assert found[name] == pytest.approx(np.mean([row[name] for row in rows])), name
    assert 0.02 < found["ndcg_at_3"] < 0.5
    assert found["num_relevant_mean"] == np.mean([len(label) for label in labels])
    assert found["has_relevant_share"] == len(rows) / 400


def test_ndcg_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    is_relevant = random.random((50, 30)) < 0.2
    is_relevant[:, 0] = True
    score = random.random((50, 30))
    lists = [NAMES[np.argsort(-row)[:3]].tolist() for row in score]
    found = judged(lists, [NAMES[row].tolist() for row in is_relevant])
    expected = ndcg_score(is_relevant, score, k=3)
    assert TASK.metric().value(found) == pytest.approx(expected)


@pytest.mark.parametrize("name", CASES)
def test_draws_are_exact(name: str) -> None:
    """Each draw is the metric of the rows that it has, as often as it has them."""
    lists, labels = drawn(120, 2)
    unit = np.random.default_rng(3).integers(0, 20, 120)
    evidence = judged(lists, labels, unit)
    weights = np.random.default_rng(4).integers(0, 4, (30, 20)).astype(float)
    weights[0] = 0
    found = TASK.metric(name).draws(evidence, weights)
    assert np.isnan(found[0])
    for weight, value in zip(weights[1:], found[1:], strict=True):
        rows = np.repeat(np.arange(120), weight[unit].astype(int))
        again = Evidence(evidence.label_B[rows], evidence.answer_BO[rows], unit[rows])
        assert value == pytest.approx(TASK.metric(name).value(again))


def test_users_are_drawn_whole() -> None:
    lists, labels = drawn(20, 5)
    once = judged(lists, labels)
    often = judged(lists * 30, labels * 30, np.tile(np.arange(20), 30))
    narrow = Bootstrap().interval(TASK.metric(), often)
    wide = Bootstrap().interval(TASK.metric(), once)
    assert narrow is not None
    assert wide is not None
    assert (narrow.low, narrow.high) == pytest.approx((wide.low, wide.high))


def test_without_anything_relevant_nothing_is_known() -> None:
    evidence = judged([["a"], ["b"]], [[], []])
    assert [TASK.scores(evidence)[name] for name in CASES] == [None] * 4
    assert Bootstrap().interval(TASK.metric(), evidence) is None
    assert TASK.lacks(evidence).startswith("0 rows with a relevant item, of 0 units; 4 of 2")
    with pytest.raises(DataRefused, match="no row to learn from has a relevant item"):
        TASK.refuse_unlearnable(evidence.label_B, [])
    TASK.refuse_unlearnable(np.array([0.0, 1.0]), [])
    enough = judged([["a"]] * 4, [["a"]] * 4)
    assert TASK.lacks(enough) == ""
    one_user = judged([["a"]] * 4, [["a"]] * 4, np.zeros(4, int))
    assert "4 rows with a relevant item, of 1 units" in TASK.lacks(one_user)


def test_an_item_that_is_relevant_twice_is_one() -> None:
    evidence = judged([["a", "b", "c"]], [["a", "a", "z"]])
    assert evidence.label_B.tolist() == [2]
    assert evidence.answer_BO.tolist() == [[1, 0, 0]]
    assert TASK.scores(evidence)["recall_at_3"] == 0.5


@pytest.mark.parametrize(
    ("lists", "changes", "says"),
    [
        ([["a"], ["b", "b"]], {}, "items: the answer to row 1 has an item twice"),
        ([["a"], list("abcd")], {}, "row 1 has more than 3 items"),
        ([["a"]], {"scores": [[1.0, 0.5]]}, "row 0 has another number of scores"),
        ([["a"], ["a", "b"]], {"scores": [[9.0], [1.0, 2.0]]}, "row 1 has scores that rise"),
        ([["a"], ["b"]], {"scores": [[1.0], [None]]}, "row 1 has a score that is none"),
        ([["a"], ["b"]], {"scores": [[1.0], [float("inf")]]}, "row 1 has a score that is none"),
        ([["a"]], {"popularity": [1.5]}, "popularity: the answer to row 0 is 1.5"),
        ([["a"]], {"unseen_share": [None]}, "unseen_share: the answer to row 0 is None"),
        ([["a"]], {"items": [None]}, "items: the answer to row 0 is None"),
    ],
)
def test_what_is_no_ranking_is_refused(
    lists: list[list[str]], changes: dict[str, list[object]], says: str
) -> None:
    kinds = TASK.answer
    arrays = {name: pa.array(each, kinds.field(name).type) for name, each in changes.items()}
    with pytest.raises(DataRefused, match=says):
        TASK.checked(answers(lists, **arrays))


def test_scores_may_rise_from_one_row_to_the_next() -> None:
    assert TASK.checked(answers([["a"], [], ["a", "b", "c"]])).num_rows == 3
    assert TASK.checked(answers([])).num_rows == 0


def test_answers_are_the_same_out_of_a_file() -> None:
    written = io.BytesIO()
    pq.write_table(answers([["a", "b"], []]), written)
    assert TASK.checked(pq.read_table(written)).equals(answers([["a", "b"], []]))


def test_labels_and_rows_that_are_none_are_refused() -> None:
    rows = pa.table({"next": pa.array([["a"], None], pa.list_(pa.string()))})
    with pytest.raises(DataRefused, match="next: 1 of 2 labels are no lists, the first in row 1"):
        TASK.evidence("next", rows, answers([["a"], ["a"]]), np.arange(2))
    with pytest.raises(DataRefused, match="next: 2 labels, 1 answers and 2 units"):
        TASK.evidence("next", rows, answers([["a"]]), np.arange(2))
    with pytest.raises(DataRefused, match="next: string is no list"):
        TASK.encode("next", pa.chunked_array([["a"]]))


def test_how_diverse_lists_are() -> None:
    """Effectively as many items as there are where each is listed equally often."""
    even = answers([["a", "b"], ["c", "d"]], is_fallback=pa.array([True, False]))
    assert TASK.answer_facts(even) == pytest.approx(
        {
            "num_items": 4,
            "num_items_effective": 4,
            "most_listed_share": 0.5,
            "fallback_share": 0.5,
        }
    )
    same = TASK.answer_facts(answers([["a"]] * 9 + [["b"]]))
    assert same["num_items"] == 2
    assert same["num_items_effective"] == pytest.approx(
        np.exp(-(0.9 * np.log(0.9) + 0.1 * np.log(0.1)))
    )
    assert same["most_listed_share"] == 0.9
    assert TASK.answer_facts(answers([[]])) == {}


def test_relevance_alone_is_no_answer() -> None:
    with pytest.raises(NotImplementedError, match="does not say which items"):
        TASK.answered(np.zeros((1, 3)))
    with pytest.raises(NotImplementedError, match="by their row's label"):
        TASK.outputs(answers([["a"]]))
    with pytest.raises(NotImplementedError, match="ranking has no loss of a single row"):
        TASK.losses(judged([["a"]], [["a"]]))


def test_a_ranking_is_plain_values() -> None:
    task = Ranking(k=5, items="films")
    assert tasks.from_json(tasks.to_json(task)) == task
    assert task.answer.names[0] == "films"
    assert task.metric_names[0] == "ndcg_at_5"
    with pytest.raises(ValueError, match=r"Ranking\.k: 0 is below 1"):
        Ranking(k=0)
    with pytest.raises(ValueError, match=r"Ranking\.items: an answer has a field 'scores'"):
        Ranking(items="scores")
