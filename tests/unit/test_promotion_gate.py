"""The gate: what is promoted, what is kept, and that nothing passes for lack of data."""

import pytest

from models.bootstrap import ConfidenceInterval
from pipelines.learning.promote import Evidence, verdict
from pipelines.use_cases.spec.training import Gate

GATE = Gate(num_rows_min=1000, num_class_rows_min=100, roc_auc_min=0.6, roc_auc_loss_max=0.01)
GOOD = ConfidenceInterval(0.75, 0.72, 0.78, 0.95)


def gain(estimate, low, high):
    return ConfidenceInterval(estimate, low, high, 0.95)


@pytest.mark.parametrize(
    ("evidence", "has_champion", "passed", "said"),
    [
        (Evidence(1000, 100, GOOD, None), False, True, "the first champion"),
        (Evidence(999, 100, GOOD, None), False, False, "999 evaluation rows, 1,000 are needed"),
        (Evidence(1000, 99, GOOD, None), False, False, "99 rows of the rarer outcome"),
        (Evidence(1000, 100, None, None), False, False, "undefined"),
        (Evidence(1000, 100, gain(0.62, 0.59, 0.65), None), False, False, "must reach 0.6"),
        (Evidence(1000, 100, gain(0.62, 0.6, 0.65), None), False, True, "0.620"),
        (Evidence(1000, 100, GOOD, gain(0.005, -0.01, 0.02)), True, True, "+0.005"),
        (Evidence(1000, 100, GOOD, gain(0.005, -0.011, 0.02)), True, False, "may lose 0.01"),
        (Evidence(1000, 100, GOOD, gain(-0.05, -0.06, -0.04)), True, False, "-0.050"),
        # With a champion, no comparison is no proof.
        (Evidence(1000, 100, GOOD, None), True, False, "undefined"),
    ],
)
def test_what_the_gate_says(evidence, has_champion, passed, said):
    found, reason = verdict(GATE, evidence, has_champion=has_champion)
    assert found is passed
    assert said in reason
