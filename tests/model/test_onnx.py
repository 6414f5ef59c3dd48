"""The ONNX file: equal to torch, and whole in itself."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from models.columns import Columns, numeric_matrix
from models.errors import DataRefused
from models.tabular_net import onnx_file
from models.tabular_net.data import to_rows
from models.tabular_net.net import Net
from models.tabular_net.onnx_export import to_onnx
from models.tabular_net.preprocess import fit_statistics
from models.tasks import Binary


def opened(content: bytes) -> onnx_file.Net:
    columns, _ = onnx_file.check(content)
    return onnx_file.load(content, columns, Binary())


def said(content: bytes, table: pa.Table) -> Any:
    """The probability of each row."""
    return opened(content).score(table)["probability"].to_numpy()


def odd_rows(seed: int, num_rows: int) -> pa.Table:
    random = np.random.default_rng(seed)

    def numbers() -> pa.Array:
        honest = random.normal(10, 30, num_rows)
        odd = random.choice([np.nan, np.inf, -np.inf, 1e308, -1e308, 1e-45, -0.0], num_rows)
        values = np.where(random.random(num_rows) < 0.3, odd, honest)
        return pa.array(values, mask=random.random(num_rows) < 0.1)

    texts = ["AA", "BB", "EWR", "JFK", "never seen", "", "\0", "éé", None, "aa"]
    columns: dict[str, Any] = {
        name: numbers() for name in ("delay", "gusts", "hour", "constant", "empty")
    }
    for name in ("origin", "carrier"):
        columns[name] = pa.array([texts[i] for i in random.integers(0, len(texts), num_rows)])
    return pa.table(columns | {"label": np.zeros(num_rows)})


@pytest.mark.parametrize("seed", range(3))
def test_onnx_scores_as_torch(toy: Any, net: Net, content: bytes, seed: int) -> None:
    table = odd_rows(seed, 3000)
    rows = toy.rows(table)
    with torch.no_grad():
        expected = toy.probability(net, rows).numpy()
    found = said(content, table)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert float(np.ptp(found)) > 0.1


def test_rows_of_any_number(content: bytes) -> None:
    table = odd_rows(4, onnx_file.SCORED_ROWS + 3)
    whole = said(content, table)
    assert whole.shape == (onnx_file.SCORED_ROWS + 3,)
    np.testing.assert_allclose(said(content, table.slice(8191, 4)), whole[8191:8195], atol=1e-6)
    assert said(content, table.slice(0, 0)).shape == (0,)


def test_so_many_rows_are_scored_at_once_and_no_more(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = []
    score = onnx_file.Net._outputs
    monkeypatch.setattr(
        onnx_file.Net, "_outputs", lambda m, part: scored.append(part.num_rows) or score(m, part)
    )
    opened(content).score(odd_rows(9, onnx_file.SCORED_ROWS + 3))
    assert scored == [onnx_file.SCORED_ROWS, 3]


def test_rows_in_any_order_and_columns_in_any_order(content: bytes) -> None:
    table = odd_rows(5, 200)
    order = np.random.default_rng(6).permutation(200)
    shuffled = table.take(pa.array(order)).select(table.column_names[::-1])
    np.testing.assert_allclose(said(content, shuffled), said(content, table)[order], atol=1e-6)


def test_an_absent_column_is_named(content: bytes) -> None:
    with pytest.raises(DataRefused, match="gusts: the table has 0 columns of that name"):
        opened(content).score(odd_rows(7, 5).drop_columns(["gusts"]))


def test_a_model_without_categories_and_one_with_no_known_words(toy: Any, make_table: Any) -> None:
    table = make_table(100)
    for columns in (
        Columns(numeric=("delay", "hour")),
        Columns(numeric=("delay",), categorical=("word",)),
    ):
        words = table.append_column("word", pa.array([f"word {i}" for i in range(100)]))
        statistics = fit_statistics(words, columns, toy.settings.preprocessing)
        net = Net(statistics, toy.settings.architecture, 1, 0)
        rows = to_rows(words, columns, statistics, np.zeros(100))
        with torch.no_grad():
            expected = toy.probability(net, rows).numpy()
        found = said(to_onnx(net, toy.head, columns, statistics), words)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_b11_the_file_itself_takes_infinity_as_missing(content: bytes) -> None:
    """Whoever opens it without our columns meets the same net."""
    numbers = np.array([[odd, *[10.0] * 4] for odd in (np.nan, np.inf, -np.inf)], np.float32)
    inputs = {"numeric": numbers, "categorical": np.full((3, 2), "AA", object)}
    (found,) = opened(content)._session.run([onnx_file.OUTPUT], inputs)
    assert found[1] == found[2] == found[0]


def test_no_text_is_known_where_no_word_is(toy: Any, make_table: Any) -> None:
    """An encoder must know at least one text: that one is unknown too."""
    columns = Columns(numeric=("delay",), categorical=("word",))
    words = make_table(3).append_column("word", pa.array(["\0", "never seen", None]))
    statistics = fit_statistics(words, columns, toy.settings.preprocessing)
    net = Net(statistics, toy.settings.architecture, 1, 0)
    same = words.set_column(0, "delay", pa.array([1.0] * 3))
    found = said(to_onnx(net, toy.head, columns, statistics), same)
    np.testing.assert_allclose(found, found[:1].repeat(3), rtol=0, atol=1e-6)


def test_a_missing_number_is_none_of_those_around_zero(toy: Any) -> None:
    numbers = pa.table({"x": [*np.linspace(-10, 10, 99), None]})
    columns = Columns(numeric=("x",))
    statistics = fit_statistics(numbers, columns, toy.settings.preprocessing)
    net = Net(statistics, toy.settings.architecture, 1, 0)
    rows = to_rows(numbers, columns, statistics, np.zeros(100))
    with torch.no_grad():
        expected = toy.probability(net, rows).numpy()
    found = said(to_onnx(net, toy.head, columns, statistics), numbers)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_the_same_net_gives_the_same_bytes(toy: Any, net: Net, content: bytes) -> None:
    assert to_onnx(net, toy.head, toy.spec.columns, toy.statistics) == content


def test_the_file_says_what_it_reads(toy: Any, content: bytes) -> None:
    assert onnx_file.check(content) == (toy.spec.columns, 1)
    session = opened(content)._session
    assert {value.name: value.shape for value in session.get_inputs()} == {
        "numeric": ["batch", 5],
        "categorical": ["batch", 2],
    }
    assert [value.shape for value in session.get_outputs()] == [["batch", 1]]


def test_scoring_takes_the_numbers_that_training_took(toy: Any) -> None:
    table = odd_rows(8, 50)
    inputs = numeric_matrix(table, toy.spec.columns.numeric)
    np.testing.assert_array_equal(inputs, toy.rows(table).numeric_BF.numpy())
