"""An ONNX file that is none of ours is refused, unopened (B24, B25)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from models.columns import Columns
from models.errors import ModelRefused
from models.tabular_net import onnx_file
from models.tasks import Binary, Regression


@pytest.mark.parametrize("wrong", [b"", b"\x80\x04K\x01.", b"PK\x03\x04 a zip of torch"])
def test_b24_what_is_no_onnx_is_refused(wrong: bytes) -> None:
    with pytest.raises(ModelRefused):
        onnx_file.check(wrong)


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
    model.metadata_props[0].value = '{"numeric": ["one"], "categorical": []}'


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
    toy: Any,
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
        onnx_file.load(changed, toy.spec.columns, Binary())


def test_a_file_of_other_columns_or_another_task_is_refused_unopened(
    toy: Any, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("onnxruntime.InferenceSession")
    swapped = Columns(numeric=toy.spec.columns.numeric[::-1], categorical=("origin", "carrier"))
    with pytest.raises(ModelRefused, match=r"the columns \('delay', .*, not \('empty', "):
        onnx_file.load(content, swapped, Binary())
    with pytest.raises(ModelRefused, match="1 outputs, not 3"):
        onnx_file.load(content, toy.spec.columns, Regression())
