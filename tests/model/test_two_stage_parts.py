"""The parts of two stages, each against another way to the same numbers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from scipy import sparse

from models.errors import DataRefused, ModelRefused
from models.tasks.task import Array
from models.two_stage import candidates, features, index, learning, ratings, scoring, similarity
from models.two_stage.candidates import Candidates, Retrievers
from models.two_stage.catalogue import Catalogue, Statistics, listed, statistics
from models.two_stage.ratings import Ratings, Weights
from models.two_stage.settings import Ranker, Retrieval, Sources, TwoStage
from models.two_stage.towers import Contents, Towers, user_vectors
from tests.model import picks

NUM_ROWS, NUM_ITEMS = 40, 30


def histories(seed: int, num_rows: int = NUM_ROWS, share: float = 0.3) -> Any:
    random = np.random.default_rng(seed)
    weight = random.uniform(0.5, 1.5, (num_rows, NUM_ITEMS))
    weight *= random.random(weight.shape) < share
    return sparse.csr_matrix(weight.astype(np.float32))


def catalogue(num_items: int = NUM_ITEMS) -> Catalogue:
    years = np.where(np.arange(num_items) == 3, np.nan, 1990.0 + np.arange(num_items) % 7)
    tags = pa.array([("a|b", " b ", "", "c|a")[number % 4] for number in range(num_items)])
    names = pa.array([f"i{number:02}" for number in range(num_items)])
    return Catalogue(names, years, tags, np.zeros(num_items, np.int64))


def retrievers(num_candidates: int = 6, seed: int = 0) -> Retrievers:
    random, items = np.random.default_rng(seed), catalogue()
    contents = Contents.of(items)
    own = random.normal(size=(NUM_ITEMS, 9)).astype(np.float32)
    content = random.normal(size=(len(contents.names), 9)).astype(np.float32)
    towers = Towers(contents, items.item_I, own, content)
    similar = similarity.fitted(histories(seed), 3.0, NUM_ITEMS)
    return Retrievers.built(items, similar, towers, Weights(0.1, 3.0), num_candidates)


def test_ease_is_a_ridge_regression_of_each_item_on_the_others() -> None:
    history = histories(1)
    found = similarity.fitted(history, 2.5, NUM_ITEMS)
    taken = history.toarray().astype(float)
    for item in range(NUM_ITEMS):
        others = np.delete(np.arange(NUM_ITEMS), item)
        known = taken[:, others]
        gram = known.T @ known + 2.5 * np.eye(len(others))
        expected = np.linalg.solve(gram, known.T @ taken[:, item])
        np.testing.assert_allclose(found.weight_SS[others, item], expected, atol=1e-5)
        assert found.weight_SS[item, item] == 0
    np.testing.assert_allclose(found.scores(history), taken @ found.weight_SS, atol=1e-5)


def test_only_the_most_rated_items_have_similarities() -> None:
    history = histories(2)
    count = np.bincount(history.indices, minlength=NUM_ITEMS)
    found = similarity.fitted(history, 2.5, 10)
    assert len(found.code_S) == 10
    assert count[found.code_S].min() >= np.delete(count, found.code_S).max()
    scores = found.scores(history)
    assert not scores[:, np.delete(np.arange(NUM_ITEMS), found.code_S)].any()
    assert scores[:, found.code_S].any()


def test_what_similarity_remembers_it_remembers_by_name(tmp_path: Path) -> None:
    items = catalogue()
    found = similarity.fitted(histories(3), 2.5, 12)
    similarity.write(tmp_path / "s.arrow", found, items)
    more = catalogue(NUM_ITEMS + 5)
    shifted = replace(more, item_I=pa.array(["a0", *more.item_I.to_pylist()[:-1]]))
    again = similarity.read(tmp_path / "s.arrow", 12, shifted)
    assert (again.code_S == found.code_S + 1).all()
    assert (again.weight_SS == found.weight_SS).all()
    fewer = similarity.read(tmp_path / "s.arrow", 12, catalogue(20))
    kept = found.code_S < 20
    assert (fewer.weight_SS == found.weight_SS[np.ix_(kept, kept)]).all()
    with pytest.raises(ModelRefused, match="its columns are"):
        similarity.read(tmp_path / "s.arrow", 13, items)


def test_an_item_without_ratings_has_a_vector_by_its_content() -> None:
    items, learned = catalogue(), retrievers().towers
    few = replace(learned, item_J=learned.item_J[:10], own_JE=learned.own_JE[:10])
    vector = few.item_vectors(items)
    content = learned.contents.matrix(items).toarray() @ learned.content_CE
    np.testing.assert_allclose(vector[10:], content[10:], atol=1e-5)
    np.testing.assert_allclose(vector[:10], content[:10] + learned.own_JE[:10], atol=1e-5)
    # The same tags and year as another's.
    assert learned.contents.names[:3] == ("any item", "year", "year missing")
    assert (content[0] == content[28]).all()


def test_contents_of_an_item() -> None:
    matrix = Contents.of(catalogue()).matrix(catalogue()).toarray()
    years = catalogue().year_I
    expected = (years - np.nanmean(years)) / np.nanstd(years)
    np.testing.assert_allclose(matrix[:, 1], np.nan_to_num(expected), atol=1e-6)
    assert matrix[:4].tolist() == [
        [1, pytest.approx(expected[0]), 0, 1, 1, 0],
        [1, pytest.approx(expected[1]), 0, 0, 1, 0],
        [1, pytest.approx(expected[2]), 0, 0, 0, 0],
        [1, 0, 1, 1, 0, 1],
    ]


def test_numpy_says_what_the_net_says() -> None:
    settings = Retrieval(
        num_dimensions=8, num_epochs=3, vector_dropout=0, id_dropout=0, history_dropout=0.5
    )
    history, items = histories(4, share=0.4), catalogue()
    contents = Contents.of(items)
    content = torch.from_numpy(contents.matrix(items).toarray())
    net = learning._Net(content, settings, torch.Generator().manual_seed(1))
    expected = net(torch.from_numpy(history.toarray())).detach().numpy()
    own, by_content = (each.detach().numpy() for each in (net.own_IE, net.content_CE))
    vector = Towers(contents, items.item_I, own, by_content).item_vectors(items)
    np.testing.assert_allclose(user_vectors(history, vector) @ vector.T, expected, atol=1e-5)


def test_towers_learn_who_takes_what_and_the_same_twice() -> None:
    settings = replace(picks.SETTINGS.retrieval, num_epochs=30)
    random = np.random.default_rng(0)
    kind, member = np.arange(NUM_ITEMS) % 3, np.arange(60) % 3
    taken = random.random((60, NUM_ITEMS)) < np.where(member[:, None] == kind, 0.6, 0.05)
    history = sparse.csr_matrix(taken.astype(np.float32))
    towers, losses = learning.towers_fitted(history, catalogue(), settings, 0)
    assert losses[-1] < losses[0] - 0.3
    vector = towers.item_vectors(catalogue())
    score = user_vectors(history, vector) @ vector.T
    of_kind = np.where(taken, np.nan, score)[member[:, None] == kind]
    others = np.where(taken, np.nan, score)[member[:, None] != kind]
    assert np.nanmean(of_kind) > np.nanmean(others) + 1
    again, _ = learning.towers_fitted(history, catalogue(), settings, 0)
    other, _ = learning.towers_fitted(history, catalogue(), settings, 1)
    assert (again.own_JE == towers.own_JE).all()
    assert (other.own_JE != towers.own_JE).any()


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


def unseen(score: Array, history: Any) -> Array:
    return np.where(history.toarray() > 0, -np.inf, score)


def test_candidates_are_the_first_of_both_by_looking_at_all() -> None:
    built, history = retrievers(), histories(7)
    found = built.found(history)
    vector = built.vector_IE
    similar = unseen(history @ built.similarity.weight_SS, history)
    near = unseen(user_vectors(history, vector) @ vector.T, history)
    for row, part in enumerate(candidates.by_row(found.row_P, NUM_ROWS)):
        first = [np.argsort(-each[row], kind="stable")[:6] for each in (similar, near)]
        expected = np.union1d(*first)
        assert found.item_P[part].tolist() == expected.tolist()
        for said, score, own in (
            (found.similarity_P[part], similar[row], first[0]),
            (found.tower_P[part], near[row], first[1]),
        ):
            span = score[own[0]] - score[own[-1]]
            np.testing.assert_allclose(said, (score[expected] - score[own[-1]]) / span, atol=1e-4)
            assert said.max() == pytest.approx(1)


def test_candidates_of_a_row_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    built, history = retrievers(), histories(8)
    whole = built.found(history)
    monkeypatch.setattr(candidates, "_BATCH_ROWS", 7)
    parted = built.found(history)
    order = np.random.default_rng(0).permutation(NUM_ROWS)
    moved = built.found(history[order])
    for name in whole.__dataclass_fields__:
        assert (getattr(whole, name) == getattr(parted, name)).all(), name
    parts = [*candidates.by_row(whole.row_P, NUM_ROWS)]
    for row, part in zip(order, candidates.by_row(moved.row_P, NUM_ROWS), strict=True):
        for name in ("item_P", "similarity_P", "tower_P"):
            assert (getattr(moved, name)[part] == getattr(whole, name)[parts[row]]).all()


def test_who_took_all_has_no_candidates() -> None:
    history = sparse.csr_matrix(np.ones((2, NUM_ITEMS), np.float32))
    assert len(retrievers().found(history)) == 0
    assert len(retrievers().found(history[:0])) == 0


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
