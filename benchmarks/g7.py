"""G7: online reads, beside Feast's client and Feast's server, of one row and of a hundred.

A service of three views with ten features each, read by one call. The stores are filled once, then
asked in turn, each by a process of its own; Feast's server runs beside, on its SQLite store.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from socket import create_connection
from statistics import median
from typing import Any

import numpy as np
import yaml

from benchmarks.g6 import servers
from benchmarks.harness import append, circumstances, contest, free_ports, publish
from benchmarks.online import ask, tables
from benchmarks.online.stores import settings, store

ROUNDS = 7
NUM_ENTITIES = 10_000
SERVED = "feast_sqlite"  # the store behind Feast's server
# At most this share of the peer's p99: of its client for a row, and for a hundred; of its server.
TARGET = {"feast": {1: 1 / 4, 100: 1 / 15}, "server": {1: 1 / 2, 100: 1 / 2}}
PACKAGES = ("feast", "msgspec", "redis", "fastapi", "uvicorn", "gunicorn")


@dataclass
class Entrant:
    """What one contestant did: milliseconds of each answer, round by round, by rows asked."""

    rounds: dict[int, list[list[float]]] = field(default_factory=dict)
    right: set[bool] = field(default_factory=set)

    def p50(self, num_rows: int) -> float:
        return median(float(np.percentile(each, 50)) for each in self.rounds[num_rows])

    def p99(self, num_rows: int) -> float:
        """The median of the rounds' p99s."""
        return median(self.p99s(num_rows))

    def p99s(self, num_rows: int) -> list[float]:
        return [float(np.percentile(each, 99)) for each in self.rounds[num_rows]]


def main(num_entities: int = NUM_ENTITIES, rounds: int = ROUNDS, shown: bool = True) -> None:
    """Fill the stores, ask them in turn; `shown` writes docs and results."""
    load = os.getloadavg()[0]
    with servers() as (redis, names), tempfile.TemporaryDirectory(prefix="g7-") as made:
        folder, stores = Path(made), [name for name in names if not name.endswith("tuned")]
        _fill(folder, stores, redis, num_entities)
        with feast_server(folder) as port:
            entrants = [*stores, f"server_{SERVED.split('_')[1]}"]
            found = compete(folder, entrants, [redis, str(num_entities), str(port)], rounds)
    lines = [f"Load before: {load:.2f}.", "", *_table(found)]
    if not shown:
        print("\n".join(lines))
        return
    publish("g7", lines)
    append("g7", {**_row(found), "load": load})


def _fill(folder: Path, names: Sequence[str], redis: str, num_entities: int) -> None:
    for view in ask.VIEWS:
        tables.make(folder, view, num_entities)
    for name in names:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            store(name, folder, redis, ask.VIEWS).materialize(tables.END - tables.TTL, tables.END)
        print(f"{name} is filled", flush=True)


@contextmanager
def feast_server(folder: Path) -> Iterator[int]:
    """`feast serve` over the stock store, as its docs start it, without a log of each call."""
    place, port = folder / "served", free_ports("server")["server"]
    place.mkdir()
    words = yaml.safe_dump(settings(SERVED, folder, ""))
    (place / "feature_store.yaml").write_text(words)
    command = [str(Path(sys.executable).parent / "feast"), "-c", str(place), "serve"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        try:
            _wait_for(process, port)
            yield port
        finally:
            process.terminate()


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), closing(create_connection(("127.0.0.1", port), timeout=1)):
            return
        time.sleep(0.2)
    raise RuntimeError("Feast's server did not start")


def compete(
    folder: Path, names: Sequence[str], words: Sequence[str], rounds: int
) -> dict[str, Entrant]:
    """Rounds in turn, a process each."""
    right = ask.right(folder, int(words[1]))
    found = {name: Entrant() for name in names}
    for _ in range(rounds):
        for name, entrant in found.items():
            said = contest("benchmarks.online.ask", name, str(folder), *words)
            entrant.right.add(said["digest"] == right)
            for num_rows in ask.QUESTIONS:
                entrant.rounds.setdefault(num_rows, []).append(said["milliseconds"][str(num_rows)])
            shown = ", ".join(f"{rows}: {entrant.p99s(rows)[-1]:.3f} ms" for rows in entrant.rounds)
            print(f"{name:<16} p99 of {shown}", flush=True)
    return found


def _ratio(found: Mapping[str, Entrant], name: str, num_rows: int) -> float:
    """Of ours, on the same kind of store, to a peer's."""
    ours = found[f"ours_{name.split('_')[1]}"]
    return ours.p99(num_rows) / found[name].p99(num_rows)


def _goals(found: Mapping[str, Entrant]) -> dict[str, tuple[float, float]]:
    """Of each peer and number of rows: the ratio, and the largest that is allowed."""
    return {
        f"{name}, {rows}": (_ratio(found, name, rows), TARGET[name.split("_")[0]][rows])
        for name in found
        if not name.startswith("ours")
        for rows in ask.QUESTIONS
    }


def _row(found: Mapping[str, Entrant]) -> dict[str, Any]:
    goals = _goals(found)
    right = all(each.right == {True} for each in found.values())
    p99s = {
        f"{name}, {rows}": each.p99s(rows) for name, each in found.items() for rows in each.rounds
    }
    return {
        "goal": "g7",
        "ours": {name: each for name, each in p99s.items() if name.startswith("ours")},
        "peers": {name: each for name, each in p99s.items() if not name.startswith("ours")},
        "ratio": {name: ratio for name, (ratio, _) in goals.items()},
        "target": {name: limit for name, (_, limit) in goals.items()},
        "met": right and all(ratio <= limit for ratio, limit in goals.values()),
        "equal_results": right,
        "runs": len(next(iter(p99s.values()))),
        **circumstances(PACKAGES),
    }


def _table(found: Mapping[str, Entrant]) -> list[str]:
    goals = _goals(found)
    lines = [
        "| rows | from | p50 ms | p99 ms | worst p99 ms | ours / it | goal | right |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for rows in ask.QUESTIONS:
        for name, each in found.items():
            ratio, limit = goals.get(f"{name}, {rows}", (None, None))
            compared = f"{ratio:.3f} | {limit:.3f}" if ratio and limit else " | "
            times = f"{each.p50(rows):.3f} | {each.p99(rows):.3f} | {max(each.p99s(rows)):.3f}"
            right = "yes" if each.right == {True} else "no"
            lines.append(f"| {rows} | {name} | {times} | {compared} | {right} |")
    return lines


if __name__ == "__main__":
    main()
