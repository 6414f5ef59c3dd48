"""The real Airflow on the real PostgreSQL; only the stages are a stub that does as it is told."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness import own_platform
from pipelines import services
from pipelines.cli import first_run
from pipelines.core.settings import Settings
from pipelines.stores import airflow
from pipelines.use_cases import find
from tests.stages import FLOWS

CASE = find("flight_delays")
NOTHING_DUE = 99
# As on most nights: nothing is to be trained, and nothing drifts.
QUIET = [
    {"stage": FLOWS["train_model"][0], "interval": "*", "exits": [NOTHING_DUE]},
    {"stage": FLOWS["watch_drift"][-1], "interval": "*", "exits": [NOTHING_DUE]},
]


@dataclass(frozen=True)
class Call:
    """A call of the stub; `ended` is the moment of its own end, None if it was killed."""

    stage: str
    model: str | None
    interval: str
    flags: list[str]
    task: str
    pid: int
    parent: int
    number: int
    began: float
    ended: float | None


@dataclass(frozen=True)
class Stub:
    """The stub's folder: what it is to do, and what it was asked."""

    folder: Path

    @property
    def command(self) -> tuple[str, ...]:
        return sys.executable, "-I", str(Path(__file__).with_name("stub.py")), str(self.folder)

    def rule(self, stage: str, interval: str, **does: list[float]) -> None:
        """Say how the calls of a stage for an interval end, before they are made."""
        file = self.folder / "rules.json"
        rules = json.loads(file.read_text()) if file.exists() else QUIET
        whole = file.with_suffix(".new")
        whole.write_text(json.dumps([{"stage": stage, "interval": interval, **does}, *rules]))
        whole.rename(file)

    def calls(self, *intervals: str, model: str = "late") -> list[Call]:
        """The calls for these intervals, in the order in which they began.

        Args:
            model: those of the other model of the case are left out.
        """
        file = self.folder / "calls.jsonl"
        lines = map(json.loads, file.read_text().splitlines() if file.exists() else [])
        mine = (note for note in lines if note["model"] in (None, model))
        notes = [note for note in mine if note["interval"] in intervals]
        ends = {_of(note): note["at"] for note in notes if "ended" in note}
        begins = [note for note in notes if "ended" not in note]
        return [_call(note, ends.get(_of(note))) for note in begins]

    def stages(self, *intervals: str) -> list[str]:
        return [call.stage for call in self.calls(*intervals)]


def _of(note: dict[str, Any]) -> tuple[str, str, int]:
    return note["stage"], note["interval"], note["number"]


def _call(note: dict[str, Any], ended: float | None) -> Call:
    names = ("stage", "model", "interval", "flags", "task", "pid", "parent", "number")
    return Call(**{name: note[name] for name in names}, began=note["at"], ended=ended)


@pytest.fixture(scope="session")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Stub:
    made = Stub(tmp_path_factory.mktemp("stub"))
    (made.folder / "rules.json").write_text(json.dumps(QUIET))
    return made


@pytest.fixture(scope="session")
def settings(stub: Stub) -> Iterator[Settings]:
    with own_platform(stage_command=stub.command) as (made, _):
        services.ensure(made, ["airflow"])
        yield made


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[airflow.Airflow]:
    """Logged in, and every Dag of the case unpaused."""
    with airflow.connect(settings) as connected:
        for dag in first_run.dags(CASE):
            connected.unpause(f"{CASE.name}.{dag}")
        yield connected
