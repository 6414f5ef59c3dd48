"""Which rows are learned from and which are judged, what a fit came to, and two rules broken."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from benchmarks.contest import contestants
from benchmarks.contest.contestants import ALL, LABEL, SPEC, Fit, labels
from models.tasks.bootstrap import Bootstrap, ConfidenceInterval
from models.tasks.task import Array, Evidence

# Midnight in New York, where all flights start.
TEST_FROM = datetime(2013, 10, 1, 4, tzinfo=UTC)
# Every sixth week, whole: 6 of the 39 weeks of January to September.
VALIDATION_EVERY_WEEKS = 6
SAME_DAY = ("same_day_late_rate", "num_landed_same_day")
KNOWING_THE_DAY = replace(ALL, numeric=(*ALL.numeric, *SAME_DAY))
FIGURES = ("roc_auc", "average_precision", "brier_score", "expected_calibration_error")


@dataclass(frozen=True)
class Parts:
    """The rows to learn from, those that say when to stop, and those that are judged."""

    training: pa.Table
    validation: pa.Table
    test: pa.Table

    def sizes(self) -> dict[str, int]:
        return {name: rows.num_rows for name, rows in vars(self).items()}


@dataclass(frozen=True)
class Run:
    """One fit: how long it took, and what it says of the test's rows."""

    seed: int
    seconds: float
    scores: Mapping[str, float | None]
    probability: Array

    @property
    def roc_auc(self) -> float:
        """ROC AUC; of one class alone there is none, and nothing to judge.

        Raises:
            ValueError: the test has one class.
        """
        found = self.scores["roc_auc"]
        if found is None:
            raise ValueError("all test rows have the same label; the table is not the year's")
        return found

    def to_json(self) -> dict[str, Any]:
        return {"seed": self.seed, "seconds": round(self.seconds, 2), **self.scores}


def local_day(table: pa.Table) -> Array:
    """The date in New York of each decision."""
    local = table["known_at"].cast(pa.timestamp("us", "America/New_York"))
    days: Array = local.cast(pa.date32()).to_numpy()
    return days


def in_time_order(table: pa.Table) -> Parts:
    """Test: October to December. Validation: every sixth week of the rest, whole.

    A flight decided before October that landed in it is in no part: in October its label was news.
    """
    is_test = _since(table["known_at"], TEST_FROM)
    is_learned = ~is_test & ~_since(table["label_known_at"], TEST_FROM)
    day = local_day(table)
    week = (day - day.min()).astype(int) // 7
    is_watched = week % VALIDATION_EVERY_WEEKS == VALIDATION_EVERY_WEEKS - 1
    masks = (is_learned & ~is_watched, is_learned & is_watched, is_test)
    return Parts(*(table.filter(pa.array(mask)) for mask in masks))


def _since(instants: pa.ChunkedArray, start: datetime) -> Array:
    found: Array = pc.greater_equal(instants, pa.scalar(start, instants.type)).to_numpy()
    return found


def at_random(parts: Parts, seed: int) -> Parts:
    """The same rows dealt anew into parts of the same sizes: tomorrow teaches today."""
    rows = pa.concat_tables(vars(parts).values())
    order = np.random.default_rng(seed).permutation(rows.num_rows)
    sizes = list(parts.sizes().values())
    dealt = np.split(order, np.cumsum(sizes)[:-1])
    return Parts(*(rows.take(pa.array(np.sort(index))) for index in dealt))


def with_same_day_outcomes(table: pa.Table) -> pa.Table:
    """Joined by what nobody knew yet: how the origin's whole day went, the row itself included."""
    late = pd.Series(labels(table))
    by_day = late.groupby([table["origin"].to_pandas(), pd.Series(local_day(table))])
    outcomes = (by_day.transform("mean"), by_day.transform("count"))
    for name, values in zip(SAME_DAY, outcomes, strict=True):
        table = table.append_column(name, pa.array(values, pa.float64()))
    return table


def with_outcomes(parts: Parts) -> Parts:
    """`with_same_day_outcomes` of each part."""
    return Parts(*map(with_same_day_outcomes, vars(parts).values()))


def run(fit: Fit, parts: Parts, seed: int) -> Run:
    """Fit and judge; only the fit is timed."""
    began = time.perf_counter()
    predict = fit(parts.training, parts.validation, seed)
    seconds = time.perf_counter() - began
    probability = predict(parts.test)
    return Run(seed, seconds, SPEC.task.scores(evidence(parts.test, probability)), probability)


def evidence(test: pa.Table, probability: Array) -> Evidence:
    """Answers beside the labels; what is drawn together are days in New York."""
    _, day = np.unique(local_day(test), return_inverse=True)
    return Evidence(SPEC.task.encode(LABEL, test[LABEL]), np.asarray(probability)[:, None], day)


def controls(parts: Parts, seed: int) -> dict[str, Run]:
    """LightGBM where a rule is broken on purpose."""
    knowing = partial(contestants.boosted, columns=KNOWING_THE_DAY)
    honest = partial(contestants.boosted, columns=ALL)
    return {
        "same-day outcomes": run(knowing, with_outcomes(parts), seed),
        "random split": run(honest, at_random(parts, seed), seed),
    }


def middle(runs: Sequence[Run]) -> Run:
    """The run of median ROC AUC."""
    return sorted(runs, key=lambda each: each.roc_auc)[len(runs) // 2]


def medians(runs: Sequence[Run]) -> dict[str, float]:
    """Each figure's median over the seeds, and the seconds'."""
    rows = [each.to_json() for each in runs]
    return {name: median(row[name] for row in rows) for name in (*FIGURES, "seconds")}


def interval(runs: Sequence[Run], test: pa.Table) -> ConfidenceInterval | None:
    """Of the middle run's ROC AUC, by a bootstrap of days."""
    return Bootstrap().interval(
        SPEC.task.metric("roc_auc"), evidence(test, middle(runs).probability)
    )


def difference(
    runs: Sequence[Run], others: Sequence[Run], test: pa.Table
) -> ConfidenceInterval | None:
    """ROC AUC of the middle run less that of the others', on the same draws of days."""
    ours, theirs = (evidence(test, middle(each).probability) for each in (runs, others))
    return Bootstrap().gain(SPEC.task.metric("roc_auc"), theirs, ours)
