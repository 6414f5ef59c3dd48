"""An ONNX file of ours: checked as bytes before anything opens it, then scored on Arrow tables.

Needs no torch: this is what batch prediction and serving import.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pyarrow as pa  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from models.columns import Columns, Floats, numeric_matrix, text_matrix
from models.errors import ModelRefused

# Our largest net so far is 2 MB; serving must not be filled by a file from elsewhere.
BYTES_MAX = 64 * 2**20
# Rows scored at once: bounds the memory of the bins at about 100 MB for 100 columns.
SCORED_ROWS = 8192
METADATA_KEY = "millrace.columns"

OPERATORS = frozenset(
    ("", name)
    for name in (
        "Add", "Cast", "Clip", "Concat", "Einsum", "Flatten", "Gather", "Gemm", "IsInf", "IsNaN",
        "LayerNormalization", "MatMul", "Max", "Min", "Mul", "Or", "ReduceMean", "ReduceSum",
        "Relu", "Sigmoid", "Sub", "Unsqueeze", "Where",
    )
) | {("ai.onnx.ml", "LabelEncoder")}  # fmt: skip

_SIZES: Mapping[int, int] = {onnx.TensorProto.FLOAT: 4, onnx.TensorProto.INT64: 8}


@dataclass(frozen=True)
class Model:
    """A checked model, ready to score; `columns` is what it was trained on, in order."""

    session: onnxruntime.InferenceSession
    columns: Columns
    digest: str

    def score(self, table: pa.Table) -> Floats:
        """Probabilities, float32 [B], in the order of the rows.

        Raises:
            DataRefused: a column of the model is absent or of the wrong kind.
        """
        parts = [self._score(part) for part in _parts(table)]
        return np.concatenate([np.empty(0, np.float32), *parts])

    def _score(self, table: pa.Table) -> Floats:
        inputs: dict[str, Any] = {"numeric": numeric_matrix(table, self.columns.numeric)}
        if self.columns.categorical:
            inputs["categorical"] = text_matrix(table, self.columns.categorical)
        (probability_B,) = self.session.run(["probability"], inputs)
        scored: Floats = probability_B
        return scored


def digest(content: bytes) -> str:
    """The sha256 that is recorded at registration and compared at load (R15)."""
    return hashlib.sha256(content).hexdigest()


def load(content: bytes, expected_digest: str, *, num_threads: int = 1) -> Model:
    """Open a model whose bytes are those that were registered.

    Raises:
        ModelRefused: another digest, or not a model of our shape; no session was made.
    """
    found = digest(content)
    if found != expected_digest:
        raise ModelRefused(
            f"the model file has sha256 {found}, registered was {expected_digest}; "
            "it was changed or replaced: restore it, or roll back to an earlier version"
        )
    columns = check(content)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return Model(session, columns, found)


def check(content: bytes) -> Columns:
    """Refuse what is not a model of our shape, without opening it (B24, B25); return its columns.

    Allowed is only what `onnx_export` writes: its operators, plain tensors inside the file whose
    bytes match their shape, no subgraphs, no functions, nothing outside the file.

    Raises:
        ModelRefused: says what was found.
    """
    _require(len(content) <= BYTES_MAX, f"{len(content)} bytes, above {BYTES_MAX}")
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
    return _columns(model)


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
        columns = Columns(**json.loads(metadata[METADATA_KEY]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelRefused(f"the model file has no readable {METADATA_KEY!r} metadata") from error
    inputs = {value.name: _shape(value) for value in model.graph.input}
    expected = {"numeric": (onnx.TensorProto.FLOAT, len(columns.numeric))}
    if columns.categorical:
        expected["categorical"] = (onnx.TensorProto.STRING, len(columns.categorical))
    _require(inputs == expected, f"inputs {inputs} where its columns say {expected}")
    outputs = [value.name for value in model.graph.output]
    _require(outputs == ["probability"], f"outputs {outputs}")
    return columns


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
