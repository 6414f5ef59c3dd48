"""What MLflow keeps of a training: settings, metrics, pictures, the model, its evaluation rows."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core import addresses
from pipelines.core.errors import MillraceError
from pipelines.core.stage import Context
from pipelines.core.version import code_version
from pipelines.learning import registry
from pipelines.learning.train import flavour, pictures
from pipelines.stores import mlflow

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

    from models.artifact import Model
    from models.job import Job
    from models.tasks.task import Evidence

# A curve of more points than this is drawn no better.
_POINTS = 100


def register(
    context: Context,
    job: "Job",
    parts: Mapping[str, "pa.Table"],
    tags: Mapping[str, str],
) -> tuple[mlflow.Version, Mapping[str, Any]]:
    """Seal what was learned, score it, log everything to one MLflow run, and register it.

    Returns:
        The version, and its scores on the evaluation rows.

    Raises:
        MillraceError: an answer to a row is none of the task.
    """
    digest = job.seal()
    model = _opened(job, digest)
    answers, evidence = _answered(context, model, parts["evaluation"])
    evaluation = model.task.scores(evidence)
    _, validated = _answered(context, model, parts["validation"])
    scores = {"validation": model.task.scores(validated), "evaluation": evaluation}
    name = addresses.registered(context.case.name, context.model.name)
    title = f"{context.interval.key} (attempt {context.attempt})"
    tags = {**tags, "digest": digest}
    with (
        tempfile.TemporaryDirectory(prefix="millrace-") as scratch,
        mlflow.run(context.settings, name, title, {**tags, "code_version": code_version()}) as run,
    ):
        _log_numbers(job, scores)
        folder, known = Path(scratch), registry.of(context.settings, context.case, context.model)
        drawn = model.task.pictures(evidence) if len(evidence) else {}
        pictures.write(folder / "plots", drawn, job.result["history"])
        flavour.write(folder / mlflow.MODEL, job.artifact, model)
        _write_reference(folder / mlflow.REFERENCE, context, model, parts["evaluation"], answers)
        known.client.log_artifacts(run, scratch)
        version = known.register(run, tags)
    shutil.rmtree(job.folder / "checkpoints", ignore_errors=True)
    return version, evaluation


def _opened(job: "Job", digest: str) -> "Model":
    from models import artifact
    from models.errors import ModelError

    try:
        return artifact.open_folder(job.artifact, digest, job.bases)
    except ModelError as error:
        raise MillraceError(f"what was learned can't be opened: {error}") from error


def _answered(context: Context, model: "Model", rows: "pa.Table") -> "tuple[pa.Table, Evidence]":
    from models.errors import ModelError
    from models.tasks.task import units_of

    label = context.model.label
    try:
        answers = model.score(rows)
        units = units_of(rows, model.task.unit)
        return answers, model.task.evidence(label, rows, answers, units)
    except ModelError as error:
        raise MillraceError(f"the model is not registered: {error}") from error


def _log_numbers(job: "Job", scores: Mapping[str, Mapping[str, Any]]) -> None:
    import mlflow as library

    settings = job.spec.to_json()["settings"]
    library.log_params(dict(_flat("", settings)))
    library.log_params({"num_processes": job.num_processes})
    history: Sequence[Mapping[str, Any]] = job.result["history"]
    every = -(-len(history) // _POINTS)
    for step, values in enumerate(history):
        if step % every == 0 or step == len(history) - 1:
            # Boosters learn one after the other: each has curves of its own.
            own = f"{values['booster']}_" if "booster" in values else ""
            numbers = {f"epoch_{own}{key}": n for key, n in values.items() if _is_number(n)}
            library.log_metrics(numbers, step=values["epoch"] + 1)
    for part, values in scores.items():
        library.log_metrics({f"{part}_{key}": n for key, n in values.items() if _is_number(n)})
    library.log_dict({"spec": job.spec.to_json(), **job.result}, "result.json")


def _flat(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Nested settings as `preprocessing.num_bins`."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _write_reference(
    path: Path, context: Context, model: "Model", evaluation: "pa.Table", answers: "pa.Table"
) -> None:
    """The rows that predictions are compared with later: inputs, label, answer, instant, unit.

    Those answered in batch, as predictions are; of a case that has none, all.
    """
    import pyarrow.compute as pc  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    from models.tasks.task import DAY

    path.parent.mkdir(parents=True)
    units = [name for name in model.task.unit if name != DAY]
    table = evaluation.select(list(dict.fromkeys([*model.columns.inputs, *units])))
    table = table.append_column("decided_at", evaluation["known_at"])
    table = table.append_column("label", evaluation[context.model.label])
    for field in answers.schema:
        table = table.append_column(field, answers[field.name])
    is_batch = evaluation["is_batch"]
    pq.write_table(table.filter(is_batch) if pc.any(is_batch).as_py() else table, path)
