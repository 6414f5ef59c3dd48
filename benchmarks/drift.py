"""How often a calm table is said to drift, and how often what moved is found.

Each verdict is on a table of its own (`watched`): two weeks of reference and two weeks since, 12
inputs, an answer, and labels of which the metric is measured. `make bench GOAL=drift` takes about
20 minutes of two cores, and puts its tables into `docs/quality.md`.

- False alarms: nothing has changed. Plain tables; with a weekly rhythm; with a rhythm and days
  whose rows share something of their own, as weather.
- Power: one input of twelve moved, or a category that was never there has a fifth of its rows.

Environment:
    MILLRACE_DRIFT_VERDICTS: of each cell; 400 unless said otherwise, of large tables fewer.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from benchmarks.harness import PAGE, append, circumstances, publish
from benchmarks.watched.tables import Kind
from benchmarks.watched.verdicts import Verdict, verdict
from pipelines.use_cases.spec.model import Watch

# Rows a day; of the largest, which take seconds and hardly differ by chance, fewer verdicts.
NUM_ROWS: Mapping[int, float] = {20: 1, 24: 1, 100: 1, 1000: 0.5, 20_000: 0.25}
CALM: Mapping[str, Kind] = {
    "plain": Kind(),
    "weekly rhythm": Kind(rhythm=1.0),
    "weekly rhythm, and days of their own": Kind(rhythm=1.0, weather=0.3),
}
CHANGED: Mapping[str, Kind] = {
    "an input moved by 0.25 deviations": Kind(rhythm=1.0, shift=0.25),
    "by 0.5 deviations": Kind(rhythm=1.0, shift=0.5),
    "by 1 deviation": Kind(rhythm=1.0, shift=1.0),
    "a new category in 20 % of the rows": Kind(rhythm=1.0, new_share=0.2),
}
WATCHES: Mapping[str, Watch] = {"a day": Watch(), "7 days": Watch(window_days=7)}
RATE_MAX = 0.05
PACKAGES = ("evidently", "numpy", "scipy")

# Of a kind and a window, by rows a day: how often each field of a verdict is true.
Rates: TypeAlias = Mapping[int, Mapping[str, float]]


def main() -> None:
    """Draw and judge, print the tables, put them into the page and keep the figures."""
    num = int(os.environ.get("MILLRACE_DRIFT_VERDICTS", "400"))
    with ProcessPoolExecutor() as pool:
        found = {
            (name, window): _rates(pool, kind, watch, num)
            for name, kind in {**CALM, **CHANGED}.items()
            for window, watch in WATCHES.items()
            if name in CALM or window == "a day"
        }
    publish("false-alarms", list(_calm(found)), PAGE.with_name("quality.md"))
    publish("power", list(_power(found)), PAGE.with_name("quality.md"))
    rates = {f"{name}, {window}": each for (name, window), each in found.items()}
    row = {"goal": "drift", "verdicts": num, "rates": rates, "met": is_met(found)}
    append("drift", {**row, **circumstances(PACKAGES)})
    print(f"at most 1 in 20 of every calm table: {row['met']}")


def _rates(pool: ProcessPoolExecutor, kind: Kind, watch: Watch, num: int) -> Rates:
    found = {}
    for num_rows, share in NUM_ROWS.items():
        one = partial(verdict, replace(kind, num_rows_a_day=num_rows), watch)
        found[num_rows] = rates(list(pool.map(one, range(int(share * num)), chunksize=5)))
        print(f"{kind}, {num_rows} rows a day, {watch.window_days}: {found[num_rows]}", flush=True)
    return found


def rates(verdicts: Sequence[Verdict]) -> Mapping[str, float]:
    """How often each field is true."""
    return {
        name: float(np.mean([getattr(each, name) for each in verdicts]))
        for name in asdict(verdicts[0])
    }


Found: TypeAlias = Mapping[tuple[str, str], Rates]


def is_met(found: Found) -> bool:
    """Whether each calm table drifted in at most 1 of 20 verdicts."""
    return all(
        each["drifted"] <= RATE_MAX
        for (name, _), cells in found.items()
        if name in CALM
        for each in cells.values()
    )


def _calm(found: Found) -> Iterator[str]:
    """Before → now, of a verdict; and how often any column drifted."""
    yield from _head("calm table")
    for (name, window), cells in found.items():
        if name in CALM:
            shown = (
                f"{_percent(each['before'])} → **{_percent(each['drifted'])}** "
                f"({_percent(each['any_column'])})"
                for each in cells.values()
            )
            yield _line(name, window, shown)


def _power(found: Found) -> Iterator[str]:
    yield from _head("changed table")
    for (name, window), cells in found.items():
        if name in CHANGED:
            yield _line(name, window, (_seen(CHANGED[name], each) for each in cells.values()))


def _seen(kind: Kind, each: Mapping[str, float]) -> str:
    if not kind.new_share:
        return _percent(each["moved"])
    return f"{_percent(each['named'])} named, {_percent(each['new'])} drifted"


def _head(what: str) -> tuple[str, str]:
    columns = [what, "judged", *(f"{num:,} rows a day" for num in NUM_ROWS)]
    return f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)


def _line(name: str, window: str, shown: Iterator[str]) -> str:
    return f"| {' | '.join([name, window, *shown])} |"


def _percent(rate: Any) -> str:
    return f"{100 * rate:.3g} %"
