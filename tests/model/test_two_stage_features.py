"""Two stages: histories, items, the index and the features, by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from models.errors import DataRefused, ModelRefused
from models.two_stage import features, index, ratings, scoring
from models.two_stage.candidates import Candidates
from models.two_stage.catalogue import Statistics, listed, statistics
from models.two_stage.ratings import Ratings, Weights
from models.two_stage.settings import Ranker, Retrieval, Sources, TwoStage
from models.two_stage.towers import Contents
from tests.model import picks
from tests.model.retrieval import NUM_ITEMS, catalogue, histories, retrievers


def test_the_index_finds_what_looking_at_all_finds(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    vector = random.normal(size=(3000, 16)).astype(np.float32)
    asked = random.normal(size=(100, 16)).astype(np.float32)
    built = index.Index.built(vector)
    expected = np.argsort(-(asked @ vector.T), 1)[:, :20]
    found = built.nearest(asked, 20)
    share = np.mean([len({*a} & {*b}) / 20 for a, b in zip(found, expected, strict=True)])
    assert share > 0.97
    assert built.recall(asked, vector, 20) == pytest.approx(share, abs=1e-3)
    built.write(tmp_path / "index.faiss")
    index.Index.built(vector).write(tmp_path / "again.faiss")
    content = (tmp_path / "index.faiss").read_bytes()
    assert content == (tmp_path / "again.faiss").read_bytes()
    again = index.read(tmp_path / "index.faiss", vector)
    assert (again.nearest(asked, 20) == found).all()
    for wrong, says in (
        (content[: len(content) // 2], "is no index"),
        (b"", "is no index"),
        (b"\x80\x04K\x01.", "is no index"),
    ):
        (tmp_path / "wrong.faiss").write_bytes(wrong)
        with pytest.raises(ModelRefused, match=says):
            index.read(tmp_path / "wrong.faiss", vector)
    with pytest.raises(ModelRefused, match="holds other vectors"):
        index.read(tmp_path / "index.faiss", vector[::-1].copy())
    with pytest.raises(ModelRefused, match="another kind of index"):
        index.read(tmp_path / "index.faiss", vector[:, :8])


def test_an_index_that_finds_too_little_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    built = retrievers()
    assert built.check_recall(histories(6), 1.0) == 1.0
    one_of_six = np.array([[0, -1, -1, -1, -1, -1]])
    monkeypatch.setattr(index.Index, "nearest", lambda _, rows, __: one_of_six.repeat(len(rows), 0))
    with pytest.raises(ModelRefused, match=r"the index finds .* 95.0% are needed"):
        built.check_recall(histories(6), 0.95)


def test_features_by_hand() -> None:
    items, at = catalogue(), 40 * picks.DAY
    weight = np.zeros((2, NUM_ITEMS), np.float32)
    weight[1, [0, 1, 3]] = [1, 3, 2]
    known = Ratings(
        np.array([0, 1, 2, 0]),
        np.array([5, 5, 2, 2]),
        np.array([4.0, 2.0, np.nan, 5.0]),
        np.array([1, 13 * picks.DAY, 30 * picks.DAY, 40 * picks.DAY]),
    )
    then = statistics(known, NUM_ITEMS, at)
    assert then.num_ratings_I[[2, 5]].tolist() == [1, 2]
    assert then.num_ratings_28d_I[[2, 5]].tolist() == [1, 1]
    assert then.rating_mean_I[5] == pytest.approx((6 + 10 * 2) / 12)
    pair = Candidates(np.array([1]), np.array([5]), np.array([0.7]), np.array([0.2]))
    row = np.array([[0.0], [33.0]])
    history = sparse.csr_matrix(weight)
    found = features.matrix(pair, history, items, Contents.of(items), then, row)[0]
    said = dict(zip((*features.NAMES, "own"), found, strict=True))
    year = (1 * 1990 + 3 * 1991) / 4
    # Tastes: a of items 0 and 3, b of 0 and 1, c of 3; item 5 has b alone.
    taste = np.array([1 + 2, 1 + 3, 2])
    assert said == pytest.approx(
        {
            "similarity": 0.7,
            "tower": 0.2,
            "popularity_log": np.log1p(2 / 3 * 1e5),
            "popularity_28d_log": np.log1p(1 / 2 * 1e5),
            "popularity_trend": np.log1p(1 / 2 * 1e5) - np.log1p(2 / 3 * 1e5),
            "rating_mean": (6 + 10 * 2) / 12,
            "year": 1995,
            "year_gap": 1995 - year,
            "tag_affinity": 4 / np.linalg.norm(taste),
            "num_taken_log": np.log1p(3),
            "own": 33,
        }
    )
    assert features.prior(pair, 2.0).tolist() == [pytest.approx(0.9)]


def test_popularity_is_the_share_of_items_below() -> None:
    then = Statistics(np.array([0, 3, 3, 9]), np.zeros(4), np.zeros(4))
    assert then.percentiles.tolist() == [0.125, 0.5, 0.5, 0.875]


def test_ties_are_broken_by_the_items_order() -> None:
    row, item = np.array([0, 0, 0, 2, 2]), np.array([8, 3, 5, 1, 0])
    found = scoring.best(row, item, np.array([1.0, 1.0, 2.0, 0.0, 0.0]), 3, 2)
    assert [items.tolist() for items, _ in found] == [[5, 3], [], [0, 1]]


def test_a_history_is_its_lists() -> None:
    items = catalogue()
    table = pa.table(
        {
            "taken": pa.array([["i03", "new", "i01"], None, ["i02", "i02"]]),
            "stars": pa.array([[5.0, 1.0, None], None, [1.0, 5.0]]),
        }
    )
    found = ratings.of_rows(table, picks.COLUMNS, items, Weights(0.25, 3.0)).toarray()
    expected = np.zeros((3, NUM_ITEMS), np.float32)
    expected[0, [1, 3]] = [1, 1.5]
    expected[2, 2] = 1
    assert (found == expected).all()
    assert Weights(0.5, 3.0)(np.array([1.0, 5.0])).tolist() == [0.1, 2.0]
    odd = table.set_column(1, "stars", pa.array([[5.0], None, [1.0, 5.0]]))
    with pytest.raises(DataRefused, match="stars: row 0 has not as many as taken"):
        ratings.of_rows(odd, picks.COLUMNS, items, Weights(0.25, 3.0))


def test_the_newest_row_of_an_item_counts(tmp_path: Path) -> None:
    rows = {
        "item_id": ["b", "a", "b", "c"],
        "release_year": pa.array([1990, 1980, 1991, None], pa.int32()),
        "tags": ["x", "y", "z|x", None],
        "known_at": pa.array([5, 3, 9, 1], picks.INSTANT),
    }
    pa.parquet.write_table(pa.table(rows), tmp_path / "items.parquet")
    found = listed(tmp_path / "items.parquet", Sources())
    assert found.item_I.to_pylist() == ["a", "b", "c"]
    np.testing.assert_array_equal(found.year_I, [1980, 1991, np.nan])
    assert found.tags_I.to_pylist() == ["y", "z|x", ""]
    assert found.listed_at_I.tolist() == [3, 5, 1]
    assert found.codes(pa.array(["c", "q", "a"])).tolist() == [2, -1, 0]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Retrieval(num_candidates=0), r"Retrieval\.num_candidates: 0 is no use"),
        (lambda: Retrieval(similarity_l2=0), r"Retrieval\.similarity_l2: 0 is no use"),
        (lambda: Retrieval(id_dropout=1), r"Retrieval\.id_dropout: 1 is no use"),
        (lambda: Retrieval(recall_min=1.1), r"Retrieval\.recall_min: 1.1 is no use"),
        (lambda: Ranker(past_share=1), r"Ranker\.past_share: 1 is no use"),
        (lambda: Ranker(num_leaves=1), r"Ranker\.num_leaves: 1 is no use"),
        (lambda: Ranker(prior_weight=-1), r"Ranker\.prior_weight: -1 is no use"),
    ],
)
def test_settings_out_of_range_are_refused(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()
    assert TwoStage.from_json(TwoStage(seed=3).to_json()) == TwoStage(seed=3)
