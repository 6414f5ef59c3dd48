"""The ONNX file: equal to torch, whole in itself, and nothing else is opened (B24, B25, R15)."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pytest
import torch
from onnx import helper, numpy_helper

from models import scoring
from models.columns import Columns, numeric_matrix
from models.data import to_rows
from models.errors import DataRefused, ModelRefused
from models.fit import fit
from models.net import Net
from models.onnx_export import to_onnx
from models.preprocess import fit_statistics


@pytest.fixture(scope="module")
def net(toy: Any) -> Net:
    """Trained a little, so that no weight is at its first value."""
    rows = toy.rows()
    return fit(toy.net(), rows, rows, toy.spec.optimisation).net


@pytest.fixture(scope="module")
def content(toy: Any, net: Net) -> bytes:
    return to_onnx(net, toy.spec.columns, toy.statistics)


def opened(content: bytes) -> scoring.Model:
    return scoring.load(content, hashlib.sha256(content).hexdigest())


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
        expected = net.probability(rows.numeric_BF, rows.codes_BC).numpy()
    found = opened(content).score(table)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert float(np.ptp(found)) > 0.1


def test_rows_of_any_number(content: bytes) -> None:
    model, table = opened(content), odd_rows(4, scoring.SCORED_ROWS + 3)
    whole = model.score(table)
    assert whole.shape == (scoring.SCORED_ROWS + 3,)
    np.testing.assert_allclose(model.score(table.slice(8191, 4)), whole[8191:8195], atol=1e-6)
    assert model.score(table.slice(0, 0)).shape == (0,)


def test_so_many_rows_are_scored_at_once_and_no_more(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = []
    score = scoring.Model._score
    monkeypatch.setattr(
        scoring.Model, "_score", lambda m, part: scored.append(part.num_rows) or score(m, part)
    )
    opened(content).score(odd_rows(9, scoring.SCORED_ROWS + 3))
    assert scored == [scoring.SCORED_ROWS, 3]


def test_rows_in_any_order_and_columns_in_any_order(content: bytes) -> None:
    model, table = opened(content), odd_rows(5, 200)
    order = np.random.default_rng(6).permutation(200)
    shuffled = table.take(pa.array(order)).select(table.column_names[::-1])
    np.testing.assert_allclose(model.score(shuffled), model.score(table)[order], atol=1e-6)


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
        statistics = fit_statistics(words, columns, toy.spec.preprocessing)
        net = Net(statistics, toy.spec.architecture, 0)
        rows = to_rows(words, columns, statistics)
        with torch.no_grad():
            expected = net.probability(rows.numeric_BF, rows.codes_BC).numpy()
        found = opened(to_onnx(net, columns, statistics)).score(words)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_b11_the_file_itself_takes_infinity_as_missing(content: bytes) -> None:
    """Whoever opens it without our columns meets the same net."""
    numbers = np.array([[odd, *[10.0] * 4] for odd in (np.nan, np.inf, -np.inf)], np.float32)
    inputs = {"numeric": numbers, "categorical": np.full((3, 2), "AA", object)}
    (found,) = opened(content).session.run(["probability"], inputs)
    assert found[1] == found[2] == found[0]


def test_no_text_is_known_where_no_word_is(toy: Any, make_table: Any) -> None:
    """An encoder must know at least one text: that one is unknown too."""
    columns = Columns(numeric=("delay",), categorical=("word",))
    words = make_table(3).append_column("word", pa.array(["\0", "never seen", None]))
    statistics = fit_statistics(words, columns, toy.spec.preprocessing)
    net = Net(statistics, toy.spec.architecture, 0)
    same = words.set_column(0, "delay", pa.array([1.0] * 3))
    found = opened(to_onnx(net, columns, statistics)).score(same)
    np.testing.assert_allclose(found, found[:1].repeat(3), rtol=0, atol=1e-6)


def test_a_missing_number_is_none_of_those_around_zero(toy: Any) -> None:
    numbers = pa.table({"x": [*np.linspace(-10, 10, 99), None]})
    columns = Columns(numeric=("x",))
    statistics = fit_statistics(numbers, columns, toy.spec.preprocessing)
    net = Net(statistics, toy.spec.architecture, 0)
    rows = to_rows(numbers.append_column("label", pa.array([0] * 100)), columns, statistics)
    with torch.no_grad():
        expected = net.probability(rows.numeric_BF, rows.codes_BC).numpy()
    found = opened(to_onnx(net, columns, statistics)).score(numbers)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_the_same_net_gives_the_same_bytes(toy: Any, net: Net, content: bytes) -> None:
    assert to_onnx(net, toy.spec.columns, toy.statistics) == content


def test_the_file_says_what_it_reads(toy: Any, content: bytes) -> None:
    assert scoring.check(content) == toy.spec.columns
    model = opened(content)
    assert {value.name: value.shape for value in model.session.get_inputs()} == {
        "numeric": ["batch", 5],
        "categorical": ["batch", 2],
    }
    assert [value.shape for value in model.session.get_outputs()] == [["batch"]]


def test_r15_a_changed_file_is_refused(content: bytes) -> None:
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 1
    with pytest.raises(ModelRefused, match="changed or replaced"):
        scoring.load(bytes(changed), scoring.digest(content))


@pytest.mark.parametrize("wrong", [b"", b"\x80\x04K\x01.", b"PK\x03\x04 a zip of torch"])
def test_b24_what_is_no_onnx_is_refused(wrong: bytes) -> None:
    with pytest.raises(ModelRefused):
        scoring.check(wrong)


def outside(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")


def hidden_outside(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].external_data.add(key="location", value="weights")


def giant(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [2**40, 2**40]


def negative(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [-1, -1]


def foreign(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "com.evil"


def unknown_operator(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("ConstantOfShape", ["x"], ["y"]))


def hidden_tensor(model: onnx.ModelProto) -> None:
    value = numpy_helper.from_array(np.zeros(3, np.float32))
    model.graph.node[0].attribute.append(helper.make_attribute("value", value))


def hidden_tensors(model: onnx.ModelProto) -> None:
    value = numpy_helper.from_array(np.zeros(3, np.float32))
    model.graph.node[0].attribute.append(helper.make_attribute("values", [value]))


def subgraphs(model: onnx.ModelProto) -> None:
    graph = helper.make_graph([], "inner", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("bodies", [graph]))


def training_graph(model: onnx.ModelProto) -> None:
    model.training_info.add()


def said_to_be_outside(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL


def subgraph(model: onnx.ModelProto) -> None:
    graph = helper.make_graph([], "inner", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("body", graph))


def function(model: onnx.ModelProto) -> None:
    model.functions.add(name="Relu", domain="")


def sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add(dims=[1])


def element_type(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_type = onnx.TensorProto.STRING


def no_columns(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


def other_columns(model: onnx.ModelProto) -> None:
    model.metadata_props[0].value = '{"numeric": ["one"]}'


def other_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "logit"


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (outside, "external data"),
        (hidden_outside, "external data"),
        (said_to_be_outside, "external data"),
        (giant, "where its shape says"),
        (negative, "a negative size"),
        (foreign, "com.evil:"),
        (unknown_operator, ":ConstantOfShape"),
        (hidden_tensor, "a graph or tensor in"),
        (hidden_tensors, "a graph or tensor in"),
        (subgraph, "a graph or tensor in"),
        (subgraphs, "a graph or tensor in"),
        (function, "functions"),
        (training_graph, "training graphs"),
        (sparse, "sparse initializers"),
        (element_type, "element type 8"),
        (no_columns, "no readable 'millrace.columns' metadata"),
        (other_columns, "where its columns say"),
        (other_output, r"outputs \['logit'\]"),
    ],
)
def test_b25_a_harmful_file_is_refused_unopened(
    content: bytes,
    harm: Callable[[onnx.ModelProto], None],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("onnxruntime.InferenceSession")
    model = onnx.ModelProto.FromString(content)
    harm(model)
    changed = model.SerializeToString()
    with pytest.raises(ModelRefused, match=says):
        scoring.load(changed, scoring.digest(changed))


def test_b25_a_file_that_is_too_large_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "BYTES_MAX", 10)
    with pytest.raises(ModelRefused, match="11 bytes, above 10"):
        scoring.check(b"x" * 11)


def test_scoring_takes_the_numbers_that_training_took(toy: Any) -> None:
    table = odd_rows(8, 50)
    inputs = numeric_matrix(table, toy.spec.columns.numeric)
    np.testing.assert_array_equal(inputs, toy.rows(table).numeric_BF.numpy())
