"""The split in time and the retraining cadence."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from pipelines.due import by_cadence
from pipelines.use_cases import find
from pipelines.use_cases.spec import UseCase
from pipelines.use_cases.training import Training

CUTOFF = datetime(2026, 11, 21, tzinfo=UTC)


def test_the_parts_follow_each_other_up_to_the_cutoff():
    parts = Training(row_key=("id",), label="y", look_back_days=90).split(CUTOFF).parts
    assert list(parts) == ["training", "validation", "evaluation"]
    for (_, end), (start, _) in pairwise(parts.values()):
        assert end == start
    lengths = [(end - start).days for start, end in parts.values()]
    assert lengths == [69, 7, 14]
    assert parts["evaluation"][1] == CUTOFF


@pytest.mark.parametrize("days", [(90, 76, 14), (90, 0, 14), (90, 7, 0)])
def test_a_split_that_leaves_a_part_empty_is_refused(days):
    look_back, validation, evaluation = days
    with pytest.raises(ValueError, match="days"):
        Training(
            row_key=("id",),
            label="y",
            look_back_days=look_back,
            validation_days=validation,
            evaluation_days=evaluation,
        )


@pytest.mark.parametrize(
    ("cadence", "days", "due"),
    [
        ("nightly", 0, False),
        ("nightly", 1, True),
        ("weekly", 6, False),
        ("weekly", 7, True),
        ("on drift", 400, False),
        ("nightly", -3, False),
    ],
)
def test_the_cadence_counts_from_the_last_models_cutoff(cadence, days, due):
    assert by_cadence(cadence, CUTOFF - timedelta(days=days), CUTOFF) is due


def _case(**changes):
    empty = {"description": "", "feeds": (), "silver": (), "entity_states": ()}
    return UseCase(name="t", **{**empty, **changes})


def test_a_case_with_a_model_hands_over_by_decisions_and_labels():
    training = Training(row_key=("id",), label="y")
    with pytest.raises(ValueError, match="'labels'"):
        _case(gold=("decisions",), training=training)
    with pytest.raises(ValueError, match="looks back 90 days"):
        _case(gold=("decisions", "labels"), training=training, history_days_max=60)
    assert find("flight_delays").training.row_key == ("flight_id",)
