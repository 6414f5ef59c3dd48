"""The split in time and the retraining cadence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from pipelines.core.errors import UsageError
from pipelines.learning.due_training import by_cadence
from pipelines.use_cases import find
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import Column, EntityState, Feed, UseCase

CUTOFF = datetime(2026, 11, 21, tzinfo=UTC)
MODEL = Model(name="rain", task="binary", family="trees", row_key=("id",), label="y")


def test_the_parts_follow_each_other_up_to_the_cutoff():
    parts = replace(MODEL, look_back_days=90).split(CUTOFF).parts
    assert list(parts) == ["training", "validation", "evaluation"]
    for (_, end), (start, _) in pairwise(parts.values()):
        assert end == start
    lengths = [(end - start).days for start, end in parts.values()]
    assert lengths == [69, 7, 14]
    assert parts["evaluation"][1] == CUTOFF


@pytest.mark.parametrize("days", [(90, 76, 14), (90, 80, 14), (90, 0, 14), (90, 7, 0)])
def test_a_split_that_leaves_a_part_empty_is_refused(days):
    look_back, validation, evaluation = days
    with pytest.raises(ValueError, match="days"):
        replace(
            MODEL,
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
    with pytest.raises(ValueError, match="'labels'"):
        _case(gold=("decisions",), models=(MODEL,))
    with pytest.raises(ValueError, match="model 'rain' looks back 90 days"):
        _case(gold=("decisions", "labels"), models=(MODEL,), history_days_max=60)
    assert find("flight_delays").model("late").row_key == ("flight_id",)


def test_each_model_of_a_case_has_tables_of_its_own():
    second = replace(MODEL, name="inches", prefix="inches_")
    case = _case(gold=("decisions", "labels"), models=(MODEL, second))
    own = ("training_set", "predictions", "inches_training_set", "inches_predictions")
    assert case.all_tables[-4:] == tuple(f"gold.t_{name}" for name in own)
    for clash in (replace(second, prefix=""), replace(second, name="rain")):
        with pytest.raises(ValueError, match="each needs a name and a prefix of its own"):
            _case(gold=("decisions", "labels"), models=(MODEL, clash))


@pytest.mark.parametrize("name", ["", "Rain", "a-b", "1st", "x" * 33, "late.v2", "a/b"])
def test_a_model_has_a_name_that_tables_and_folders_can_have(name):
    with pytest.raises(ValueError, match="is not a lower-case identifier of 32 at most"):
        replace(MODEL, name=name)
    if name:
        with pytest.raises(ValueError, match="is not a lower-case identifier of 32 at most"):
            replace(MODEL, prefix=name)


def test_which_model_is_asked_only_where_there_are_several():
    hands_over = ("decisions", "labels")
    one = _case(gold=hands_over, models=(MODEL,))
    assert one.model() == one.model("rain") == MODEL
    two = _case(gold=hands_over, models=(MODEL, replace(MODEL, name="inches", prefix="inches_")))
    assert two.model("inches").prefix == "inches_"
    with pytest.raises(UsageError, match="t has the models rain, inches: say which, as --model"):
        two.model()
    with pytest.raises(UsageError, match="t has no model 'snow'; it has rain, inches"):
        two.model("snow")
    with pytest.raises(UsageError, match="t has no model: give its UseCase `models`"):
        _case().model()


@pytest.mark.parametrize("name", ["Gold", "a-b", "1st", "x; drop table", ""])
def test_names_that_would_not_be_tables_are_refused(name):
    said = "is not a lower-case identifier"
    with pytest.raises(ValueError, match=said):
        UseCase(name=name, description="", feeds=(), silver=(), entity_states=())
    for layer in ("silver", "gold"):
        with pytest.raises(ValueError, match=said):
            _case(**{layer: (name,)})
    with pytest.raises(ValueError, match=said):
        _case(feeds=(_feed(name=name),))


@pytest.mark.parametrize("rate", [-0.01, 1.01, float("nan")])
def test_the_quarantine_rate_is_a_share(rate):
    with pytest.raises(ValueError, match="quarantine_rate_max is a share"):
        _case(quarantine_rate_max=rate)
    assert _case(quarantine_rate_max=1.0).quarantine_rate_max == 1


def _feed(*names, name="readings", **changes):
    columns = tuple(Column(each, "string", "") for each in names or ("id", "event_at", "known_at"))
    return Feed(
        **{"name": name, "description": "", "format": "csv", "key": ("id",), **changes},
        columns=columns,
    )


@pytest.mark.parametrize(
    ("names", "kind", "lacks"),
    [
        (("event_at", "known_at"), "fact", "id"),
        (("id", "event_at"), "fact", "known_at"),
        (("id", "known_at"), "fact", "event_at"),
        (("id", "event_at"), "snapshot", "known_at"),
    ],
)
def test_a_feed_has_its_key_and_its_times_among_its_columns(names, kind, lacks):
    with pytest.raises(ValueError, match=rf"columns lack \['{lacks}'\]; add a Column for each"):
        _feed(*names, kind=kind)
    assert _feed("id", "known_at", kind="snapshot").column_names == ("id", "known_at")


def test_of_a_snapshot_the_newest_part_is_fetched_and_of_facts_all():
    week = Interval.parse("2026-11-14/2026-11-20")
    assert len(_feed().parts(week, "day")) == 7
    (newest,) = _feed("id", "known_at", kind="snapshot").parts(week, "day")
    assert newest.key == "2026-11-20"


def test_an_unknown_feed_is_refused_with_those_that_there_are():
    case = _case(feeds=(_feed(), _feed(name="others")))
    assert case.feed("others").name == "others"
    with pytest.raises(UsageError, match=r"t has no feed 'x'; it has \['readings', 'others'\]"):
        case.feed("x")


def test_items_have_their_names_in_a_state_whose_one_key_they_are():
    states = (
        EntityState(name="films", keys=("film_id",), step_minutes=1440, ttl_minutes=2880),
        EntityState(name="pairs", keys=("film_id", "day"), step_minutes=1440, ttl_minutes=2880),
    )
    gold = ("decisions", "labels")

    def case(item_names):
        model = replace(MODEL, item_names=item_names)
        return _case(entity_states=states, gold=gold, models=(model,))

    named = case("gold.films.title")
    assert named.item_names(named.models[0]) == (states[0], "title")
    assert case("").item_names(MODEL) is None
    for wrong in ("gold.films", "silver.films.title", "gold.pairs.title", "gold.books.title"):
        with pytest.raises(ValueError, match=r"of an entity state .* there is gold\.films$"):
            case(wrong)
