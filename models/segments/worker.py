"""The process that learns a model a segment: `python -m models.segments.worker JOB.json`."""

import logging
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from models import members
from models.columns import text_column
from models.errors import DataRefused
from models.files import write_json
from models.job import Job, main
from models.segments import FALLBACK, SEGMENTS
from models.segments.settings import Segments

log = logging.getLogger(__name__)

Parts = Mapping[str, pa.Table]


def run(job: Job) -> None:
    """Learn the fallback on all rows, then a member on the rows of each value that has enough.

    Raises:
        ModelError: a member could not be learned.
    """
    began = time.monotonic()
    settings = job.spec.settings
    assert isinstance(settings, Segments)  # noqa: S101  the job's family is this one
    job.artifact.mkdir(parents=True, exist_ok=True)
    parts = {role: pq.read_table(path) for role, path in job.tables.items()}
    values = learnable(job, settings, parts)
    names = {value: f"segment_{place}" for place, value in enumerate(values)}
    digests = {
        members.place(FALLBACK): members.learn(job, FALLBACK, settings.member, job.tables),
        **{
            members.place(name): members.learn(
                job, name, settings.member, _written(job, name, settings.column, value, parts)
            )
            for value, name in names.items()
        },
    }
    write_json(job.artifact / SEGMENTS, {"column": settings.column, "members": names})
    log.info("%d segments have a model of their own", len(names))
    facts = {"segments": list(names), "seconds": round(time.monotonic() - began, 2)}
    job.finish({"history": [], "facts": facts, "members": digests})


def learnable(job: Job, settings: Segments, parts: Parts) -> list[str]:
    """The values with rows enough to learn from, some to stop by, and labels to be learned."""
    counts = pc.value_counts(text_column(parts["training"], settings.column)).to_pylist()
    often = sorted(each["values"] for each in counts if each["counts"] >= settings.num_rows_min)
    return [value for value in often if _can_learn(job, settings.column, value, parts)]


def _can_learn(job: Job, column: str, value: str, parts: Parts) -> bool:
    own = [_of(parts[role], column, value) for role in ("training", "validation")]
    training, validation = (job.spec.task.encode(job.label, each[job.label]) for each in own)
    try:
        job.spec.task.refuse_unlearnable(training, [validation])
    except DataRefused as refused:
        log.warning("%s %r has no model of its own: %s", column, value, refused)
        return False
    return len(validation) > 0


def _of(table: pa.Table, column: str, value: str) -> pa.Table:
    return table.filter(pc.equal(text_column(table, column), value))


def _written(job: Job, name: str, column: str, value: str, parts: Parts) -> Mapping[str, Path]:
    """The rows of one segment as files of its own."""
    folder = job.folder / members.FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    paths = {role: folder / f"{role}.parquet" for role in parts}
    for role, path in paths.items():
        pq.write_table(_of(parts[role], column, value), path)
    return paths


if __name__ == "__main__":
    sys.exit(main(run))
