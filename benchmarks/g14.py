"""G14: the chain on two quiet cores: `make run`, a night to published features, a day again.

In a home of its own, by the commands that a person or Airflow would start: a row a stage, with what
it cost here and on the Spark server. It is compared with its own past: 762 s, 84 s, and twice.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from sqlalchemy import select

from benchmarks.chain.watch import Watch, watching
from benchmarks.harness import append, circumstances, own_platform, publish
from pipelines.core import journal
from pipelines.core.journal import runs
from pipelines.core.settings import Settings

NIGHT = ("extract", "ingest", "validate_raw", "transform", "validate_features", "materialize")
FIRST_NIGHT = 25  # of November 2026, the day after what `run` loads at NOW
NUM_NIGHTS = 3
NOW = "2026-11-{:02d}T12:00:00Z"
TARGET = {"run": 540.0, "night": 60.0, "again": 1.0}
CASE = "flight_delays"


@dataclass(frozen=True)
class Cost:
    """One run of a stage: seconds, of CPU too, in MiB at most, and Spark's part of it."""

    stage: str
    interval: str
    seconds: float
    cpu_seconds: float
    peak_memory_mib: float
    spark_jobs: int
    spark_cpu_seconds: float


def main() -> None:
    """The whole, then three nights, then the last one's transform three times again."""
    load = os.getloadavg()[0]
    with own_platform() as (settings, environment), watching(settings) as watch:
        first = NOW.format(FIRST_NIGHT)
        whole = _timed(["run"], {**environment, "MILLRACE_NOW": first})
        history = costs(settings, watch)
        nights = [_night(environment, FIRST_NIGHT + number) for number in range(NUM_NIGHTS)]
        last = FIRST_NIGHT + NUM_NIGHTS - 1
        again = [_night(environment, last, ("transform",)) for _ in range(NUM_NIGHTS)]
        time.sleep(2)  # one more look at what the server did last
        every = costs(settings, watch)
    firsts = [
        cost.seconds for cost in every[len(history) : -NUM_NIGHTS] if cost.stage == "transform"
    ]
    agains = [cost.seconds for cost in every[-NUM_NIGHTS:]]
    figures = {
        "run": whole,
        "night": median(nights),
        "again": median(agains) / median(firsts),
    }
    publish("g14", _table(figures, history, every[len(history) :], load))
    met = all(figures[name] <= limit for name, limit in TARGET.items())
    append(
        "g14",
        {
            "goal": "g14",
            "ours": figures,
            "nights": nights,
            "again": again,
            "target": TARGET,
            "met": met,
            "stages": [asdict(cost) for cost in every],
            "runs": NUM_NIGHTS,
            **circumstances(("pyspark", "delta-spark", "dbt-core", "feast", "great-expectations")),
            "load": load,
        },
    )


def _timed(words: Sequence[str], environment: Mapping[str, str]) -> float:
    """The seconds of a command, as a whole process.

    Raises:
        RuntimeError: it failed; holds the end of what it wrote.
    """
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "pipelines", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise RuntimeError(f"{words} exited {ended.returncode}: {ended.stderr[-2000:]}")
    return time.monotonic() - began


def _night(environment: Mapping[str, str], day: int, stages: Sequence[str] = NIGHT) -> float:
    """The seconds of a night's stages, one after the other, each a process of its own."""
    theirs = {**environment, "MILLRACE_NOW": NOW.format(day + 1)}
    key = f"2026-11-{day:02d}"
    return sum(_timed([stage, CASE, "--interval", key], theirs) for stage in stages)


def costs(settings: Settings, watch: Watch) -> list[Cost]:
    """What the journal and the samples say of each stage that was done, oldest first."""
    done = select(runs).where(runs.c.state == "done").order_by(runs.c.attempt)
    with journal.engine(settings).connect() as connection:
        return [_cost(row, watch) for row in connection.execute(done)]


def _cost(row: Any, watch: Watch) -> Cost:
    start, end = row.started_at.timestamp(), row.ended_at.timestamp()
    return Cost(
        f"{row.stage} {row.model}" if row.model else row.stage,
        row.interval,
        round(end - start, 1),
        row.cpu_seconds,
        row.peak_memory_mib,
        watch.num_jobs(start, end),
        round(watch.cpu(start, end), 1),
    )


def _table(
    figures: Mapping[str, float], history: Sequence[Cost], nights: Sequence[Cost], load: float
) -> list[str]:
    """The figures for people, as Markdown."""
    past = {"run": "762", "night": "84", "again": "1.97"}
    what = {
        "run": "`make run`, packages in place, s",
        "night": f"a night to published features, median of {NUM_NIGHTS}, s",
        "again": "`transform` of a day again, to its first time",
    }
    return [
        f"Load before: {load:.2f}.",
        "",
        "| what | measured | goal | past |",
        "|---|---|---|---|",
        *(f"| {what[n]} | {figures[n]:.2f} | {TARGET[n]:.0f} | {past[n]} |" for n in what),
        "",
        "| stage | interval | seconds | CPU here | CPU of Spark | Spark jobs | peak MiB here |",
        "|---|---|---|---|---|---|---|",
        *(_line(cost) for cost in (*history, *nights)),
    ]


def _line(cost: Cost) -> str:
    return (
        f"| {cost.stage} | {cost.interval} | {cost.seconds:.1f} | {cost.cpu_seconds:.1f} "
        f"| {cost.spark_cpu_seconds:.1f} | {cost.spark_jobs} | {cost.peak_memory_mib:.0f} |"
    )


if __name__ == "__main__":
    main()
