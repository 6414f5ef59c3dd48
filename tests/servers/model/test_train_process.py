"""The process of a training is bounded, and nothing of it outlives its stage."""

import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from models.columns import Columns
from models.job import Job
from models.spec import ModelSpec
from models.tasks import Binary
from models.trees.settings import Trees
from pipelines.core.errors import MillraceError
from pipelines.learning.train import process

# A parent that starts a child, as torchrun does, and says who it is.
PARENT = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(600)
"""


@pytest.fixture
def asked(tmp_path: Path) -> Job:
    spec = ModelSpec(columns=Columns(numeric=("x",)), task=Binary(), settings=Trees())
    return Job(spec=spec, label="y", tables={}, folder=tmp_path)


def family(*words: str) -> Any:
    return SimpleNamespace(command=lambda *_, **__: [sys.executable, *words])


def test_one_that_takes_too_long_is_ended_with_all_that_it_started(asked: Job) -> None:
    pid = asked.folder / "pid"
    with pytest.raises(MillraceError, match=r"training of a.b took longer than 0.001 hours"):
        process.run(family("-c", PARENT, str(pid)), asked, "a.b", 0.001)
    deadline = time.monotonic() + 5
    while psutil.pid_exists(int(pid.read_text())) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = int(pid.read_text())
    assert not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE


def test_one_that_ends_without_a_model_is_told_by_its_own_line_or_its_log(asked: Job) -> None:
    with pytest.raises(MillraceError, match=r"training of a.b: no model; see .*train.log"):
        process.run(family("-c", "raise SystemExit(3)"), asked, "a.b", 1)
    (asked.folder / "failure.json").write_text('{"message": "the loss became nan"}')
    with pytest.raises(MillraceError, match=r"training of a.b: the loss became nan; see"):
        process.run(family("-c", "raise SystemExit(1)"), asked, "a.b", 1)
    process.run(family("-c", "print('learned')"), asked, "a.b", 1)
    assert "learned" in (asked.folder / "train.log").read_text()
