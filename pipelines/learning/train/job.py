"""Train the case's model on the interval's training set and register it as the challenger."""

import hashlib
import json
import logging
import os
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core import cases
from pipelines.core.errors import CheckFailed, MillraceError
from pipelines.core.outcomes import Outcome, Trained
from pipelines.core.settings import ROOT
from pipelines.core.stage import Context
from pipelines.learning.train import record
from pipelines.stores import delta, mlflow
from pipelines.use_cases.spec.training import TRAINING_SET

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

    from models.spec import ModelSpec
    from models.worker import Job

log = logging.getLogger(__name__)

PARTS = ("training", "validation", "evaluation")


def run(context: Context) -> Outcome[Trained]:
    """Train on as many processes as the case says; a killed attempt goes on where it was.

    Raises:
        CheckFailed: the published training set is another interval's.
        MillraceError: the data or the loss forbid a model; says which.
    """
    case = context.case
    proven = _training_set(context)
    table = case.table("gold", TRAINING_SET)
    spec = cases.model(case.name).MODEL
    digest = delta.digest(context.spark, proven)
    fingerprint = _fingerprint(spec, digest)
    known = _trained_before(context, fingerprint)
    if known:
        log.info("version %d was trained from the same rows and settings", known.number)
        return Outcome(details=_details(known, reused=True))
    folder = context.settings.scratch("training") / case.name / fingerprint[:16]
    parts = _fetch(context, proven, folder, spec)
    made = _trained(context, _job(context, spec, folder), {"data_digest": digest})
    tags = {
        "interval": context.interval.key,
        "fingerprint": fingerprint,
        "cutoff": context.interval.end.isoformat(),
        "training_set": f"{table}@{context.reads[table]}",
        "data_digest": digest,
    }
    registered, evaluated = record.register(context, made, parts["evaluation"], tags)
    return Outcome(
        rows={name: rows.num_rows for name, rows in parts.items()},
        details=_details(registered, reused=False, evaluation=asdict(evaluated)),
    )


def _training_set(context: Context) -> str:
    """The proven training set of the interval, as SQL names it."""
    pin = context.published("gold", TRAINING_SET)
    if pin is None or pin.interval != context.interval.key:
        raise CheckFailed(
            f"{context.case.table('gold', TRAINING_SET)} is published for "
            f"{pin.interval if pin else 'nothing yet'}, not for {context.interval}; run assemble "
            f"and validate_training_set of {context.interval} first"
        )
    return context.read("gold", TRAINING_SET)


def _fingerprint(spec: "ModelSpec", data_digest: str) -> str:
    """Equal for trainings that give equal models."""
    settings = json.dumps(spec.to_json(), sort_keys=True)
    return hashlib.sha256(f"{settings} {data_digest}".encode()).hexdigest()


def _trained_before(context: Context, fingerprint: str) -> mlflow.Version | None:
    """Of the same cutoff: a version says what it may not have seen."""
    client = mlflow.connect(context.settings)
    found = mlflow.versions(client, context.case.name)
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
    order = ", ".join(("known_at", *context.training.row_key))
    others = (spec.columns.label, *context.training.row_key, "known_at", "is_batch")
    columns = dict.fromkeys((*spec.columns.inputs, *others))
    names = ", ".join(f"`{name}`" for name in columns)
    parts = {}
    for part in PARTS:
        query = f"select {names} from {proven} where part = '{part}' order by {order}"
        parts[part] = context.spark.sql(query).toArrow()
        pq.write_table(parts[part], folder / f"{part}.parquet")
    return parts


def _job(context: Context, spec: "ModelSpec", folder: Path) -> "Job":
    from models.worker import Job

    training, validation = (folder / f"{part}.parquet" for part in PARTS[:2])
    return Job(
        spec=spec,
        training=training,
        validation=validation,
        folder=folder,
        device=context.settings.device,
    )


def _trained(context: Context, job: "Job", facts: Mapping[str, Any]) -> record.Trained:
    """Run the ranks; their words go to the log of the training.

    Raises:
        MillraceError: they left no model.
    """
    from models import worker

    path, words = job.folder / "job.json", job.folder / "train.log"
    job.write(path)
    command = worker.command(path, num_ranks=context.training.num_ranks)
    threads = max(1, (os.cpu_count() or 1) // context.training.num_ranks)
    with words.open("ab") as out:
        ended = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    failure = job.folder / "failure.json"
    if ended.returncode:
        said = json.loads(failure.read_text())["message"] if failure.exists() else "no model"
        raise MillraceError(f"training of {context.case.name}: {said}; see {words}")
    result = json.loads((job.folder / "result.json").read_text())
    log.info(
        "%d ranks, %.0f s, best epoch %d",
        result["num_ranks"],
        result["seconds"],
        result["best_epoch"],
    )
    return record.Trained(job=job, result={**result, **facts})
