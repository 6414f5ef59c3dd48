"""Packs a home as an earlier version leaves it: `python -m tests.golden.homes.make`.

A clone of this repository at `COMMIT` starts its own servers in a home at `place.PLACE`, makes the
case loans from a CSV by `millrace new`, and takes it through history, training, promotion and one
night by the command line. The newest revision of that version's journal names the file; 0001 is of
the last version without revisions.

To pack the home of a newer version: set COMMIT, REVISION and the words of `HISTORY` and `NIGHT` to
that version's, and run it once. What is packed stays as it is. Keys, instants and passwords differ
from run to run; rows and sizes do not.
"""

import csv
import json
import random
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines import services
from pipelines.core.settings import ROOT
from tests.golden.homes.place import (
    CASE,
    DATABASES,
    DUMPS,
    FINE,
    HERE,
    HOME,
    NAME,
    PLACE,
    SOURCE,
    TOLD,
    instant,
    platform,
    postgres,
    told,
)

COMMIT, REVISION = "7505c9e", "0001"
CODE = PLACE / "code"
FIRST_DAY, HISTORY_DAYS, ROWS_A_DAY = date(2026, 10, 2), 30, 60
SEED = 20261121
DAYS = [FIRST_DAY + timedelta(days=number) for number in range(HISTORY_DAYS + 2)]
NIGHT_DAY = DAYS[HISTORY_DAYS].isoformat()  # the day after is for who opens the home

DATA = ("extract", "ingest", "validate --layer raw", "transform", "validate --layer features")
HISTORY = (*DATA, "materialize", "assemble", "train", "promote")
NIGHT = (
    *DATA,
    *("materialize", "predict", "validate --layer predictions", "monitor", "due --for drift"),
)

# In a home, what every start makes anew; the cluster's files are in its dumps.
_LEFT_OUT = (
    *("logs", "pg", "supervisor", ".starting"),
    *("spark/tmp", "spark/spark.properties"),
)
# Derby's lock; what dbt parsed before; pictures of Great Expectations, 7 MB of the same; checksums
# that only Hadoop's reader of local files looks for, and does without.
_LEFT_OUT_EVERYWHERE = ("*.lck", "*.msgpack", "*.gif", ".*.crc")


def rows() -> Iterator[dict[str, Any]]:
    """A loan is late when its amount is high; the newest day is not part of the packed lake."""
    dice = random.Random(SEED)  # noqa: S311
    for number_of_day, day in enumerate(DAYS):
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        for number in range(ROWS_A_DAY):
            amount = dice.gauss(500, 100)
            yield {
                "loan": f"{number_of_day:03d}-{number:04d}",
                "asked_at": (start + timedelta(seconds=dice.randrange(86_000))).isoformat(),
                "segment": dice.choice(["shop", "car", "home"]),
                "amount": round(amount, 2),
                "income": round(dice.gauss(3000, 500), 2),
                "late": "yes" if dice.gauss(amount, 60) > 540 else "no",
            }


def write_source() -> None:
    SOURCE.parent.mkdir(parents=True)
    table = list(rows())
    with SOURCE.open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)


def check_out() -> None:
    clone = ["git", "clone", "--quiet", "--no-checkout", str(ROOT), str(CODE)]
    subprocess.run(clone, check=True)
    git = ["git", "-C", str(CODE)]
    subprocess.run([*git, "checkout", "--quiet", COMMIT], check=True)
    # MLflow would note where it came from.
    subprocess.run([*git, "remote", "remove", "origin"], check=True)


def make_case(environment: Mapping[str, str]) -> None:
    """The case in that version's code, and a copy of what was written for it."""
    words = ["--from", str(SOURCE), "--key", "loan", "--event-time", "asked_at"]
    words += ["--label", "late", "--positive", "yes", "--into", str(CODE)]
    millrace(["new", NAME, *words], environment)
    listed = ["git", "-C", str(CODE), "ls-files", "--others", "--exclude-standard"]
    for path in subprocess.check_output(listed, text=True).splitlines():
        (CASE / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CODE / path, CASE / path)


def millrace(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """One command of that version; its last line."""
    print("millrace", *words, flush=True)
    command = [sys.executable, "-m", "pipelines", *words]
    ended = subprocess.run(command, env=environment, cwd=CODE, stdout=-1, text=True, check=False)
    assert ended.returncode in FINE, f"{words} exited {ended.returncode}"
    return (ended.stdout.splitlines() or [""])[-1]


def run_chain(environment: Mapping[str, str]) -> None:
    millrace(["start", "postgres", "spark", "mlflow"], environment)
    interval = f"{DAYS[0]}/{DAYS[HISTORY_DAYS - 1]}"
    for chain, key in ((HISTORY, interval), (NIGHT, NIGHT_DAY)):
        for stage in chain:
            name, *options = stage.split()
            millrace([name, NAME, "--interval", key, *options], environment)


def pack(target: Path) -> None:
    with tarfile.open(target, "w:xz", preset=9) as file:
        for path in (HOME, CASE, SOURCE.parent, DUMPS, TOLD):
            file.add(path, str(path.relative_to(PLACE)), filter=_kept)


def _kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    inside = Path(member.name)
    left_out = any(inside.is_relative_to(Path("home", path)) for path in _LEFT_OUT)
    if left_out or any(inside.match(pattern) for pattern in _LEFT_OUT_EVERYWHERE):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def main() -> None:
    assert not PLACE.exists(), f"{PLACE} is there: remove it"
    target = HERE / f"{REVISION}.tar.xz"
    write_source()
    check_out()
    now = instant(DAYS[HISTORY_DAYS + 1].isoformat())
    with platform(CODE, now) as (settings, environment):
        make_case(environment)
        run_chain(environment)
        status = json.loads(millrace(["status", "--json"], environment))
        TOLD.write_text(json.dumps(told(settings, status), indent=1, default=str) + "\n")
        DUMPS.mkdir()
        for name in DATABASES:
            postgres("pg_dump", settings, name, "-Fc", "-Z0", "-f", str(DUMPS / f"{name}.dump"))
        services.stop(settings)
        pack(target)
    shutil.rmtree(PLACE)
    print(f"{target}: {target.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
