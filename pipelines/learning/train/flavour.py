"""A model as MLflow knows it: for others, who load and serve it without Millrace.

MLflow's folder holds our artifact as it is, and beside it the part of `models/` that opens it. The
platform itself fetches the artifact alone, and runs nothing of this folder.
"""

import re
import warnings
from collections.abc import Collection
from importlib.metadata import packages_distributions, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pipelines.core.settings import ROOT

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]
    from mlflow.models import ModelSignature

    from models.artifact import Model

# Of our own name, since many projects have a package `models`.
PACKAGE = "millrace_models"
_OURS = re.compile(r'(^\s*(?:from|import) |")models(?=[. ])', re.MULTILINE)
_REQUIRES = ("numpy", "pyarrow", "pandas")


def write(folder: Path, artifact: Path, model: "Model") -> None:
    """Write MLflow's layout into a new folder."""
    with TemporaryDirectory(prefix="millrace-") as scratch, warnings.catch_warnings():
        # It warns of its own types, and that no example was given: rows of data stay in the lake.
        warnings.simplefilter("ignore", UserWarning)
        import mlflow.pyfunc

        code = _copied_code(Path(scratch) / PACKAGE)
        mlflow.pyfunc.save_model(
            folder,
            loader_module=f"{PACKAGE}.pyfunc",
            data_path=str(artifact),
            code_paths=[str(code)],
            signature=_signature(model),
            # Given, because MLflow would find them out by running the model for a minute.
            pip_requirements=_pinned({*_REQUIRES, *model.requires}),
        )


def _pinned(packages: Collection[str]) -> list[str]:
    """What is installed of packages as they are imported: faiss is of faiss-cpu."""
    distributions = packages_distributions()
    named = sorted(distributions.get(package, [package])[0] for package in packages)
    return [f"{name}=={version(name)}" for name in named]


def _copied_code(folder: Path) -> Path:
    """The package `models` without the cases' files, under our own name."""
    source = ROOT / "models"
    cases = {source / path.name for path in (ROOT / "pipelines" / "use_cases").glob("[!_]*.py")}
    for path in sorted({*source.rglob("*.py")} - cases):
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_OURS.sub(rf"\1{PACKAGE}", path.read_text()))
    return folder


def _signature(model: "Model") -> "ModelSignature":
    from mlflow.models import ModelSignature

    asked, answer = model.scorer.asked, model.task.answer
    return ModelSignature(inputs=_schema(asked, False), outputs=_schema(answer, True))


def _schema(schema: "pa.Schema", required: bool) -> Any:
    """By column names: any of the inputs may be missing in a row, none of an answer."""
    from mlflow.types import ColSpec, Schema

    return Schema([ColSpec(_type(field.type), field.name, required) for field in schema])


def _type(kind: "pa.DataType") -> Any:
    import pyarrow as pa
    from mlflow.types import DataType
    from mlflow.types.schema import Array, Map

    if pa.types.is_map(kind):
        return Map(_type(kind.item_type))
    if pa.types.is_timestamp(kind):
        return DataType.datetime
    if pa.types.is_list(kind):
        return Array(_type(kind.value_type))
    names = {pa.string(): "string", pa.float64(): "double", pa.float32(): "float"}
    names |= {pa.int32(): "integer", pa.int64(): "long", pa.bool_(): "boolean"}
    return DataType[names[kind]]
