"""Tells a lineage backend what stages do; never fails a stage, and never holds one up.

By default each month's events are the lines of one file under `<home>/lineage/`. Where the
client's own standard configuration names a backend (`OPENLINEAGE_URL`,
`OPENLINEAGE__TRANSPORT__...`, `OPENLINEAGE_CONFIG`, `OPENLINEAGE_DISABLED`), it goes there. What
can't be sent is a warning in the log.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import RunEvent, RunState
from openlineage.client.transport.file import FileConfig, FileTransport
from openlineage.client.transport.noop import NoopConfig, NoopTransport

from pipelines.core.errors import NothingDue
from pipelines.insight.lineage.events import StageRun, event

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlineage.client.event_v2 import InputDataset, OutputDataset

    # What a run read and wrote, asked when it has ended.
    Datasets = Callable[[], tuple[list[InputDataset], list[OutputDataset]]]

log = logging.getLogger(__name__)

# How long the end of a stage waits for a backend that does not answer.
PATIENCE_SECONDS = 2.0


def client(folder: Path) -> OpenLineageClient:
    """The client that the standard configuration asks for; where it asks for none, the file.

    Several stages append to one file at once: the client writes each event by one call.
    """
    configured = OpenLineageClient(transport=NoopTransport(NoopConfig())).config.transport
    if (configured or {}).get("type") or os.environ.get("OPENLINEAGE_URL"):
        return OpenLineageClient()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events-{datetime.now(UTC):%Y-%m}.jsonl"
    return OpenLineageClient(transport=FileTransport(FileConfig(str(path), append=True)))


class _Sender:
    """Sends from a thread of its own, so that an unreachable backend costs nobody time."""

    def __init__(self, folder: Path) -> None:
        self._events: Queue[RunEvent | None] = Queue()
        self._folder = folder
        self._thread = Thread(target=self._send, name="lineage", daemon=True)
        self._thread.start()

    def send(self, made: RunEvent) -> None:
        self._events.put(made)

    def finish(self) -> None:
        self._events.put(None)
        self._thread.join(PATIENCE_SECONDS)
        if self._thread.is_alive():
            log.warning("lineage: the backend did not take the events in %s s", PATIENCE_SECONDS)

    def _send(self) -> None:
        try:
            opened = client(self._folder)
            while made := self._events.get():
                with _unharmed():
                    opened.emit(made)
            opened.close(PATIENCE_SECONDS)
        except Exception as error:  # Whatever a backend does, stages go on.
            log.warning("lineage: events were not sent (%s)", _one_line(error))


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


@contextmanager
def reported(stage: StageRun, folder: Path, datasets: "Datasets") -> Iterator[None]:
    """START now; then COMPLETE, ABORT (nothing was due) or FAIL with its error.

    It encloses what writes the journal, so that `datasets` finds the run's row finished.
    """
    sender = _Sender(folder)
    with _unharmed():
        sender.send(event(stage, RunState.START, stage.started_at))
    try:
        yield
    except NothingDue as nothing:
        _end(sender, stage, RunState.ABORT, datasets, str(nothing))
        raise
    except BaseException as error:
        _end(sender, stage, RunState.FAIL, datasets, f"{type(error).__name__}: {error}"[:4000])
        raise
    _end(sender, stage, RunState.COMPLETE, datasets)


def _end(
    sender: _Sender,
    stage: StageRun,
    state: RunState,
    datasets: "Datasets",
    error: str | None = None,
) -> None:
    began = time.monotonic()
    with _unharmed():
        inputs: list[InputDataset] = []
        outputs: list[OutputDataset] = []
        with _unharmed():
            inputs, outputs = datasets()
        now = datetime.now(UTC)
        sender.send(event(stage, state, now, inputs=inputs, outputs=outputs, error=error))
    sender.finish()
    log.debug("lineage: sent in %.2f s", time.monotonic() - began)


@contextmanager
def _unharmed() -> Iterator[None]:
    """Whatever goes wrong in telling is a warning, never the stage's failure."""
    try:
        yield
    except Exception as error:
        log.warning("lineage: %s", _one_line(error))
