"""What MLflow keeps of a training: parameters, metrics, plots, the model, its evaluation rows."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.stage import Context
from pipelines.core.version import code_version
from pipelines.learning.train import plots
from pipelines.stores import mlflow

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]
    from mlflow.models import ModelSignature

    from models.columns import Columns
    from models.metrics import Metrics
    from models.worker import Job


@dataclass(frozen=True)
class Trained:
    """A finished job and what it said of itself (`result.json`)."""

    job: "Job"
    result: Mapping[str, Any]

    @property
    def model(self) -> bytes:
        return (self.job.folder / "model.onnx").read_bytes()


def register(
    context: Context, made: Trained, evaluation: "pa.Table", tags: Mapping[str, str]
) -> tuple[mlflow.Version, "Metrics"]:
    """Score the evaluation rows, log everything to one MLflow run, and register its model."""
    from models import metrics, scoring
    from models.columns import label_vector

    columns = made.job.spec.columns
    label = label_vector(evaluation, columns.label)
    probability = scoring.load(made.model, made.result["digest"]).score(evaluation)
    evaluated = metrics.evaluate(label, probability)
    case, name = context.case.name, f"{context.interval.key} (attempt {context.attempt})"
    with (
        tempfile.TemporaryDirectory(prefix="millrace-") as scratch,
        mlflow.run(context.settings, case, name, {**tags, "code_version": code_version()}) as run,
    ):
        _log_numbers(made, evaluated)
        folder = Path(scratch)
        plots.write(folder / "plots", label, probability, made.result["history"])
        _write_model(folder / mlflow.MODEL, made, columns)
        _write_reference(folder / mlflow.REFERENCE, evaluation, columns, label, probability)
        client = mlflow.connect(context.settings)
        client.log_artifacts(run, scratch)
        tags = {**tags, "digest": made.result["digest"]}
        version = mlflow.register(client, case, run, f"runs:/{run}/{mlflow.MODEL}", tags)
    shutil.rmtree(made.job.folder / "checkpoints", ignore_errors=True)
    return version, evaluated


def _log_numbers(made: Trained, evaluated: "Metrics") -> None:
    import mlflow as library

    spec = made.job.spec.to_json()
    for part in ("preprocessing", "architecture", "optimisation"):
        library.log_params({f"{part}.{key}": value for key, value in spec[part].items()})
    library.log_params({key: made.result[key] for key in ("num_ranks", "num_training_rows")})
    for epoch, values in enumerate(made.result["history"], start=1):
        numbers = {f"epoch_{key}": value for key, value in values.items() if _is_number(value)}
        library.log_metrics(numbers, step=epoch)
    parts = {"validation": made.result["validation"], "evaluation": asdict(evaluated)}
    for part, values in parts.items():
        known = {f"{part}_{key}": value for key, value in values.items() if _is_number(value)}
        library.log_metrics(known)
    library.log_dict({"columns": asdict(made.job.spec.columns), **made.result}, "result.json")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _write_model(folder: Path, made: Trained, columns: "Columns") -> None:
    """MLflow's own layout with our bytes: the version's digest is of exactly this file."""
    import mlflow.onnx
    import onnx

    mlflow.onnx.save_model(
        onnx.load_from_string(made.model),
        folder,
        signature=_signature(columns),
        # Given, because MLflow would find them out by running the model for a minute.
        pip_requirements=["onnxruntime", "numpy"],
        save_as_external_data=False,
    )
    (folder / "model.onnx").write_bytes(made.model)


def _signature(columns: "Columns") -> "ModelSignature":
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    inputs: list[Any] = [TensorSpec(np.dtype(np.float32), (-1, len(columns.numeric)), "numeric")]
    if columns.categorical:
        shape = (-1, len(columns.categorical))
        inputs.append(TensorSpec(np.dtype(str), shape, "categorical"))
    output = TensorSpec(np.dtype(np.float32), (-1,), "probability")
    return ModelSignature(inputs=Schema(inputs), outputs=Schema([output]))


def _write_reference(
    path: Path, evaluation: "pa.Table", columns: "Columns", label: Any, probability: Any
) -> None:
    """The rows that predictions are compared with later: their inputs, label and probability.

    Those answered in batch, as predictions are; of a case that has none, all.
    """
    import pyarrow as pa
    import pyarrow.compute as pc  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    path.parent.mkdir(parents=True)
    table = evaluation.select(columns.inputs)
    table = table.append_column("label", pa.array(label.astype("int8")))
    table = table.append_column("probability", pa.array(probability))
    is_batch = evaluation["is_batch"]
    pq.write_table(table.filter(is_batch) if pc.any(is_batch).as_py() else table, path)
