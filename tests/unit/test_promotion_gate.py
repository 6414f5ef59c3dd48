"""The gate: what is promoted, what is kept, and that nothing passes for lack of data."""

from dataclasses import replace

import numpy as np
import pytest

from models.tasks import Binary, Regression
from models.tasks.bootstrap import ConfidenceInterval
from models.tasks.task import Evidence
from pipelines.core.errors import MillraceError
from pipelines.learning.gate import Seen, metric_of, seen, verdict
from pipelines.use_cases.spec.model import Gate

GATE = Gate(num_rows_min=1000, floor=0.6, loss_max=0.01)
ROC_AUC = Binary().metric("roc_auc")
LOG_LOSS = Binary().metric("log_loss")


def interval(estimate, low, high):
    return ConfidenceInterval(estimate, low, high, 0.95)


GOOD = interval(0.75, 0.72, 0.78)


def found(value=GOOD, gain=None, num_rows=1000, lacking="", metric=ROC_AUC):
    return Seen(metric, num_rows, lacking, value, gain)


@pytest.mark.parametrize(
    ("looked_at", "has_champion", "passed", "said"),
    [
        (found(), False, True, "ROC AUC 0.750 (0.720 to 0.780); the first champion"),
        (found(num_rows=999), False, False, "999 evaluation rows, 1,000 are needed"),
        (found(lacking="99 rows of the rarer outcome"), False, False, "99 rows of the rarer"),
        (found(None), False, False, "undefined"),
        (found(interval(0.62, 0.59, 0.65)), False, False, "its lower end must reach 0.6"),
        (found(interval(0.62, 0.6, 0.65)), False, True, "0.620"),
        (found(gain=interval(0.005, -0.01, 0.02)), True, True, "a gain of +0.005"),
        (found(gain=interval(0.005, -0.011, 0.02)), True, False, "may lose 0.01"),
        (found(gain=interval(-0.05, -0.06, -0.04)), True, False, "-0.050"),
        # With a champion, no comparison is no proof.
        (found(), True, False, "undefined"),
    ],
)
def test_what_the_gate_says(looked_at, has_champion, passed, said):
    answer, reason = verdict(GATE, looked_at, has_champion=has_champion)
    assert answer is passed
    assert said in reason


@pytest.mark.parametrize(
    ("value", "passed", "said"),
    [
        (interval(0.5, 0.45, 0.6), True, "Log loss 0.500"),
        (interval(0.5, 0.45, 0.61), False, "its upper end must reach 0.6"),
    ],
)
def test_of_a_metric_that_is_to_be_low_the_upper_end_counts(value, passed, said):
    answer, reason = verdict(GATE, found(value, metric=LOG_LOSS), has_champion=False)
    assert answer is passed
    assert said in reason


def test_a_metric_says_what_is_enough_unless_the_gate_does():
    own = Gate()
    weak = found(interval(0.58, 0.55, 0.61))
    assert verdict(own, weak, has_champion=False) == (
        False,
        "ROC AUC 0.580 (0.550 to 0.610), its lower end must reach 0.6",
    )
    assert verdict(replace(own, floor=0.5), weak, has_champion=False)[0]


def test_what_only_the_case_can_know_must_be_said():
    gate, task = Gate(metric="mean_absolute_error"), Regression()
    lost = found(interval(9.0, 8.0, 10.0), metric=metric_of(gate, task))
    with pytest.raises(MillraceError, match=r"Gate.floor: mean_absolute_error is in the label's"):
        verdict(gate, lost, has_champion=False)
    assert verdict(replace(gate, floor=11), lost, has_champion=False)[0]


def test_a_metric_that_the_task_has_not_is_refused_with_those_it_has():
    with pytest.raises(MillraceError, match=r"Gate.metric: binary has no metric 'ndcg'; it has"):
        metric_of(Gate(metric="ndcg"), Binary())


def evidence(shift):
    """Of ten days; the answers are right but for what they are shifted by."""
    rng = np.random.default_rng(1)
    label = np.tile([0.0, 1.0], 100)
    said = np.clip(label * 0.5 + rng.uniform(0, 0.5, 200) * shift, 0, 1)
    return Evidence(label, said[:, None], np.repeat(np.arange(10), 20))


def test_a_gain_is_above_zero_where_the_challenger_is_better_whatever_the_metric():
    print("seed 1")
    better, worse = evidence(0.5), evidence(1.6)
    for name in ("roc_auc", "log_loss"):
        looked = seen(Gate(metric=name), Binary(), better, worse)
        assert looked.gain.low > 0
        assert seen(Gate(metric=name), Binary(), worse, better).gain.high < 0
    assert seen(Gate(), Binary(), better, None).gain is None


def test_a_task_says_what_its_evidence_lacks():
    few = seen(Gate(num_rows_min=10), Binary(num_class_rows_min=101), evidence(0.5), None)
    assert few.lacking == "100 rows of the rarer outcome, 101 are needed"
    assert verdict(Gate(num_rows_min=10), few, has_champion=False) == (False, few.lacking)
