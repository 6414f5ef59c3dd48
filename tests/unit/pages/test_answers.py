"""Answers as they are shown: pure functions of rows."""

import math
from datetime import UTC, datetime, timedelta
from itertools import product

import pyarrow as pa
import pytest
from millrace_pages import (
    answered,
    answers_fan,
    answers_list,
    answers_table,
    drift,
    subjects,
    words,
)
from millrace_pages.answers_list import Place

from models.tasks import Forecast, Ranking
from models.tasks.forecast import Levels
from pipelines.core.errors import MillraceError
from pipelines.insight import values
from pipelines.use_cases.spec.model import Model

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_list_has_places_names_and_what_was_taken():
    found = answers_list.places(["7", "8"], [0.5, 0.25], {"7": "Seven"}, ["8", "9"], ["7"])
    assert found == [
        Place(1, "7", "Seven", 0.5, was_taken=False, is_taken=True),
        Place(2, "8", None, 0.25, was_taken=True, is_taken=False),
    ]
    (unknown,) = answers_list.places(["7"], [0.5], {}, [], None)
    assert unknown.is_taken is None
    assert answers_list.called(["7", "9"], {"7": "Seven"}) == ["Seven", "9"]


def test_of_a_long_list_the_first_ten_are_shown():
    many = [str(number) for number in range(200)]
    assert values.in_words(many) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 190 more"
    assert values.in_words(many[:10]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert words.value([0.25, 1.0]) == "0.2500, 1.0000"
    assert words.value([]) == "none"
    assert words.value([None]) == "None"
    assert words.value(None) == words.NONE
    assert words.value({"a": 0.5, "b": [True]}) == "(a 0.5000, b yes)"
    assert words.value(MIDNIGHT) == "2026-11-20 00:00"


def row(**changes):
    return {
        "id": "a,b",
        "decided_at": MIDNIGHT,
        "model_version": 3,
        "said": 0.5,
        "predicted_at": MIDNIGHT,
        **changes,
    }


MODEL = Model(name="m", task="binary", family="trees", row_key=("id",), label="y")


def test_answers_come_newest_first_then_by_key_each_with_its_prediction():
    rows = [row(id="b"), row(), row(id="c", decided_at=MIDNIGHT + HOUR)]
    found = answers_table.lines(MODEL, ["said"], rows)
    assert [line.key for line in found] == [("c",), ("a,b",), ("b",)]
    assert found[1].id == "a%2Cb@2026-11-20T00:00:00Z@v3"
    assert (found[1].answer, found[1].version) == ((0.5,), 3)


def test_of_several_answers_to_one_decision_the_last_counts():
    rows = [row(said=1), row(id="b"), row(said=2, predicted_at=MIDNIGHT + HOUR), row(said=3)]
    found = answered.newest(rows, ("id", "decided_at"), "predicted_at")
    assert [(each["id"], each["said"]) for each in found] == [("a,b", 2), ("b", 0.5)]


KEYS = [("EWR", "UA"), ("EWR", "all"), ("JFK", "a,b")]


def test_one_is_chosen_from_those_that_there_are():
    first = subjects.choose(("origin", "carrier"), KEYS, "")
    assert first.values == {"origin": "EWR", "carrier": "UA"}
    assert first.listed == {"EWR,UA": "EWR, UA", "EWR,all": "EWR, all", "JFK,a%2Cb": "JFK, a,b"}
    assert subjects.choose(("origin", "carrier"), KEYS, " JFK,a%2Cb ").values == {
        "origin": "JFK",
        "carrier": "a,b",
    }
    nobody = subjects.choose(("origin", "carrier"), KEYS, "LGA,UA")
    assert (nobody.asked, nobody.values, nobody.total) == ("LGA,UA", None, 3)
    assert subjects.choose(("origin",), [], "").values is None


def test_of_very_many_the_first_are_listed_and_any_can_be_asked_for():
    keys = [(f"{a}{b}",) for a, b in product("abcdefghij", range(60))]
    found = subjects.choose(("person",), keys, "j59")
    assert (len(found.listed), found.total, found.are_all_listed) == (500, 600, False)
    assert found.values == {"person": "j59"}


SCHEMA = pa.schema(
    {
        "shop": pa.string(),
        "ware": pa.int64(),
        "target_hour_at": pa.timestamp("us", "UTC"),
        "horizon_hours": pa.int32(),
    }
)
TASK = Forecast(naive="naive", published="is_published")


def test_the_series_is_what_is_left_of_the_row_key():
    found = answers_fan.columns(SCHEMA.names, SCHEMA, TASK)
    assert (found.at, found.series) == ("target_hour_at", ("shop", "ware"))
    with pytest.raises(MillraceError, match="has no instant"):
        answers_fan.columns(["shop", "ware"], SCHEMA, TASK)


def test_wholes_lead_their_parts():
    levels = Levels(column="carrier", whole="all", by=("origin",))
    task = Forecast(naive="naive", published="is_published", levels=levels)
    led = answers_fan.wholes_first(KEYS, ("origin", "carrier"), task)
    assert led == [("EWR", "all"), ("EWR", "UA"), ("JFK", "a,b")]
    assert answers_fan.wholes_first(KEYS, ("origin", "carrier"), TASK) == KEYS


def test_each_hour_has_what_was_said_beside_what_came():
    known = answers_fan.columns(SCHEMA.names, SCHEMA, TASK)
    said = {"low": 1.0, "prediction": 2.0, "high": 3.0, "naive": 4.0}
    rows = [
        {"target_hour_at": MIDNIGHT, **said, "is_published": 1.0},
        {"target_hour_at": MIDNIGHT + HOUR, **said, "naive": math.nan, "is_published": False},
    ]
    outcomes = {MIDNIGHT - 2 * HOUR: 6.0, MIDNIGHT - HOUR: None, MIDNIGHT: 5.0}
    del said["naive"]
    rows += [{"target_hour_at": MIDNIGHT + 2 * HOUR, **said}]  # of before it had these inputs
    first, second, third = answers_fan.hours(rows, outcomes, known)
    assert (first.at, first.low, first.median, first.high, first.naive) == (MIDNIGHT, 1, 2, 3, 4)
    assert (first.is_planned, first.outcome) == (True, 5.0)
    assert (second.is_planned, second.outcome, second.naive) == (False, None, None)
    assert (third.is_planned, third.naive) == (False, None)
    past = answers_fan.past(outcomes, MIDNIGHT - HOUR, MIDNIGHT)
    assert [(hour.at, hour.outcome, hour.median) for hour in past] == [
        (MIDNIGHT - HOUR, None, None)
    ]


def test_facts_of_answers_stand_beside_each_other_under_their_titles():
    statistics = {
        "answer_facts": {"num_items": 40.0, "fallback_share": 0.5},
        "answer_facts_of_reference": {"num_items": 60.0},
    }
    assert drift.answer_facts(statistics, Ranking.fact_titles) == [
        ("Different items in all lists", 40.0, 60.0),
        ("Share of lists that are a fallback", 0.5, None),
    ]
    assert drift.answer_facts({"num_rows": 3}, {}) == []
