"""What counts as drift, and when it makes retraining due."""

from datetime import UTC, datetime

import pytest

from models.tasks import Binary
from models.tasks.bootstrap import ConfidenceInterval
from models.tasks.task import Metric
from pipelines.learning.monitor.drift import ColumnDrift, Drift
from pipelines.learning.monitor.policy import PastVerdict, is_due, judge, newest_first
from pipelines.learning.monitor.quality import Quality
from pipelines.use_cases.spec.model import Watch

WATCH = Watch(
    num_rows_min=200,
    drifted_share_max=0.5,
    distance_max=0.25,
    loss_max=0.125,
    num_drifted=2,
    num_verdicts=3,
    cool_down_days=3,
)
TASK = Binary()
ROC_AUC, BRIER = TASK.metric("roc_auc"), TASK.metric("brier_score")


def measured(num_rows: int, value: float | None = None, metric: Metric = ROC_AUC) -> Quality:
    """So many rows that chance makes no difference."""
    sure = None if value is None else ConfidenceInterval(value, value, value, 0.98)
    return Quality(metric, {"num_rows": num_rows}, value, sure)


GOOD = measured(900, 0.75)


def day(number: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, number, hour, tzinfo=UTC)


def column(
    name: str, distance: float | None, *, drifted: bool | None = None, notes: tuple[str, ...] = ()
) -> ColumnDrift:
    moved = drifted if drifted is not None else (distance or 0) > 0.25
    return ColumnDrift(name, distance, 0.25, moved, 0.0, float(distance is None), notes)


def drift(*distances: float, prediction: float | None = 0.05) -> Drift:
    inputs = tuple(column(f"x{place}", distance) for place, distance in enumerate(distances))
    answer = column("probability", prediction, drifted=None if prediction else True)
    return Drift(inputs, (answer,), num_reference_rows=5000, num_current_rows=900)


@pytest.mark.parametrize(
    ("found", "quality", "champion", "expected"),
    [
        (drift(0.1, 0.1, 0.1, 0.1), GOOD, 0.75, False),
        (drift(0.9, 0.9, 0.1, 0.1), GOOD, 0.75, False),  # just the share that is allowed
        (drift(0.9, 0.9, 0.3, 0.1), GOOD, 0.75, True),
        (drift(0.1, 0.1, prediction=0.3), GOOD, 0.75, True),
        (drift(0.1, 0.1, prediction=None), GOOD, 0.75, True),  # no answers any more
        (drift(0.1, 0.1), GOOD, 0.875, False),  # just the loss that is allowed
        (drift(0.1, 0.1), GOOD, 0.876, True),
        (drift(0.1, 0.1), GOOD, None, False),  # the champion's own was never measured
        (drift(0.1, 0.1), measured(199), 0.99, False),  # too few labels to say
        (drift(0.1, 0.1), measured(900), 0.99, False),  # one outcome only
    ],
)
def test_drift_is_of_inputs_or_of_answers_or_of_quality(found, quality, champion, expected):
    assert judge(found, 900, quality, measured(900, champion), WATCH).drifted is expected


@pytest.mark.parametrize(("now", "expected"), [(0.125, False), (0.25, False), (0.251, True)])
def test_of_a_metric_that_is_to_be_low_more_is_worse(now: float, expected: bool) -> None:
    quality, promised = (measured(900, value, BRIER) for value in (now, 0.125))
    assert judge(drift(0.1), 900, quality, promised, WATCH).drifted is expected


def test_each_field_of_an_answer_may_drift() -> None:
    answers = (column("low", 0.1), column("prediction", 0.2), column("high", 0.3))
    judged = judge(Drift((column("x", 0.1),), answers, 9, 9), 900, GOOD, GOOD, WATCH)
    assert judged.reason == "drift: high moved by 0.300 (above 0.25)"


def test_too_few_rows_give_no_verdict_even_with_bad_quality():
    judged = judge(None, 199, measured(900, 0.5), measured(900, 0.8), WATCH)
    assert judged.drifted is None
    assert judged.reason == "no verdict: 199 predictions, fewer than 200"


