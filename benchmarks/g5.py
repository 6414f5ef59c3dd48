"""G5: the point-in-time join, beside Feast's own paths and DuckDB without a feature store.

200,000 rows to a million states of ten features, all contestants in turn; two million rows to ten
million states, ours and raw DuckDB. Every answer is compared with one that no engine made.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.harness import append, circumstances, contest, publish
from benchmarks.joins import tables
from pipelines.core.settings import ROOT

PAIRS = 5
SIZES = {"200 k to 1 M": (200_000, 1_000_000), "2 M to 10 M": (2_000_000, 10_000_000)}
FEAST = ("feast_dask", "feast_duckdb", "feast_spark")
ENTRANTS = {"200 k to 1 M": ("ours", "raw_duckdb", *FEAST), "2 M to 10 M": ("ours", "raw_duckdb")}
# At most this share of the peer's time: a tenth of Feast's, half more than a bare join.
TARGET = {**dict.fromkeys(FEAST, 0.1), "raw_duckdb": 1.5}
PEERS = Path(__file__).parent / "peers"
PACKAGES = ("feast", "duckdb", "pyarrow", "deltalake", "pyspark", "dask")


@dataclass
class Entrant:
    """What one contestant did: seconds, rows, and whether each answer was right."""

    seconds: list[float] = field(default_factory=list)
    rows: set[int] = field(default_factory=set)
    right: set[bool] = field(default_factory=set)

    @property
    def median(self) -> float:
        return median(self.seconds)


def main() -> None:
    """Both sizes; the table and a row of results each."""
    load, lines = os.getloadavg()[0], list[str]()
    pythons = {"feast_duckdb": peer("feast_duckdb")}
    for size, (num_rows, num_states) in SIZES.items():
        with tempfile.TemporaryDirectory(prefix="g5-") as folder:
            tables.make(Path(folder), num_rows, num_states)
            found = compete(Path(folder), ENTRANTS[size], pythons)
        lines += [*_table(size, num_rows, found), ""]
        append("g5", {**_row(size, num_rows, found), "load": load})
    publish("g5", [f"Load before: {load:.2f}.", "", *lines[:-1]])


def compete(
    folder: Path, names: Sequence[str], pythons: Mapping[str, str]
) -> Mapping[str, Entrant]:
    """Five rounds in turn, a process each."""
    right, found = tables.expected(folder), {name: Entrant() for name in names}
    for _ in range(PAIRS):
        for name, entrant in found.items():
            python = pythons.get(name, sys.executable)
            said = contest("benchmarks.joins.contestants", name, str(folder), python=python)
            entrant.seconds.append(said["seconds"])
            entrant.rows.add(said["rows"])
            entrant.right.add(said["digest"] == right)
            print(f"{name:<14}{said['seconds']:8.2f} s  {said['rows']:,} rows", flush=True)
    return found


def peer(name: str) -> str:
    """The Python of a peer's own environment, made of its lock at the first use."""
    lock, folder = PEERS / f"{name}.lock", PEERS / name
    python, uv = folder / "bin" / "python", str(ROOT / ".uv" / "bin" / "uv")
    if not python.exists():
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
    sync = [uv, "pip", "sync", "-q", "--require-hashes", "--python", str(python), str(lock)]
    subprocess.run(sync, check=True)
    return str(python)


def _ratios(found: Mapping[str, Entrant]) -> dict[str, float]:
    return {n: found["ours"].median / each.median for n, each in found.items() if n != "ours"}


def _row(size: str, num_rows: int, found: Mapping[str, Entrant]) -> dict[str, Any]:
    ratio = _ratios(found)
    ours = found["ours"]
    right = ours.right == {True} and ours.rows == {num_rows}
    return {
        "goal": f"g5, {size}",
        "ours": ours.seconds,
        "peers": {name: each.seconds for name, each in found.items() if name != "ours"},
        "ratio": ratio,
        "target": {name: TARGET[name] for name in ratio},
        "met": right and all(ratio[name] <= TARGET[name] for name in ratio),
        "equal_results": right,
        "peers_right": {name: each.right == {True} for name, each in found.items()},
        "peers_rows": {name: sorted(each.rows) for name, each in found.items()},
        "runs": PAIRS,
        **circumstances(PACKAGES),
    }


def _table(size: str, num_rows: int, found: Mapping[str, Entrant]) -> list[str]:
    ratio = _ratios(found)
    lines = [
        f"| {size} states | median s | worst s | ours / it | goal | rows of {num_rows:,} | right |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, each in found.items():
        compared = f"{ratio[name]:.3f} | {TARGET[name]}" if name in ratio else " | "
        rows = ", ".join(f"{rows:,}" for rows in sorted(each.rows))
        right = "yes" if each.right == {True} else "no"
        times = f"{each.median:.2f} | {max(each.seconds):.2f}"
        lines.append(f"| {name} | {times} | {compared} | {rows} | {right} |")
    return lines


if __name__ == "__main__":
    main()
