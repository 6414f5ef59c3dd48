"""G6: materialization, entities a second, beside Feast's local engine into its own stores.

One view of ten features, one state an entity; each contestant fills an empty online store in a
process of its own, in turn. Feast's client then reads a thousand entities of it, which have to be
those of the table. Ours once more at two larger sizes: its memory must not grow.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from redis import Redis

from benchmarks.harness import append, circumstances, contest, publish
from benchmarks.online import tables
from benchmarks.online.materialize import VIEW, checked
from tests import debian_servers

ROUNDS = 5
NUM_ENTITIES = 100_000
# Below two million rows readahead, caches and sorting have not reached their limits yet.
LARGER = (2_000_000, 6_000_000)
SQLITE = ("ours_sqlite", "feast_sqlite", "feast_sqlite_tuned")
REDIS = ("ours_redis", "feast_redis", "feast_redis_tuned")
# How many times as many entities a second as Feast's.
TARGET = {"sqlite": 20.0, "redis": 10.0}
# Of the peak at the larger size to the one at the smaller: the same, but for the allocator.
MEMORY_TARGET = 1.1
PACKAGES = ("feast", "duckdb", "pyarrow", "deltalake", "msgspec", "redis")


@dataclass
class Entrant:
    """What one contestant did in each round."""

    seconds: list[float] = field(default_factory=list)
    peaks_mib: list[float] = field(default_factory=list)
    right: set[bool] = field(default_factory=set)

    @property
    def median(self) -> float:
        return median(self.seconds)


def main(
    num_entities: int = NUM_ENTITIES,
    larger: Sequence[int] = LARGER,
    rounds: int = ROUNDS,
    shown: bool = True,
) -> None:
    """All contestants, then ours at the larger sizes; `shown` writes docs and results."""
    load = os.getloadavg()[0]
    with servers() as (redis, names):
        found = compete(num_entities, dict.fromkeys(names, redis), rounds)
        ours = [name for name in names if name.startswith("ours")]
        sizes = {size: compete(size, dict.fromkeys(ours, redis), 1) for size in larger}
    lines = [f"Load before: {load:.2f}.", "", *_table(num_entities, found), "", *_memory(sizes)]
    if not shown:
        print("\n".join(lines))
        return
    publish("g6", lines)
    append("g6", {**_row(found, sizes), "load": load})


@contextmanager
def servers() -> Iterator[tuple[str, tuple[str, ...]]]:
    """A Redis of its own, and who can compete; without one nobody on Redis."""
    if shutil.which("redis-server"):
        with debian_servers.redis() as address:
            yield address, (*SQLITE, *REDIS)
    else:
        print("no redis-server: only SQLite is measured", flush=True)
        yield "none", SQLITE


def compete(num_entities: int, addresses: Mapping[str, str], rounds: int) -> dict[str, Entrant]:
    """Rounds in turn, each contestant into an empty store."""
    found = {name: Entrant() for name in addresses}
    with tempfile.TemporaryDirectory(prefix="g6-") as made:
        folder = Path(made)
        tables.make(folder, VIEW, num_entities)
        right = tables.digest(tables.expected(folder, VIEW, checked(num_entities)))
        for _ in range(rounds):
            for name, entrant in found.items():
                said = _fill(name, folder, addresses[name], num_entities)
                entrant.seconds.append(said["seconds"])
                entrant.peaks_mib.append(said["peak_mib"])
                entrant.right.add(said["digest"] == right)
                print(f"{name:<20}{num_entities:>10,}{said['seconds']:8.2f} s", flush=True)
    return found


def _fill(name: str, folder: Path, redis: str, num_entities: int) -> dict[str, Any]:
    for left in folder.glob(f"{name}*.db*"):
        left.unlink()
    if "redis" in name:
        place, _, password = redis.partition(",password=")
        with Redis(port=int(place.partition(":")[2]), password=password) as client:
            client.flushdb()
    words = [str(folder), redis, str(num_entities)]
    return contest("benchmarks.online.materialize", name, *words)


def _ratios(found: Mapping[str, Entrant]) -> dict[str, float]:
    """Of each peer's time to ours on the same store."""
    return {
        name: each.median / found[f"ours_{name.split('_')[1]}"].median
        for name, each in found.items()
        if not name.startswith("ours")
    }


def _target(name: str) -> float:
    return TARGET[name.split("_")[1]]


def _row(
    found: Mapping[str, Entrant], sizes: Mapping[int, Mapping[str, Entrant]]
) -> dict[str, Any]:
    ratio, peaks = _ratios(found), _peaks(sizes)
    right = all(each.right == {True} for name, each in found.items() if name.startswith("ours"))
    flat = all(peak[-1] <= MEMORY_TARGET * peak[0] for peak in peaks.values())
    return {
        "goal": "g6",
        "ours": {n: each.seconds for n, each in found.items() if n.startswith("ours")},
        "peers": {n: each.seconds for n, each in found.items() if not n.startswith("ours")},
        "ratio": ratio,
        "target": {name: _target(name) for name in ratio},
        "met": right and flat and all(ratio[name] >= _target(name) for name in ratio),
        "equal_results": right,
        "peers_right": {name: each.right == {True} for name, each in found.items()},
        "peaks_mib": peaks,
        "memory_flat": flat,
        "runs": len(next(iter(found.values())).seconds),
        **circumstances(PACKAGES),
    }


def _peaks(sizes: Mapping[int, Mapping[str, Entrant]]) -> dict[str, list[float]]:
    """By the size, of each of ours."""
    names = next(iter(sizes.values()))
    return {name: [max(each[name].peaks_mib) for each in sizes.values()] for name in names}


def _table(num_entities: int, found: Mapping[str, Entrant]) -> list[str]:
    ratio = _ratios(found)
    lines = [
        f"| {num_entities:,} entities | entities/s | median s | worst s | ours is faster by | goal "
        "| peak MiB | right |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, each in found.items():
        compared = f"{ratio[name]:.1f} | {_target(name):.0f}" if name in ratio else " | "
        times = f"{num_entities / each.median:,.0f} | {each.median:.2f} | {max(each.seconds):.2f}"
        right = "yes" if each.right == {True} else "no"
        lines.append(f"| {name} | {times} | {compared} | {max(each.peaks_mib):.0f} | {right} |")
    return lines


def _memory(sizes: Mapping[int, Mapping[str, Entrant]]) -> list[str]:
    heads = [f"{size:,}: s | peak MiB" for size in sizes]
    lines = [f"| entities | {' | '.join(heads)} |", "|---" * (1 + 2 * len(sizes)) + "|"]
    for name in next(iter(sizes.values()), {}):
        cells = [
            f"{each[name].median:.2f} | {max(each[name].peaks_mib):.0f}" for each in sizes.values()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    main()
