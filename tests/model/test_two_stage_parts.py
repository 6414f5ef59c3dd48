"""The parts of two stages, each against another way to the same numbers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from scipy import sparse

from models.errors import ModelRefused
from models.tasks.task import Array
from models.two_stage import candidates, learning, similarity
from models.two_stage.settings import Retrieval
from models.two_stage.towers import Contents, Towers, user_vectors
from tests.model import picks
from tests.model.retrieval import NUM_ITEMS, NUM_ROWS, catalogue, histories, retrievers


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
