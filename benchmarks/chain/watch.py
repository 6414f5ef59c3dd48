"""What a running Spark server does, sampled from outside: its jobs, and the CPU it has used."""

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import psutil

from pipelines.core.settings import Settings

# Spark's page remembers 200 jobs, and a stage starts at most some dozens a second.
EVERY_SECONDS = 1.0


@dataclass
class Watch:
    """Samples of one server, from `watching` on."""

    settings: Settings
    jobs: dict[int, float] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    def num_jobs(self, start: float, end: float) -> int:
        """The jobs submitted between two moments."""
        return sum(start <= at <= end for at in self.jobs.values())

    def cpu(self, start: float, end: float) -> float:
        """The server's CPU seconds between two moments, to a sample's distance."""
        return self._cpu_at(end) - self._cpu_at(start)

    def _cpu_at(self, moment: float) -> float:
        if not self.times:
            return 0.0
        return self.cpu_seconds[min(bisect_left(self.times, moment), len(self.times) - 1)]

    def sample(self) -> None:
        """One look; a server that is not up yet, or busy, is looked at the next time."""
        server = _server(self.settings)
        if server is None:
            return
        self.times.append(time.time())
        self.cpu_seconds.append(_cpu(server))
        self.jobs.update(_jobs(self.settings))


@contextmanager
def watching(settings: Settings) -> Iterator[Watch]:
    """Look at the platform's Spark server from beside, until the block ends."""
    watch, over = Watch(settings), threading.Event()

    def look() -> None:
        while not over.wait(EVERY_SECONDS):
            watch.sample()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()
        watch.sample()


def _server(settings: Settings) -> psutil.Process | None:
    """The JVM whose properties lie in this home."""
    mine = str(settings.home / "spark")
    for process in psutil.process_iter(["name", "cmdline"]):
        words = process.info["cmdline"] or []
        if process.info["name"] == "java" and any(mine in word for word in words):
            return process
    return None


def _cpu(server: psutil.Process) -> float:
    """Of the server and its Python workers, those that have ended too."""
    used = 0.0
    for process in (server, *server.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used += times.user + times.system + times.children_user + times.children_system
    return used


def _jobs(settings: Settings) -> dict[int, float]:
    """When each job that the server's page remembers was submitted."""
    pages = f"http://127.0.0.1:{settings.spark_ui_port}/api/v1/applications"
    try:
        [application] = httpx.get(pages, timeout=5).raise_for_status().json()
        found: list[dict[str, Any]] = (
            httpx.get(f"{pages}/{application['id']}/jobs", timeout=5).raise_for_status().json()
        )
    except (httpx.HTTPError, ValueError):
        return {}
    return {job["jobId"]: _moment(job["submissionTime"]) for job in found}


def _moment(said: str) -> float:
    """Such as 2026-11-26T10:00:00.123GMT."""
    return datetime.strptime(said, "%Y-%m-%dT%H:%M:%S.%fGMT").replace(tzinfo=UTC).timestamp()