def test_the_reason_names_the_worst_columns_and_the_limits():
    found = drift(0.1, 0.9, 0.3, 0.4, prediction=0.3)
    assert judge(found, 900, GOOD, measured(900, 0.9), WATCH).reason == (
        "drift: 3 of 4 inputs drifted (75%, above 50%; most of all "
        "x1 0.900 (above 0.25), x3 0.400 (above 0.25), x2 0.300 (above 0.25)); "
        "probability moved by 0.300 (above 0.25); "
        "ROC AUC 0.750 on 900 labelled rows, more than 0.125 worse than the champion's 0.900"
    )
    assert judge(drift(0.1, 0.2), 900, GOOD, measured(900, 0.8), WATCH).reason == (
        "no drift: 0 of 2 inputs drifted (0%, not above 50%; most of all "
        "x1 0.200 (not above 0.25), x0 0.100 (not above 0.25)); "
        "probability moved by 0.050 (not above 0.25); "
        "ROC AUC 0.750 on 900 labelled rows, not more than 0.125 worse than the champion's 0.800"
    )


def test_a_reason_for_drift_tells_only_of_the_drift():
    judged = judge(drift(0.1, 0.1, prediction=0.3), 900, measured(3), measured(900, 0.8), WATCH)
    assert judged.reason == "drift: probability moved by 0.300 (above 0.25)"


def test_a_column_that_vanished_is_the_worst_and_one_that_never_was_the_least():
    inputs = (
        column("never", None, drifted=False),
        column("far", 0.9),
        column("near", 0.0),
        column("gone", None, drifted=True),
    )
    found, never = Drift(inputs, (column("probability", 0.9),), 5000, 900), measured(900)
    told = judge(found, 900, GOOD, never, Watch(drifted_share_max=0.1)).reason
    assert "most of all gone missing 0% → 100%, far 0.900 (above 0.25), near 0.000 (not" in told
    shifted = ColumnDrift("x", 0.1, 0.25, False, 0.0, 0.5)
    alone = Drift((shifted,), (column("probability", 0.0),), 1, 1)
    told = judge(alone, 900, GOOD, never, WATCH).reason
    assert "x 0.100 (not above 0.25), missing 0% → 50%" in told


def test_what_came_and_went_is_told_with_drift_and_without() -> None:
    new = column("depot", 0.1, notes=("new 'moon' (5 rows, 21%)", "gone 'north' (90 rows, 25%)"))
    told = judge(Drift((new,), (column("probability", 0.0),), 9, 9), 900, GOOD, GOOD, WATCH)
    assert told.drifted is False
    assert told.reason.endswith("; depot: new 'moon' (5 rows, 21%), gone 'north' (90 rows, 25%)")
    notes = [column(f"c{place}", place / 10, notes=("new 'x'",)) for place in range(5)]
    told = judge(Drift(tuple(notes), (column("y", 0.9),), 9, 9), 900, GOOD, GOOD, WATCH)
    assert told.drifted is True
    assert told.reason.endswith("; c4: new 'x'; c3: new 'x'; c2: new 'x'")  # those that moved most


@pytest.mark.parametrize(
    ("drifted", "expected", "why"),
    [
        ([True], False, "1 of the last 1 verdicts say drift, 2 of 3 are needed"),
        ([True, True], True, "2 of the last 2 verdicts say drift"),
        ([True, False, True], True, "2 of the last 3 verdicts say drift"),
        ([True, False, False, True], False, "1 of the last 3"),  # the fourth is too old
        ([True, None, True], True, "2 of the last 3 verdicts say drift (1 had too few rows)"),
        ([True, None, None, True], False, "1 of the last 3 verdicts say drift (2 had too few"),
        ([False, True, True], False, "but the newest does not"),
        ([None, True, True], False, "but the newest does not"),
        ([None, None, None], False, "0 of the last 3"),
    ],
)
def test_due_is_k_of_the_last_n_verdicts_and_the_newest(drifted, expected, why):
    due, said = is_due(drifted, WATCH, cutoff=day(1), end=day(20))
    assert due is expected
    assert said.startswith("due: " if expected else "not due: ")
    assert why in said


@pytest.mark.parametrize(
    ("end", "expected"), [(day(12, 23), False), (day(13), True), (day(14), True), (day(9), False)]
)
def test_the_champion_rests_after_its_cutoff(end, expected):
    due, said = is_due([True, True, True], WATCH, cutoff=day(10), end=end)
    assert due is expected
    assert ("rests until 2026-11-13 00:00" in said) is not expected


def test_an_interval_judged_again_counts_once_by_its_newest_verdict():
    verdicts = [
        PastVerdict(5, day(18), True),  # judged again, after the 19th and before the last one
        PastVerdict(1, day(18), False),
        PastVerdict(4, day(19), None),
        PastVerdict(2, day(19), True),
        PastVerdict(3, day(20), False),
    ]
    assert newest_first(verdicts) == [False, None, True]
    assert newest_first([]) == []
