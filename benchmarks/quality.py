"""How good predictions two hours ahead are: January to September 2013 learned, then judged.

The year goes through the platform's own stages on a platform of its own (`year`), and the same
rows are learned by LightGBM, logistic regression and the platform's net (`contestants`), also
without all that the flown tail number tells, which is assumed to be known in time. Two controls
break a rule on purpose and must look too good (`judge`).

Test: all landed flights of October to December. Validation, which only says when to stop: every
sixth week of January to September. September alone, the newest, is too easy (13 % late, the test
has 22 %): its loss would stop at the wrong place. Whole weeks, because rows of one day share
their weather. No contestant learns from them, and all their labels were known before October.

The table is kept in `benchmarks/tables/quality.parquet`, which git ignores.

Environment:
    MILLRACE_QUALITY_TABLE: another path; a table that is there is used again, and no stage runs.
    MILLRACE_QUALITY_HOME: keep the platform in this folder (short, absolute), with its logs; a
        run cut short goes on after the last published range, or the last stretch joined. Only
        for the same code. Its ports are the usual settings', such as MILLRACE_SPARK_PORT.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.contest import judge, year
from benchmarks.contest.contestants import CONTESTANTS
from benchmarks.contest.judge import Parts, Run
from benchmarks.harness import RESULTS, circumstances

SEEDS = (0, 1, 2)
TARGET: Mapping[str, float] = {"LightGBM": 0.765, "net": 0.755}
# The strongest models on record stay below it at two hours ahead: above it, suspect a leak.
BELIEVABLE_ROC_AUC = 0.80
# A control that gains less than this would not be noticed, and so proves nothing.
CONTROL_GAIN = 0.01
PACKAGES = ("lightgbm", "scikit-learn", "torch", "onnxruntime", "numpy")


def main() -> None:
    """Make or read the table, let all compete, print what they came to and keep it."""
    given = os.environ.get("MILLRACE_QUALITY_TABLE")
    path = Path(given) if given else RESULTS.parent / "tables" / "quality.parquet"
    table = year.table(path, anew=given is None)
    print(f"the table: {path}, {table.num_rows:,} rows; MILLRACE_QUALITY_TABLE={path} keeps it")
    parts = judge.in_time_order(table)
    contest = {name: compete(name, parts) for name in CONTESTANTS}
    controls = judge.controls(parts, SEEDS[0])
    made_by = (table.schema.metadata or {}).get(year.MADE_BY, b"unknown").decode()
    row = {**verdict(contest, controls, parts), "table_made_by": made_by, **circumstances(PACKAGES)}
    print("\n".join(lines(row)))
    append(row, RESULTS / "quality.jsonl")


def compete(name: str, parts: Parts) -> list[Run]:
    """One contestant, seed by seed."""
    runs = []
    for seed in SEEDS:
        runs.append(judge.run(CONTESTANTS[name], parts, seed))
        print(
            f"{name}, seed {seed}: {runs[-1].roc_auc:.4f} in {runs[-1].seconds:.0f} s", flush=True
        )
    return runs


def verdict(
    contest: Mapping[str, Sequence[Run]], controls: Mapping[str, Run], parts: Parts
) -> dict[str, Any]:
    """The figures as one JSON row; `met` follows from them."""
    best = contest["LightGBM"]
    found = {name: _figures(runs, best, parts) for name, runs in contest.items()}
    gains = {name: control.roc_auc - best[0].roc_auc for name, control in controls.items()}
    roc_auc = {name: figures["median"]["roc_auc"] for name, figures in found.items()}
    return {
        "goal": "quality",
        "contestants": found,
        "controls": {
            name: {**control.to_json(), "gain": gains[name]} for name, control in controls.items()
        },
        "target": dict(TARGET),
        "met": all(roc_auc[name] >= least for name, least in TARGET.items()),
        "controls_look_too_good": min(gains.values()) >= CONTROL_GAIN,
        "leak_suspected": max(roc_auc.values()) > BELIEVABLE_ROC_AUC,
        "rows": parts.sizes(),
        "runs": len(best),
    }


def _figures(runs: Sequence[Run], best: Sequence[Run], parts: Parts) -> dict[str, Any]:
    spread = judge.interval(runs, parts.test)
    behind = judge.difference(runs, best, parts.test)
    return {
        "median": judge.medians(runs),
        "roc_auc_interval": spread and asdict(spread),
        "roc_auc_less_lightgbm": behind and asdict(behind),
        "runs": [run.to_json() for run in runs],
    }


def lines(row: Mapping[str, Any]) -> list[str]:
    """The row for people."""
    heads = ("ROC AUC", "95 %", "less LightGBM", "AP", "Brier", "ECE", "train s", "goal")
    widths = (9, 17, 29, 8, 8, 8, 9, 7)
    head = "".join(f"{text:>{width}}" for text, width in zip(heads, widths, strict=True))
    shown = [f"{'quality, T-120':<30}{head}"]
    for name, found in row["contestants"].items():
        cells = (*_cells(found), row["target"].get(name, "-"))
        text = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        shown.append(f"{name:<30}{text}")
    shown += [
        f"control, {name}: {control['roc_auc']:.4f}, gain {control['gain']:+.4f}"
        for name, control in row["controls"].items()
    ]
    flags = ("met", "controls_look_too_good", "leak_suspected")
    return [*shown, "; ".join(f"{flag.replace('_', ' ')}: {row[flag]}" for flag in flags)]


def _cells(found: Mapping[str, Any]) -> tuple[str, ...]:
    middle, spread, behind = (
        found[key] for key in ("median", "roc_auc_interval", "roc_auc_less_lightgbm")
    )
    return (
        f"{middle['roc_auc']:.4f}",
        f"{spread['low']:.4f}-{spread['high']:.4f}" if spread else "-",
        f"{behind['estimate']:+.4f} ({behind['low']:+.4f}, {behind['high']:+.4f})"
        if behind
        else "-",
        f"{middle['average_precision']:.4f}",
        f"{middle['brier_score']:.4f}",
        f"{middle['expected_calibration_error']:.4f}",
        f"{middle['seconds']:.1f}",
    )


def append(row: Mapping[str, Any], path: Path) -> None:
    """One line of JSON more."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
