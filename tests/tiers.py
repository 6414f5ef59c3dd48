"""The tiers of the tests, two at a time: `python -m tests.tiers NAME...`, or `all`.

A tier that fails keeps no other from running. At the end stands what each took, and of a tier that
could not run the reason; the exit code is 1 if one failed. docs/testing.md says what each proves.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from tests import debian_servers

ROOT = Path(__file__).resolve().parents[1]
_DEADLINE = "MILLRACE_TEST_MINUTES"
_GIVEN = os.environ.get(debian_servers.GIVEN)
# A tier alone leaves 10 to 25 % of two cores idle, waiting; with five at once servers did not start
# within their limits.
_LANES = 2
# The servers of a tier live for minutes: compiled by the first compiler alone, Spark is as fast at
# that age and takes a fifth less of the cores. It gets the code cache that both have together.
_SPARK = {"MILLRACE_SPARK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"}
_EXAMPLE = re.compile(r"^ *>>> ", re.MULTILINE)


def examples() -> list[str]:
    """The modules whose documentation has examples: they run, too."""
    rooms = ("pipelines", "models", "plugins")
    modules = (path for room in rooms for path in sorted((ROOT / room).rglob("*.py")))
    return [str(path.relative_to(ROOT)) for path in modules if _EXAMPLE.search(path.read_text())]


def _nothing() -> str:
    return ""


def _no_debian() -> str:
    """Which of Debian's servers are not installed; others may be named in their place."""
    missing = "" if _GIVEN else ", ".join(debian_servers.missing())
    return f"no {missing}: apt-get install postgresql-15 redis-server" if missing else ""


def _no_engine() -> str:
    """Why no container can be started; makes the base images where none can be pulled."""
    if not shutil.which("docker"):
        return "there is no Docker"
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        return "no Docker engine answers"
    made = subprocess.run([ROOT / "tests" / "compose" / "base_images.sh"], check=False)
    return "the base images could neither be pulled nor made" if made.returncode else ""


@dataclass(frozen=True, kw_only=True)
class Tier:
    """What is run, and what it takes."""

    paths: Sequence[str]
    words: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    minutes: int  # on a quiet machine; with a deadline, what is not begun any more
    lacks: Callable[[], str] = _nothing


_DEBIAN = {} if _GIVEN else {debian_servers.WHOSE: "debian"}
TIERS = {
    "fast": Tier(
        paths=("tests/model", "tests/contract", "tests/dags", "tests/unit"),
        # Tests of one file share what they build; the longest files come first.
        words=(
            *("-n", "logical", "--dist", "loadfile", "--no-loadscope-reorder"),
            *("--doctest-modules", *examples()),
        ),
        minutes=3,
    ),
    "servers": Tier(paths=("tests/servers",), minutes=10),
    "chain": Tier(paths=("tests/chain",), minutes=5),
    "orchestration": Tier(paths=("tests/orchestration",), minutes=5),
    "platform": Tier(paths=("tests/platform",), minutes=12),
    "homes": Tier(paths=("tests/homes",), minutes=4),
    "services": Tier(
        paths=("tests/servers",), environment=_DEBIAN, minutes=10, lacks=_no_debian
    ),
    "compose": Tier(paths=("tests/compose",), minutes=16, lacks=_no_engine),
}  # fmt: skip
# What the servers tier has of start, restart and journal, on the embedded servers as well.
_EMBEDDED = Tier(
    paths=tuple(f"tests/servers/test_{name}.py" for name in ("services", "databases", "lease")),
    environment={debian_servers.GIVEN: ""},
    minutes=2,
)


def every() -> dict[str, Tier]:
    """All tiers, no test twice: the servers' are Debian's, and the embedded get a smoke test."""
    if _no_debian():
        return TIERS
    on_debian = replace(TIERS["services"], minutes=TIERS["servers"].minutes)
    return {**TIERS, "servers": on_debian, "services": _EMBEDDED}


@dataclass(frozen=True)
class Ended:
    """How a tier ended; `left_out` says why it was not run at all."""

    name: str
    minutes: float = 0
    passed: bool = True
    left_out: str = ""

    def __str__(self) -> str:
        said = f"left out: {self.left_out}" if self.left_out else "passed"
        return f"{self.name:<15}{self.minutes:>6.1f} min  {said if self.passed else 'FAILED'}"


def run(name: str, tier: Tier, minutes_left: float, output: IO[str]) -> Ended:
    """Run one tier's tests in a process of their own, which says what it says into `output`."""
    if minutes_left < tier.minutes:
        return Ended(name, left_out=f"{minutes_left:.0f} minutes are left, it takes {tier.minutes}")
    if lacks := tier.lacks():
        return Ended(name, left_out=lacks)
    print(f"== {name}: {' '.join(tier.paths)}", flush=True)
    began = time.monotonic()
    pytest = [sys.executable, "-m", "pytest", *tier.words, *tier.paths]
    ended = subprocess.run(
        pytest,
        cwd=ROOT,
        env={**_SPARK, **os.environ, **tier.environment},
        stdout=output,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return Ended(name, (time.monotonic() - began) / 60, ended.returncode == 0)


def run_beside(tiers: Mapping[str, Tier], deadline: float) -> list[Ended]:
    """Run them in lanes, the longest first; what each said is printed whole, when it ends."""

    def whole(name: str) -> Ended:
        with tempfile.TemporaryFile("w+") as output:
            ended = run(name, tiers[name], (deadline - time.monotonic()) / 60, output)
            output.seek(0)
            print(f"\n== {name}\n{output.read()}\n{ended}", flush=True)
        return ended

    longest_first = sorted(tiers, key=lambda name: -tiers[name].minutes)
    with ThreadPoolExecutor(_LANES) as lanes:
        ended = dict(zip(longest_first, lanes.map(whole, longest_first), strict=True))
    return [ended[name] for name in tiers]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", choices=[*TIERS, "all"], metavar="NAME")
    names = parser.parse_args().names
    tiers = every() if names == ["all"] else {name: TIERS[name] for name in names}
    began = time.monotonic()
    deadline = began + float(os.environ.get(_DEADLINE, "inf")) * 60
    if len(tiers) == 1:
        ended = [run(*tier, (deadline - began) / 60, sys.stdout) for tier in tiers.items()]
    else:
        ended = run_beside(tiers, deadline)
    print("", *ended, f"{'together':<15}{(time.monotonic() - began) / 60:>6.1f} min", sep="\n")
    return 0 if all(each.passed for each in ended) else 1


if __name__ == "__main__":
    sys.exit(main())
