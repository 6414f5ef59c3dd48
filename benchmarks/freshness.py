"""What fresh states are worth: ROC AUC two hours ahead, by how old states are when they are read.

The rows and the judge are those of the goal `quality`. Each age is a table of its own, joined as
`Model.online_after_minutes` says: 0 is batch, 20 a build every quarter of an hour, 75 one an hour,
1,440 a night's. What a row itself says (its plan, its aircraft) is as fresh in all of them.

The tables are kept in `benchmarks/tables/freshness`, which git ignores; what is there is used
again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from benchmarks.contest import contestants, judge, year
from benchmarks.contest.judge import Parts, Run
from benchmarks.harness import RESULTS, append, circumstances, publish
from pipelines.core.settings import ROOT

MINUTES = (0, 20, 75, 1440)
SEEDS = (0, 1, 2)
FOLDER = RESULTS.parent / "tables" / "freshness"
PACKAGES = ("lightgbm", "numpy", "pyarrow")


def main() -> None:
    """Make or read the tables, let LightGBM learn from each, print and keep what it came to."""
    asked = {
        FOLDER / f"{minutes}.parquet": replace(year.LATE, online_after_minutes=minutes)
        for minutes in MINUTES
    }
    parts = dict(
        zip(MINUTES, map(judge.in_time_order, year.tables(asked, anew=False)), strict=True)
    )
    fit = partial(contestants.boosted, columns=contestants.ALL)
    runs = {
        minutes: [judge.run(fit, rows, seed) for seed in SEEDS] for minutes, rows in parts.items()
    }
    found = {minutes: figures(minutes, runs, parts) for minutes in MINUTES}
    append("freshness", {"goal": "freshness", "by_minutes": found, **circumstances(PACKAGES)})
    publish("freshness", lines(found), ROOT / "docs" / "quality.md")


def figures(
    minutes: int, runs: Mapping[int, Sequence[Run]], parts: Mapping[int, Parts]
) -> dict[str, Any]:
    """Of one age, and how far it is behind states of the very instant, on the same rows."""
    test = parts[minutes].test
    behind = judge.difference(runs[minutes], runs[MINUTES[0]], test) if minutes else None
    spread = judge.interval(runs[minutes], test)
    return {
        "median": judge.medians(runs[minutes]),
        "interval": spread and asdict(spread),
        "behind": behind and asdict(behind),
    }


def lines(found: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """The table for people."""
    heads = ("minutes", "ROC AUC (95 %)", "less than at once", "average precision")
    return [
        f"| {' | '.join(heads)} |",
        "|---|---|---|---|",
        *(_line(minutes, each) for minutes, each in found.items()),
    ]


def _line(minutes: int, found: Mapping[str, Any]) -> str:
    middle, spread, behind = found["median"], found["interval"], found["behind"]
    said = f"{middle['roc_auc']:.3f} ({spread['low']:.3f} to {spread['high']:.3f})"
    less = (
        f"{behind['estimate']:+.3f} ({behind['low']:+.3f}, {behind['high']:+.3f})" if behind else ""
    )
    return f"| {minutes:,} | {said} | {less} | {middle['average_precision']:.3f} |"


if __name__ == "__main__":
    main()
