"""The process by which a family learns: started, bounded, and what it leaves behind."""

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from pipelines.core.errors import MillraceError
from pipelines.core.settings import ROOT

if TYPE_CHECKING:
    from models.family import Family
    from models.job import Job

# Threads that wait spinning take the cores from other trainings: three beside each other on two
# cores took 78 s, waiting asleep 26; one alone takes 18 s instead of 17.
_WAITS_ASLEEP = {"OMP_WAIT_POLICY": "passive"}


def run(family: "Family", job: "Job", name: str, hours_max: float) -> None:
    """Learn; the process's words go to the log of the training.

    Raises:
        MillraceError: it left no model, or took too long.
    """
    path, words = job.folder / "job.json", job.folder / "train.log"
    job.write(path)
    with words.open("ab") as out:
        process = subprocess.Popen(
            family.command(path, num_processes=job.num_processes),
            cwd=ROOT,
            env={**os.environ, **_WAITS_ASLEEP, "OMP_NUM_THREADS": str(job.num_threads)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        failed = process.wait(hours_max * 3600)
    except subprocess.TimeoutExpired as late:
        raise MillraceError(
            f"training of {name} took longer than {hours_max:g} hours, its limit; raise "
            f"Model.hours_max, or learn less; see {words}"
        ) from late
    finally:
        _end(process)
    if failed:
        raise MillraceError(f"training of {name}: {_said(job.folder)}; see {words}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End what is still at work, and those that it started."""
    if process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def _said(folder: Path) -> str:
    failure = folder / "failure.json"
    return json.loads(failure.read_text())["message"] if failure.exists() else "no model"
