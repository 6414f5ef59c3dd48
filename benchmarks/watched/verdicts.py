"""One verdict on a drawn table, as the stage `monitor` gives it, and by the rule of before.

The distances come from SciPy's formulas in place of Evidently, which would draw a page for each:
the unit tests show that they are equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from benchmarks.watched.tables import ANSWER, COLUMNS, MOVED, NEW, TASK, Drawn, Kind, drawn
from pipelines.learning.monitor import policy, quality
from pipelines.learning.monitor.chance import Draws, jensen_shannon, wasserstein
from pipelines.learning.monitor.drift import judged, together
from pipelines.learning.monitor.frames import sample
from pipelines.learning.monitor.limits import Sides, limits, sides
from pipelines.learning.monitor.quality import Quality
from pipelines.use_cases.spec.model import Watch


@dataclass(frozen=True)
class Verdict:
    """What was said of one drawn table.

    Args:
        drifted: the platform's verdict.
        any_column: any input or answer drifted.
        before: by the rule that knew no number of rows.
        moved, new: the columns that a kind changes drifted.
        named: a new category is told.
    """

    drifted: bool
    any_column: bool
    before: bool
    moved: bool
    new: bool
    named: bool


def verdict(kind: Kind, watch: Watch, seed: int) -> Verdict:
    """Draw one table and judge it."""
    table = drawn(kind, seed, watch.window_days)
    both = sides(table.reference, table.window, together(COLUMNS, ANSWER), watch.num_rows_max)
    drift = judged(both, COLUMNS, ANSWER, distances(both), limits(both, watch), watch)
    now, promised = (measured(each, watch) for each in (table.labelled, table.reference))
    columns = {each.name: each for each in (*drift.inputs, *drift.answers)}
    said = policy.judge(drift, both.current.num_rows, now, promised, watch)
    return Verdict(
        drifted=said.drifted is True,
        any_column=any(each.drifted for each in columns.values()),
        before=of_before(table, now, promised, watch),
        moved=columns[MOVED].drifted,
        new=columns[NEW].drifted,
        named=any(note.startswith("new ") for note in columns[NEW].notes),
    )


def measured(table: pa.Table, watch: Watch) -> Quality:
    """Of at most so many labelled rows as the stage asks for."""
    return quality.measured(sample(table, watch.num_rows_max), TASK, TASK.metric(), watch)


def of_before(table: Drawn, now: Quality, promised: Quality, watch: Watch) -> bool:
    """Whether the rule said drift that took every distance as it was, from all days of the week."""
    reference, window = (
        sample(each, watch.num_rows_max) for each in (table.reference, table.window)
    )
    found = distances(Sides(reference, reference, window, together(COLUMNS, ANSWER)))
    is_far = {name: distance > watch.distance_max for name, distance in found.items()}
    share = np.mean([is_far[name] for name in COLUMNS.inputs])
    lost = (promised.value or 0.0) - (now.value or 0.0)
    return bool(
        share > watch.drifted_share_max
        or any(is_far[name] for name in ANSWER.inputs)
        or lost > watch.loss_max
    )


def distances(both: Sides) -> Mapping[str, float]:
    """Numbers in deviations of the reference, categories as they are."""
    import pandas as pd

    rows = pd.concat([both.before, both.after], ignore_index=True)
    is_before = (np.arange(len(rows)) < len(both.before)).astype(np.float32)[:, None]
    halves = Draws(is_before, 1 - is_before)
    numbers = {
        name: wasserstein(rows[name].to_numpy())(halves)[0] / both.before[name].std(ddof=0)
        for name in both.columns.numeric
    }
    texts = {
        name: jensen_shannon(pd.factorize(rows[name])[0])(halves)[0]
        for name in both.columns.categorical
    }
    return {name: float(each) for name, each in {**numbers, **texts}.items()}
