"""Learn a model from the interval's training set and register it as the challenger."""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core import cases
from pipelines.core.errors import CheckFailed, MillraceError
from pipelines.core.outcomes import Outcome, Trained
from pipelines.core.stage import Context
from pipelines.learning import registry, tables
from pipelines.learning.train import process, record
from pipelines.stores import delta, mlflow

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

    from models.job import Job
    from models.spec import ModelSpec

log = logging.getLogger(__name__)

PARTS = ("training", "validation", "evaluation")


def run(context: Context) -> Outcome[Trained]:
    """Learn as the model's family does; a killed attempt goes on where it was.

    Raises:
        CheckFailed: the published training set is another interval's.
        MillraceError: the data or the loss forbid a model; says which.
    """
    case, model = context.case, context.model
    proven = _training_set(context)
    table = case.table("gold", model.training_set)
    spec = cases.model(case.name, model)
    scratch = context.settings.scratch("training") / case.name / model.name
    scratch.mkdir(parents=True, exist_ok=True)
    whole = tables.written(context, model.split(context.interval.end).evaluation_from, scratch)
    digest = f"{delta.digest(context.spark, proven)} {whole.digest}".rstrip()
    fingerprint = _fingerprint(spec, digest)
    known = _trained_before(context, fingerprint)
    if known:
        log.info("version %d was trained from the same rows and settings", known.number)
        return Outcome(details=_details(known, reused=True))
    folder = scratch / fingerprint[:16]
    parts = _fetch(context, proven, folder, spec)
    job = _learned(context, _job(context, spec, folder, whole.files), parts)
    tags = {
        "interval": context.interval.key,
        "fingerprint": fingerprint,
        "cutoff": context.interval.end.isoformat(),
        "training_set": f"{table}@{context.reads[table]}",
        "data_digest": digest,
        "family": model.family,
        "task": model.task,
    }
    registered, evaluation = record.register(context, job, parts, tags)
    return Outcome(
        rows={name: rows.num_rows for name, rows in parts.items()},
        details=_details(registered, reused=False, evaluation=evaluation),
    )


def _training_set(context: Context) -> str:
    """The proven training set of the interval, as SQL names it."""
    name = context.model.training_set
    pin = context.published("gold", name)
    if pin is None or pin.interval != context.interval.key:
        raise CheckFailed(
            f"{context.case.table('gold', name)} is published for "
            f"{pin.interval if pin else 'nothing yet'}, not for {context.interval}; run assemble "
            f"and validate_training_set of {context.interval} first"
        )
    return context.read("gold", name)


def _fingerprint(spec: "ModelSpec", data_digest: str) -> str:
    """Equal for trainings that give equal models."""
    settings = json.dumps(spec.to_json(), sort_keys=True)
    return hashlib.sha256(f"{settings} {data_digest}".encode()).hexdigest()


def _trained_before(context: Context, fingerprint: str) -> mlflow.Version | None:
    """Of the same cutoff: a version says what it may not have seen."""
    found = registry.of(context.settings, context.case, context.model).versions()
    same = (version for version in found if version.fingerprint == fingerprint)
    return next((version for version in same if version.cutoff == context.interval.end), None)


def _details(
    version: mlflow.Version, *, reused: bool, evaluation: Mapping[str, Any] | None = None
) -> Trained:
    return Trained(**vars(version), reused=reused, evaluation=evaluation)


def _fetch(
    context: Context, proven: str, folder: Path, spec: "ModelSpec"
) -> Mapping[str, "pa.Table"]:
    """The parts as Arrow, in the order of their rows' keys; the first two as files as well."""
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    folder.mkdir(parents=True, exist_ok=True)
    row_key, label = context.model.row_key, context.model.label
    order = ", ".join(("known_at", *row_key))
    held = {*context.spark.sql(f"select * from {proven}").columns}
    units = (name for name in spec.task.unit if name in held)
    columns = (*spec.columns.inputs, label, *row_key, "known_at", "is_batch", *units)
    names = ", ".join(f"`{name}`" for name in dict.fromkeys(columns))
    parts = {}
    for part in PARTS:
        query = (
            f"select {names}, unix_date(to_date(known_at)) as day "
            f"from {proven} where part = '{part}' order by {order}"
        )
        parts[part] = context.spark.sql(query).toArrow()
        pq.write_table(parts[part], folder / f"{part}.parquet")
    return parts


def _job(context: Context, spec: "ModelSpec", folder: Path, whole: Mapping[str, Path]) -> "Job":
    from models.job import Job

    num_processes = context.model.num_processes
    return Job(
        spec=spec,
        label=context.model.label,
        tables={**whole, **{part: folder / f"{part}.parquet" for part in PARTS[:2]}},
        folder=folder,
        device=context.settings.device,
        num_processes=num_processes,
        num_threads=max(1, (os.cpu_count() or 1) // num_processes),
    )


def _learned(context: Context, job: "Job", parts: Mapping[str, "pa.Table"]) -> "Job":
    """Run the family's process, unless there is nothing that it could learn.

    Raises:
        MillraceError: it left no model, or there is nothing that could be learned.
    """
    from models import families
    from models.errors import ModelError

    name = f"{context.case.name}.{context.model.name}"
    task, label = job.spec.task, context.model.label
    try:
        labels = [task.encode(label, rows[label]) for rows in parts.values()]
        task.refuse_unlearnable(labels[0], labels[1:])
        family = families.find(job.spec.settings.family)
    except ModelError as error:
        raise MillraceError(f"training of {name}: {error}") from error
    process.run(family, job, name, context.model.hours_max)
    log.info("%s: %.0f s", family.name, job.result["facts"]["seconds"])
    return job
