"""OpenLineage events: pairs, errors, a backend that is away, several processes at once."""

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from socket import socket
from threading import Thread
from typing import Any

import pytest
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState

from pipelines.core.errors import CheckFailed, NothingDue
from pipelines.core.registry import VALIDATE_RAW
from pipelines.core.settings import Settings
from pipelines.insight.lineage import emit, events
from pipelines.insight.lineage.events import StageRun
from pipelines.services import supervisor
from pipelines.use_cases.spec.interval import Interval
from tests.openlineage_events import parsed

STAGE = StageRun(
    namespace="millrace",
    case="toy",
    stage=VALIDATE_RAW,
    interval=Interval.parse("2026-11-20"),
    attempt=7,
    started_at=datetime(2026, 11, 21, 1, tzinfo=UTC),
    code_version="0.1.0",
    options={"forced": "True"},
    airflow_run="toy.build_features/manual__2026-11-21T01:00:00+00:00/validate_raw",
)


@pytest.fixture(autouse=True)
def _no_backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("OPENLINEAGE")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def datasets() -> tuple[list[InputDataset], list[OutputDataset]]:
    return [InputDataset("millrace", "bronze.toy_days")], []


def sent(folder: Path) -> list[dict[str, Any]]:
    lines = [line for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def test_a_run_is_a_pair_of_events_of_one_run(tmp_path: Path) -> None:
    with emit.reported(STAGE, tmp_path / "lineage", datasets):
        pass
    start, end = sent(tmp_path / "lineage")
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == end["run"]["runId"] == STAGE.run_id
    assert start["eventTime"] == "2026-11-21T01:00:00Z"
    assert end["job"]["name"] == "toy.validate_raw"
    assert "The raw layer" in end["job"]["facets"]["documentation"]["description"]
    assert [each["name"] for each in end["inputs"]] == ["bronze.toy_days"]
    facets = end["run"]["facets"]
    assert facets["nominalTime"]["nominalStartTime"] == "2026-11-20T00:00:00Z"
    assert facets["nominalTime"]["nominalEndTime"] == "2026-11-21T00:00:00Z"
    assert facets["parent"]["job"]["name"] == "toy.build_features.validate_raw"
    assert facets["parent"]["root"]["job"]["name"] == "toy.build_features"
    tags = {tag["key"]: tag["value"] for tag in facets["tags"]["tags"]}
    assert (tags["attempt"], tags["interval"], tags["forced"]) == ("7", "2026-11-20", "True")
    for values in (start, end):
        assert parsed(values).run.runId == STAGE.run_id


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (CheckFailed("7 rows are bad"), "FAIL", "CheckFailed: 7 rows are bad"),
        (KeyboardInterrupt(), "FAIL", "KeyboardInterrupt: "),
        (NothingDue("not tonight"), "ABORT", "not tonight"),
    ],
)
def test_a_run_that_fails_says_why(
    tmp_path: Path, error: BaseException, state: str, said: str
) -> None:
    with pytest.raises(type(error)), emit.reported(STAGE, tmp_path / "lineage", datasets):
        raise error
    assert sent(tmp_path / "lineage")[-1]["eventType"] == state
    message = sent(tmp_path / "lineage")[-1]["run"]["facets"]["errorMessage"]
    assert (message["message"], message["programmingLanguage"]) == (said, "PYTHON")


def test_the_run_of_a_range_has_a_slash_in_its_name() -> None:
    tasks = [f"toy.load_history/2026-01-01/2026-03-31/{task}" for task in ("extract", "ingest")]
    parents = [events._parent(task) for task in tasks]
    assert parents[0].job.name == "toy.load_history.extract"
    roots = [parent.root.run.runId for parent in parents if parent.root]
    assert roots[0] == roots[1]
    assert parents[0].run.runId != parents[1].run.runId


def test_two_attempts_are_two_runs() -> None:
    again = StageRun(**{**vars(STAGE), "attempt": 8})
    assert again.run_id != STAGE.run_id


def test_an_event_is_checked_by_the_specifications_classes() -> None:
    made = events.event(STAGE, RunState.START, STAGE.started_at)
    from openlineage.client.serde import Serde

    values = json.loads(Serde.to_json(made))
    with pytest.raises(ValueError, match="badly formed"):
        parsed({**values, "run": {**values["run"], "runId": "no uuid"}})
    with pytest.raises(ValueError, match="yest"):
        parsed({**values, "eventTime": "yesterday"})


def test_a_mistake_in_telling_is_a_warning_and_the_end_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> tuple[list[InputDataset], list[OutputDataset]]:
        raise RuntimeError("no such column")

    with caplog.at_level(logging.WARNING), emit.reported(STAGE, tmp_path / "lineage", broken):
        pass
    assert [each["eventType"] for each in sent(tmp_path / "lineage")] == ["START", "COMPLETE"]
    assert "no such column" in caplog.text


@contextmanager
def deaf() -> Iterator[str]:
    """A backend that takes connections and never answers."""
    with socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def away() -> Iterator[str]:
    """The address of nobody."""
    with socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("backend", [deaf, away])
def test_an_unreachable_backend_neither_fails_nor_holds_up_a_stage(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    backend: Any,
) -> None:
    monkeypatch.setattr(emit, "PATIENCE_SECONDS", 0.5)
    with backend() as url, caplog.at_level(logging.WARNING):
        monkeypatch.setenv("OPENLINEAGE_URL", url)
        began = time.monotonic()
        with emit.reported(STAGE, tmp_path / "lineage", datasets):
            assert time.monotonic() - began < 0.5
        assert time.monotonic() - began < 2
    assert "lineage: the backend did not take the events" in caplog.text
    assert not (tmp_path / "lineage").exists()


def test_a_backend_that_is_there_gets_the_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[str, dict[str, Any]]] = []

    class Backend(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.path, json.loads(body)))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Backend) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "http")
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("OPENLINEAGE__TRANSPORT__URL", url)
        with emit.reported(STAGE, tmp_path / "lineage", datasets):
            pass
        server.shutdown()
    assert [(path, event["eventType"]) for path, event in taken] == [
        ("/api/v1/lineage", "START"),
        ("/api/v1/lineage", "COMPLETE"),
    ]
    assert not (tmp_path / "lineage").exists()


RUN = "01a1ff62-947a-7f53-8d1f-46b97f10d9f7"


def _write(folder: Path, name: str, all_are_ready: Barrier) -> None:
    """Send 200 events, each longer than any buffer, once every writer is there."""
    sender = emit.client(folder)
    job = Job("millrace", name + "x" * 50_000)
    made = RunEvent(eventTime="2026-11-21T00:00:00Z", run=Run(RUN), job=job, producer="urn:x")
    all_are_ready.wait()
    for _ in range(200):
        sender.emit(made)


def test_lines_of_several_processes_stay_whole(tmp_path: Path) -> None:
    names, processes = "abcd", get_context("spawn")
    all_are_ready = processes.Barrier(len(names))
    writers = [
        processes.Process(target=_write, args=(tmp_path, name, all_are_ready)) for name in names
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * len(names)
    found = [event["job"]["name"][0] for event in sent(tmp_path)]
    assert sorted(found) == sorted(names * 200)
    assert [file.name for file in tmp_path.iterdir()] == [f"events-{datetime.now(UTC):%Y-%m}.jsonl"]


def test_child_processes_keep_the_clients_own_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {"OPENLINEAGE_URL": "http://x", "OPENLINEAGE__TRANSPORT__TYPE": "http"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    kept = supervisor.environment(Settings(home=tmp_path))
    assert {name: kept[name] for name in given} == given
