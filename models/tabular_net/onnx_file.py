"""An ONNX file of ours: checked as bytes before anything opens it, then scored on Arrow tables."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pyarrow as pa  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from models.columns import Columns, Floats, numeric_matrix, text_matrix
from models.errors import ModelRefused
from models.family import NOTHING, Scorer
from models.tasks import Task

# Rows scored at once: bounds the memory of the bins at about 100 MB for 100 columns.
SCORED_ROWS = 8192
METADATA_KEY = "millrace.columns"
OUTPUT = "outputs"

_PROVIDERS = {
    "cpu": ["CPUExecutionProvider"],
    "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"],
}

OPERATORS = frozenset(
    ("", name)
    for name in (
        "Add", "Cast", "Clip", "Concat", "Einsum", "Flatten", "Gather", "Gemm", "IsInf", "IsNaN",
        "LayerNormalization", "MatMul", "Max", "Min", "Mul", "Or", "ReduceMean", "ReduceSum",
        "Relu", "Sigmoid", "Softmax", "Softplus", "Sub", "Unsqueeze", "Where",
    )
) | {("ai.onnx.ml", "LabelEncoder")}  # fmt: skip

_SIZES: Mapping[int, int] = {onnx.TensorProto.FLOAT: 4, onnx.TensorProto.INT64: 8}


class Net(Scorer):
    """A checked file, ready to be asked."""

    def __init__(self, session: onnxruntime.InferenceSession, columns: Columns, task: Task) -> None:
        self.asked, self.answer = columns.schema, task.answer
        self._session, self._columns, self._task = session, columns, task

    def score(self, table: pa.Table, options: Mapping[str, Any] = NOTHING) -> pa.Table:  # noqa: ARG002
        parts = [self._outputs(part) for part in _parts(table)]
        none = np.empty((0, self._task.num_outputs), np.float32)
        return self._task.answered(np.concatenate([none, *parts]))

    def _outputs(self, table: pa.Table) -> Floats:
        inputs: dict[str, Any] = {"numeric": numeric_matrix(table, self._columns.numeric)}
        if self._columns.categorical:
            inputs["categorical"] = text_matrix(table, self._columns.categorical)
        (found,) = self._session.run(None, inputs)
        outputs: Floats = found.reshape(table.num_rows, -1)
        return outputs


def load(
    content: bytes, columns: Columns, task: Task, *, num_threads: int = 1, device: str = "cpu"
) -> Net:
    """Open a file of ours.

    Raises:
        ModelRefused: it is not of our shape, or of other columns or another task than it is said
            to be; no session was made.
    """
    found, num_outputs = check(content)
    _require(found == columns.single, f"the columns {found.inputs}, not {columns.inputs}")
    _require(num_outputs == task.num_outputs, f"{num_outputs} outputs, not {task.num_outputs}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    session = onnxruntime.InferenceSession(content, options, providers=_PROVIDERS[device])
    return Net(session, columns, task)


def check(content: bytes) -> tuple[Columns, int]:
    """Refuse what is not a model of our shape, without opening it (B24, B25).

    Allowed is only what `onnx_export` writes: its operators, plain tensors inside the file whose
    bytes match their shape, no subgraphs, no functions, nothing outside the file.

    Returns:
        Its columns, and how many numbers an answer has.

    Raises:
        ModelRefused: says what was found.
    """
    try:
        model = onnx.ModelProto.FromString(content)
    except DecodeError as error:
        raise ModelRefused("the model file is no ONNX; register the model.onnx of train") from error
    graph = model.graph
    _require(not model.functions and not model.training_info, "functions or training graphs")
    _require(not graph.sparse_initializer, "sparse initializers")
    for node in graph.node:
        _require((node.domain, node.op_type) in OPERATORS, f"{node.domain}:{node.op_type}")
        for attribute in node.attribute:
            nested = attribute.HasField("g") or attribute.graphs or attribute.HasField("t")
            _require(not nested and not attribute.tensors, f"a graph or tensor in {node.op_type}")
    for tensor in graph.initializer:
        _check_tensor(tensor)
    return _columns(model), _num_outputs(model)


def _check_tensor(tensor: onnx.TensorProto) -> None:
    outside = tensor.data_location != onnx.TensorProto.DEFAULT or tensor.external_data
    _require(not outside, f"external data in {tensor.name!r}")
    _require(tensor.data_type in _SIZES, f"element type {tensor.data_type} in {tensor.name!r}")
    _require(all(size >= 0 for size in tensor.dims), f"a negative size in {tensor.name!r}")
    expected = math.prod(tensor.dims) * _SIZES[tensor.data_type]
    _require(
        len(tensor.raw_data) == expected,
        f"{len(tensor.raw_data)} bytes in {tensor.name!r} where its shape says {expected}",
    )


def _columns(model: onnx.ModelProto) -> Columns:
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    try:
        said = json.loads(metadata[METADATA_KEY])
        # Earlier files name the label, too.
        columns = Columns(numeric=said["numeric"], categorical=said["categorical"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelRefused(f"the model file has no readable {METADATA_KEY!r} metadata") from error
    inputs = {value.name: _shape(value) for value in model.graph.input}
    expected = {"numeric": (onnx.TensorProto.FLOAT, len(columns.numeric))}
    if columns.categorical:
        expected["categorical"] = (onnx.TensorProto.STRING, len(columns.categorical))
    _require(inputs == expected, f"inputs {inputs} where its columns say {expected}")
    return columns


def _num_outputs(model: onnx.ModelProto) -> int:
    """Of earlier files one, the probability, in a vector."""
    outputs = [value.name for value in model.graph.output]
    _require(outputs in ([OUTPUT], ["probability"]), f"outputs {outputs}")
    shape = model.graph.output[0].type.tensor_type.shape.dim
    return shape[1].dim_value if outputs == [OUTPUT] and len(shape) == 2 else 1  # noqa: PLR2004


def _shape(value: onnx.ValueInfoProto) -> tuple[int, int]:
    kind = value.type.tensor_type
    return kind.elem_type, kind.shape.dim[-1].dim_value if kind.shape.dim else 0


def _require(holds: bool, found: str) -> None:
    if not holds:
        raise ModelRefused(
            f"the model file was not opened: it has {found}; register only what train wrote"
        )


def _parts(table: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, SCORED_ROWS):
        yield table.slice(start, SCORED_ROWS)
