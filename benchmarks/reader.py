"""Reader: a CSV of 1 GB into Arrow batches of texts, against DuckDB's reader and Arrow's own.

Ours also says of each record where it stands and what its text is; the peers don't. Each counts the
rows and adds up one column. Two files: one without quotes, one in whose every fifth row a field has
them. Of each run the peak of memory is kept.
"""

import random
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import Timings, append, circumstances, publish

GOAL = "reader"
ROUNDS = 3
ROWS = 14_000_000
# Ours may take three times as long as DuckDB.
TARGET = 3.0
_BLOCK = 20_000
_DAYS = 28

_PEAK = """
import resource
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(num_rows, total, peak)
"""
OURS = f"""
import sys
import pyarrow as pa
import pyarrow.compute as pc
from pipelines.data.reading.delimited import Delimited
reader = Delimited(lambda: open(sys.argv[1], "rb"), "f.csv")
num_rows = total = 0
for batch in reader.batches(reader.header()):
    num_rows += len(batch)
    total += pc.sum(pc.cast(batch["items"], pa.int64())).as_py()
{_PEAK}"""
DUCKDB = f"""
import sys
import duckdb
import pyarrow as pa
import pyarrow.compute as pc
found = duckdb.sql(f"select * from read_csv('{{sys.argv[1]}}', all_varchar=true)")
num_rows = total = 0
for batch in found.to_arrow_reader(100_000):
    num_rows += len(batch)
    total += pc.sum(pc.cast(batch["items"], pa.int64())).as_py()
{_PEAK}"""
ARROW = f"""
import sys
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
with open(sys.argv[1]) as file:
    names = file.readline().strip().split(",")
options = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
parsing = csv.ParseOptions(newlines_in_values=True)
num_rows = total = 0
for batch in csv.open_csv(sys.argv[1], convert_options=options, parse_options=parsing):
    num_rows += len(batch)
    total += pc.sum(pc.cast(batch["items"], pa.int64())).as_py()
{_PEAK}"""


def main() -> None:
    """Three rounds of both files, in turn; the table goes into docs/performance.md."""
    lines = ["| file | ours | DuckDB | Arrow | ours / DuckDB | peak MiB (ours, DuckDB, Arrow) |"]
    lines.append("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("plain", "quoted"):
            path = Path(folder, f"{name}.csv")
            make_file(path, is_quoted=name == "quoted")
            lines.append(measured(name, path))
            path.unlink()
    publish(GOAL, lines)


def measured(name: str, path: Path) -> str:
    """One line of the table."""
    gigabytes = path.stat().st_size / 1e9
    timings = [Timings("ours"), Timings("DuckDB"), Timings("Arrow")]
    answers, peaks = set(), {}
    for _ in range(ROUNDS):
        for timing, code in zip(timings, (OURS, DUCKDB, ARROW), strict=True):
            said = timing.run([sys.executable, "-c", code, str(path)], {}).split()
            answers.add(tuple(said[:2]))
            peaks[timing.name] = int(said[2])
    if len(answers) != 1:
        raise RuntimeError(f"{name}: the readers disagree: {answers}")
    ours, duckdb, arrow = (timing.median for timing in timings)
    row = {timing.name: timing.seconds for timing in timings}
    append(
        GOAL,
        {
            "file": name,
            "gigabytes": gigabytes,
            "met": ours <= TARGET * duckdb,
            "peaks": peaks,
            **row,
            **circumstances(("duckdb", "pyarrow")),
        },
    )
    rates = [f"{gigabytes / seconds * 1000:.0f} MB/s" for seconds in (ours, duckdb, arrow)]
    shown = ", ".join(map(str, peaks.values()))
    cells = [f"{name}, {gigabytes:.2f} GB", *rates, f"{ours / duckdb:.2f} x the time", shown]
    return f"| {' | '.join(cells)} |"


def make_file(path: Path, *, is_quoted: bool) -> None:
    """Parcels: 14 million rows of 8 columns."""
    draw = random.Random(1)  # noqa: S311
    rows = []
    for row in range(_BLOCK):
        note = '"left, at the ""gate"""' if is_quoted and row % 5 == 0 else "handed over to them"
        numbers = f"{draw.random() * 9:.2f},{draw.random() * 90:.2f},{row % 9},{row % 2}"
        rows.append(f"2026-08-{1 + row % _DAYS:02d} 01:45:28,north,{note},{numbers}\n")
    with path.open("w") as file:
        file.write("parcel_id,booked_at,depot,note,weight_kg,price,items,late\n")
        for block in range(ROWS // _BLOCK):
            file.writelines(f"P{block * _BLOCK + n:08d},{row}" for n, row in enumerate(rows))


if __name__ == "__main__":
    main()
