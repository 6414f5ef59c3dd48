"""The process that learns a toy: `python -m tests.model.toys.worker JOB.json`."""

import sys
from importlib import import_module

from models.job import Job, main
from tests.model import toys


def run(job: Job) -> None:
    """As the family's own module says."""
    job.artifact.mkdir(parents=True, exist_ok=True)
    import_module(toys.PACKAGES[job.spec.settings.family]).learn(job)
    job.finish({"history": [], "facts": {"num_processes": 1}})


if __name__ == "__main__":
    toys.register()
    sys.exit(main(run))
