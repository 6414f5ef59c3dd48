"""Peers side by side: interleaved pairs, median and worst, one table and one JSON row a goal."""

import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines import services
from pipelines.core.settings import ROOT, Settings
from pipelines.core.version import code_version

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


@dataclass
class Timings:
    """The seconds of one contestant, run by run."""

    name: str
    seconds: list[float] = field(default_factory=list)

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> str:
        """Time a command as a whole process; the last line that it printed.

        Raises:
            RuntimeError: it failed; holds the end of what it wrote.
        """
        began = time.perf_counter()
        ended = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        self.seconds.append(time.perf_counter() - began)
        if ended.returncode:
            raise RuntimeError(f"{command} exited {ended.returncode}: {ended.stderr[-2000:]}")
        return ended.stdout.strip().splitlines()[-1]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def worst(self) -> float:
        return max(self.seconds)


def free_ports(*names: str) -> dict[str, int]:
    """A port of loopback that nobody listens on for each name, all of them different."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in names]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}


@contextmanager
def own_platform(**changes: Any) -> Iterator[tuple[Settings, Mapping[str, str]]]:
    """A home and ports of its own, so that a running platform is neither used nor stopped.

    Gives the settings, and the environment that hands them to child processes.
    """
    ports = free_ports("airflow_port", "mlflow_port", "spark_port", "spark_ui_port")
    # In the system's own folder for such: the path of a Unix socket has to be short.
    home = changes.get("home") or Path(tempfile.mkdtemp(prefix="mr-"))
    given = {**ports, **changes, "home": home}
    settings = Settings(**given)
    try:
        yield settings, settings.environment()
    finally:
        services.clean(settings)


def report(
    goal: str,
    ours: Timings,
    peers: Sequence[Timings],
    target: Mapping[str, float],
    equal_results: bool,
    packages: Sequence[str],
) -> bool:
    """Print the table, append the row to `results/<goal>.jsonl`; whether every target was met.

    `target` says, per peer, the largest share of the peer's median time that ours may take.
    """
    ratio = {peer.name: ours.median / peer.median for peer in peers}
    met = equal_results and all(ratio[name] <= limit for name, limit in target.items())
    print(f"{goal:<24}{'median s':>10}{'worst s':>10}{'ours/peer':>11}{'goal':>8}")
    print(f"{ours.name:<24}{ours.median:>10.2f}{ours.worst:>10.2f}")
    for peer in peers:
        print(
            f"{peer.name:<24}{peer.median:>10.2f}{peer.worst:>10.2f}"
            f"{ratio[peer.name]:>11.3f}{target.get(peer.name, float('nan')):>8.3f}"
        )
    print(f"results equal: {equal_results}; goal met: {met}")
    append(
        goal,
        {
            "goal": goal,
            "ours": ours.seconds,
            "peers": {peer.name: peer.seconds for peer in peers},
            "ratio": ratio,
            "target": dict(target),
            "met": met,
            "equal_results": equal_results,
            "runs": len(ours.seconds),
            **circumstances(packages),
        },
    )
    return met


def circumstances(packages: Sequence[str]) -> dict[str, Any]:
    """What a figure was measured on."""
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": os.getloadavg()[0],
        "commit": code_version(),
        "versions": {name: version(name) for name in packages} | {"python": sys.version.split()[0]},
    }


def contest(module: str, name: str, *words: str, python: str = sys.executable) -> dict[str, Any]:
    """What a contestant says when it is done, in a process of its own: its last line, JSON."""
    # A stock session is no client of a server.
    theirs = {k: v for k, v in os.environ.items() if not k.startswith("SPARK_")}
    ended = subprocess.run(
        [python, "-m", module, name, *words],
        cwd=ROOT,
        env={**theirs, "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise RuntimeError(f"{name} exited {ended.returncode}: {ended.stderr[-3000:]}")
    said: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    return said


def publish(goal: str, lines: Sequence[str], page: Path = PAGE) -> None:
    """Print a goal's table, and put it between its marks in a page of `docs`."""
    table = "\n".join(lines)
    print(table)
    begin, end = f"<!-- {goal} -->", f"<!-- /{goal} -->"
    before, _, rest = page.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise RuntimeError(f"{page.name} has no place for {goal}: write {begin} and {end} into it")
    page.write_text(f"{before}{begin}\n{table}\n{end}{after}")


def append(goal: str, row: Mapping[str, Any]) -> None:
    """Add a row to `results/<goal>.jsonl`."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{goal}.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
