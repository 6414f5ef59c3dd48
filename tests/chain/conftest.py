"""A made-up case on a platform of its own; its stages run in one process, as fast as they can."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine

from benchmarks.harness import own_platform
from pipelines.core import journal
from pipelines.core.settings import Settings
from tests import loans
from tests.chain import exports
from tests.loans import NAME, Loans
from tests.stages import DATA, PREDICTION, TRAINING, WATCH

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

# Retrain weekly, and at the second of two verdicts that say drift.
EDITS = {
    'cadence="nightly"': 'cadence="weekly"',
    "watch=Watch(": "watch=Watch(num_drifted=2, num_verdicts=2, drifted_share_max=0.95, ",
}
NOTHING_DUE = "NothingDue"


@dataclass(frozen=True)
class Answer:
    """What became of a stage; `log` is what it said meanwhile."""

    result: dict[str, Any]
    log: str

    @property
    def raised(self) -> str | None:
        return self.result.get("raised")

    @property
    def details(self) -> dict[str, Any]:
        found: dict[str, Any] = self.result["details"]
        return found


@dataclass(frozen=True)
class Driver:
    """The process in which the stages run."""

    process: "subprocess.Popen[str]"
    log: Path

    def ask(self, stage: str, key: str, case: str = NAME, model: str | None = None) -> Answer:
        """Run a stage of an interval; only "nothing due" may be raised."""
        begin = self.log.stat().st_size
        asked, answered = _pipes(self.process)
        asked.write(json.dumps([stage, case, key, model]) + "\n")
        asked.flush()
        line = answered.readline()
        said = self.log.read_bytes()[begin:].decode()
        assert line, said[-4000:]
        answer = Answer(json.loads(line), said)
        assert answer.raised in (None, NOTHING_DUE), f"{stage} of {key}: {answer.result}"
        return answer

    def chain(
        self, stages: Sequence[str], key: str, case: str = NAME, model: str | None = None
    ) -> list[Answer]:
        """The stages of a Dag: the first to which nothing is due ends it."""
        answers: list[Answer] = []
        for stage in stages:
            answers.append(self.ask(stage, key, case, model))
            if answers[-1].raised:
                break
        return answers

    def whole(
        self, stages: Sequence[str], key: str, case: str, model: str | None = None
    ) -> list[Answer]:
        """The stages of a Dag, each with something to do."""
        answers = self.chain(stages, key, case, model)
        assert [answer.raised for answer in answers] == [None] * len(stages), answers[-1].result
        return answers

    def night(self, key: str) -> int:
        """An interval through all Dags, as their events set one off by the other.

        Returns:
            how many models were trained.
        """
        built = self.chain(DATA, key)
        assert not built[-1].raised
        trained = _whole(self.chain(TRAINING, key), TRAINING)
        if _whole(self.chain(PREDICTION, key), PREDICTION) and _whole(
            self.chain(WATCH, key), WATCH
        ):
            trained += _whole(self.chain(TRAINING, key), TRAINING)
        return trained


def edit(project: Path, case: str, edits: Mapping[str, str]) -> None:
    """Change a case's file in a copy of the project, as a person would.

    Args:
        edits: what is replaced, and by what.
    """
    file = project / "pipelines" / "use_cases" / f"{case}.py"
    text = file.read_text()
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


def _whole(answers: list[Answer], stages: tuple[str, ...]) -> int:
    return int(len(answers) == len(stages) and not answers[-1].raised)


def _pipes(process: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    assert process.stdin
    assert process.stdout
    return process.stdin, process.stdout


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Loans:
    folder = tmp_path_factory.mktemp("own")
    return loans.make(folder, history=30, calm=1, drifted=3, edits=EDITS)


@pytest.fixture(scope="session")
def started(made: Loans) -> Iterator[tuple[Settings, dict[str, str]]]:
    """The servers that stages need, and the environment of what uses them."""
    with own_platform() as (settings, theirs):
        ours = {
            "PYTHONPATH": str(made.project),
            "MILLRACE_DATA_ROOTS": json.dumps([*map(str, (made.data, *exports.FOLDERS))]),
        }
        environment = {**os.environ, **theirs, **ours}
        start = [sys.executable, "-m", "pipelines", "start", "postgres", "spark", "mlflow"]
        subprocess.run(start, cwd=made.project, env=environment, check=True)
        yield settings, environment
        journal.engine.cache_clear()


@pytest.fixture(scope="session")
def driver(
    made: Loans,
    started: tuple[Settings, dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Driver]:
    log = tmp_path_factory.mktemp("chain") / "log.txt"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("driver.py"))],
            cwd=made.project,
            env=started[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        yield Driver(process, log)
        _pipes(process)[0].close()


@pytest.fixture(scope="session")
def engine(started: tuple[Settings, dict[str, str]]) -> Engine:
    return journal.engine(started[0])


@pytest.fixture(scope="session")
def session(started: tuple[Settings, dict[str, str]]) -> "Iterator[SparkSession]":
    """A reader of its own on the tables."""
    from pyspark.sql.connect.session import SparkSession

    created = SparkSession.builder.remote(started[0].spark_session()).create()
    yield created
    created.stop()
