"""The net as one ONNX file: raw numbers and texts in, the numbers of an answer out.

The graph is written by hand beside the net it mirrors: torch's exporter knows no text (so the
codes would have to be grafted on), needs two more packages and takes 7 s; this takes
milliseconds, gives the same bytes each time, and holds only operators that `onnx_file` allows. A
new layer of the net needs its lines here; a test holds both equal to 1e-5.
"""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from torch import Tensor

from models.columns import Columns
from models.tabular_net.heads import Head, OneOfMany, Quantiles, YesOrNo
from models.tabular_net.net import Block, Net, NumericEmbedding
from models.tabular_net.onnx_file import METADATA_KEY, OUTPUT
from models.tabular_net.preprocess import Statistics

_OPSETS = {"": 20, "ai.onnx.ml": 4}
# What onnxruntime reads since 1.18.
_IR_VERSION = 10


class _Graph:
    """Nodes and constants in the making; each call gives the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        output = f"{operator}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(operator, list(inputs), [output], domain=domain, **attributes)
        )
        return output

    def constant(self, value: Tensor | npt.ArrayLike) -> str:
        array = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def float(self, value: float) -> str:
        return self.constant(np.float32(value))

    def axes(self, *axes: int) -> str:
        return self.constant(np.array(axes, np.int64))


def to_onnx(net: Net, head: Head, columns: Columns, statistics: Statistics) -> bytes:
    """The whole model as the bytes of an ONNX file, its columns in the metadata.

    Inputs: `numeric` float32 [batch, F], NaN for missing, and (if there are such columns)
    `categorical` string [batch, C], empty for missing. Output: `outputs` float32 [batch, O].
    """
    graph = _Graph()
    embedded = [_numeric(graph, net.numeric)]
    tables = zip(statistics.vocabularies, net.categorical.tables, strict=True)
    for position, (words, table_WD) in enumerate(tables):
        embedded.append(_category(graph, position, words, table_WD))
    raw_BKO = _members(graph, net, graph.node("Concat", *embedded, axis=1))
    _outputs(graph, head, raw_BKO)
    graph.nodes[-1].output[0] = OUTPUT
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "net",
            _inputs(columns),
            [_value(OUTPUT, net.last_bias_KO.shape[1])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid(name, version) for name, version in _OPSETS.items()],
        ir_version=_IR_VERSION,
        producer_name="millrace",
    )
    helper.set_model_props(model, {METADATA_KEY: json.dumps(asdict(columns))})
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _inputs(columns: Columns) -> list[onnx.ValueInfoProto]:
    numeric = _value("numeric", len(columns.numeric))
    if not columns.categorical:
        return [numeric]
    text = onnx.TensorProto.STRING
    return [numeric, _value("categorical", len(columns.categorical), kind=text)]


def _value(name: str, *sizes: int, kind: int = onnx.TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, ["batch", *sizes])


def _numeric(graph: _Graph, layer: NumericEmbedding) -> str:
    """`NumericEmbedding.forward`."""
    zero, one = graph.float(0), graph.float(1)
    missing = graph.node("Or", graph.node("IsNaN", "numeric"), graph.node("IsInf", "numeric"))
    known = graph.node("Where", missing, zero, "numeric")
    above = graph.node("Max", known, graph.constant(layer.first_F))
    inside = graph.node("Min", above, graph.constant(layer.last_F))
    last_axis = graph.axes(2)
    beyond = graph.node(
        "Sub", graph.node("Unsqueeze", inside, last_axis), graph.constant(layer.low_FT)
    )
    scaled = graph.node("Mul", beyond, graph.constant(layer.per_width_FT))
    missing = graph.node("Unsqueeze", missing, last_axis)
    parts = graph.node("Where", missing, zero, graph.node("Clip", scaled, zero, one))
    flag = graph.node("Cast", missing, to=onnx.TensorProto.FLOAT)
    parts = graph.node("Concat", parts, flag, axis=2)
    weight = graph.constant(layer.weight_FSD)
    embedded = graph.node("Einsum", parts, weight, equation="bfs,fsd->bfd")
    shifted = graph.node("Add", embedded, graph.constant(layer.bias_FD))
    return graph.node("Flatten", shifted, axis=1)


def _category(graph: _Graph, position: int, words: tuple[str, ...], table_WD: Tensor) -> str:
    """Text to code to vector; what is not among the words is code 0 (B20)."""
    index = graph.constant(np.int64(position))
    text = graph.node("Gather", "categorical", index, axis=1)
    # An encoder must know at least one word; with none of ours it maps some text to 0, as all else.
    codes = graph.node(
        "LabelEncoder",
        text,
        domain="ai.onnx.ml",
        keys_strings=list(words) or ["\0"],
        values_int64s=list(range(1, len(words) + 1)) or [0],
        default_int64=0,
    )
    return graph.node("Gather", graph.constant(table_WD), codes, axis=0)


def _members(graph: _Graph, net: Net, embedded: str) -> str:
    """From all embeddings to the members' raw numbers."""
    first = graph.node(
        "Gemm", embedded, graph.constant(net.first_EH), graph.constant(net.first_bias_H)
    )
    shared = graph.node("Unsqueeze", graph.node("Relu", first), graph.axes(1))
    x_BKH = graph.node("Mul", shared, graph.constant(net.sign_KH))
    for block in net.blocks:
        assert isinstance(block, Block)  # noqa: S101  torch types a module list loosely
        x_BKH = _block(graph, block, x_BKH)
    weight = graph.constant(net.last_KOH)
    summed = graph.node("Einsum", x_BKH, weight, equation="bkh,koh->bko")
    return graph.node("Add", summed, graph.constant(net.last_bias_KO))


def _outputs(graph: _Graph, head: Head, raw_BKO: str) -> str:
    """`Head.outputs`."""
    match head:
        case YesOrNo():
            return _mean(graph, graph.node("Sigmoid", raw_BKO))
        case OneOfMany():
            return _mean(graph, graph.node("Softmax", raw_BKO, axis=2))
        case Quantiles(centre=centre, scale=scale):
            mean = _mean(graph, _ordered(graph, raw_BKO))
            return graph.node(
                "Add", graph.node("Mul", mean, graph.float(scale)), graph.float(centre)
            )
    raise ValueError(f"{head} has no lines here")


def _mean(graph: _Graph, x_BKO: str) -> str:
    return graph.node("ReduceMean", x_BKO, graph.axes(1), keepdims=0)


def _ordered(graph: _Graph, raw_BKO: str) -> str:
    """Low, middle and high, from the middle and the two distances."""

    def one(place: int) -> str:
        return graph.node("Gather", raw_BKO, graph.constant(np.array([place])), axis=2)

    low, middle, high = one(0), one(1), one(2)
    low = graph.node("Sub", middle, graph.node("Softplus", low))
    high = graph.node("Add", middle, graph.node("Softplus", high))
    return graph.node("Concat", low, middle, high, axis=2)


def _block(graph: _Graph, block: Block, x_BKH: str) -> str:
    """`Block.forward`."""
    norm = block.norm
    normed = graph.node(
        "LayerNormalization",
        x_BKH,
        graph.constant(norm.weight),
        graph.constant(norm.bias),
        axis=-1,
        epsilon=norm.eps,
    )
    scaled = graph.node("Mul", normed, graph.constant(block.scale_KH))
    product = graph.node("MatMul", scaled, graph.constant(block.matrix_HH))
    step = graph.node("Add", product, graph.constant(block.bias_KH))
    return graph.node("Add", x_BKH, graph.node("Relu", step))
