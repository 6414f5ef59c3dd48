"""What rank 0 leaves behind: the ONNX file, and what there is to say about it."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from models import metrics, onnx_export, scoring
from models.checkpoint import write_atomically, write_json
from models.data import Rows
from models.fit import SCORED_ROWS, Fitted
from models.preprocess import Statistics
from models.spec import ModelSpec


def write(
    folder: Path,
    spec: ModelSpec,
    statistics: Statistics,
    fitted: Fitted,
    validation: Rows,
    facts: Mapping[str, Any],
) -> None:
    """Write `model.onnx`, then `result.json` with its digest: a result always has its model."""
    model = onnx_export.to_onnx(fitted.net.cpu(), spec.columns, statistics)
    scoring.check(model)
    result = {
        "digest": scoring.digest(model),
        "best_epoch": fitted.best_epoch,
        "history": [asdict(epoch) for epoch in fitted.history],
        "validation": asdict(_evaluated(fitted, validation)),
        "uninformative_columns": _uninformative(spec, statistics),
        **facts,
    }
    write_atomically(folder / "model.onnx", model)
    write_json(folder / "result.json", result)
    # Left by an attempt that this one made good.
    (folder / "failure.json").unlink(missing_ok=True)


@torch.no_grad()
def _evaluated(fitted: Fitted, validation: Rows) -> metrics.Metrics:
    parts = zip(
        torch.split(validation.numeric_BF, SCORED_ROWS),
        torch.split(validation.codes_BC, SCORED_ROWS),
        strict=True,
    )
    probabilities = [fitted.net.probability(numeric_BF, codes_BC) for numeric_BF, codes_BC in parts]
    return metrics.evaluate(validation.label_B.numpy(), torch.cat(probabilities).numpy())


def _uninformative(spec: ModelSpec, statistics: Statistics) -> list[str]:
    """Number columns of at most one value in training: nothing can be learned from them (B21)."""
    flat = statistics.edges_FE[:, 0] == statistics.edges_FE[:, -1]
    return [name for name, is_flat in zip(spec.columns.numeric, flat, strict=True) if is_flat]
