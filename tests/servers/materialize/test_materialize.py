"""Online = offline, whatever came between (R11, R16, R17); on the real Spark and Postgres."""

from datetime import timedelta
from typing import Any

import pytest

from pipelines.core.errors import CheckFailed, Superseded
from pipelines.data import materialize
from pipelines.stores import delta, feast
from tests.servers.contexts import replace_holder
from tests.servers.materialize.world import (
    CASE,
    DAILY,
    DAY_1,
    DAY_2,
    DAY_3,
    HISTORY,
    PAIRS,
    SCHEMAS,
    definitions,
    rows_of,
)

PAIR = {"first": "1,12", "second": "x"}


def test_online_is_offline_for_every_entity_at_the_end_of_each_interval(world):
    """Also over a paused day: day 2 is never asked for."""
    world.published(DAY_1)
    first = world.bring_online(DAY_1)
    world.assert_online_is_offline(DAY_1.end)
    assert first.details.definitions_applied is True
    assert first.details.online_as_of == dict.fromkeys(SCHEMAS, DAY_1.end)
    world.published(DAY_3)
    second = world.bring_online(DAY_3)
    world.assert_online_is_offline(DAY_3.end)
    assert second.details.definitions_applied is False
    assert world.marks() == {DAY_3.end}


def test_keys_that_only_differ_by_where_the_comma_is_are_different_entities(world):
    world.published(DAY_1)
    world.bring_online(DAY_1)
    entities = [PAIR, {"first": "1", "second": "12,x"}, {"first": "1,1", "second": "2,x"}]
    values = [row["delay_minutes_mean_3h"] for row in world.online(PAIRS, entities, DAY_1.end)]
    assert values == [25.0, -1.0, None]


def test_an_older_interval_leaves_the_online_store_alone(world):
    world.published(HISTORY)
    world.bring_online(DAY_3)
    before = world.dump()
    outcome = world.bring_online(DAY_1)
    assert outcome.details.left_alone == ["daily_states", "pair_states"]
    assert outcome.details.online_as_of == {}
    assert world.dump() == before
    assert world.marks() == {DAY_3.end}


def test_a_gold_table_that_is_not_published_that_far_is_refused_before_anything_is_written(world):
    world.published(DAY_2)
    with pytest.raises(CheckFailed, match=r"pair_states is published up to 2026-11-18 00:00:00"):
        world.bring_online(DAY_3)
    assert world.dump() == []
    assert world.marks() == set()


def test_an_expired_state_is_unknown_on_reading_which_feast_leaves_to_us(world):
    world.published(DAY_1)
    world.bring_online(DAY_1)
    last = DAY_1.end + timedelta(minutes=PAIRS.ttl_minutes)
    (usable,) = world.online(PAIRS, [PAIR], last)
    (expired,) = world.online(PAIRS, [PAIR], last + timedelta(seconds=1))
    assert (usable["num_overdue"], usable["known_at"]) == (24, DAY_1.end)
    assert expired == PAIR | {"known_at": None, "delay_minutes_mean_3h": None, "num_overdue": None}
    store = feast.store(world.settings, CASE.name)
    by_feast = store.get_online_features(["t_feast_pair_states:num_overdue"], [PAIR]).to_dict()
    assert by_feast["num_overdue"] == [24]  # years later, too: see `pipelines.stores.online`


def test_r17_feast_itself_can_not_put_an_older_state_over_a_newer_one(world):
    world.published(HISTORY)
    world.bring_online(DAY_3)
    before = world.online(PAIRS, [PAIR], DAY_3.end)
    store = feast.store(world.settings, CASE.name)
    feast.materialize(store, "t_feast_pair_states", DAY_1.start, DAY_1.end)
    assert world.online(PAIRS, [PAIR], DAY_3.end) == before


def test_a_removed_online_store_is_filled_as_of_the_mark(world):
    world.published(HISTORY)
    world.bring_online(DAY_3)
    world.remove_online()
    world.bring_online(DAY_1)
    world.assert_online_is_offline(DAY_3.end)
    assert world.marks() == {DAY_3.end}


def test_an_online_store_of_an_earlier_version_is_filled_as_of_the_mark(world):
    world.published(HISTORY)
    world.bring_online(DAY_3)
    world.age_online()
    again = world.bring_online(DAY_1)
    assert again.details.online_as_of == dict.fromkeys(SCHEMAS, DAY_3.end)
    world.assert_online_is_offline(DAY_3.end)


def test_a_rebuilt_day_takes_away_what_it_no_longer_has(world):
    """And leaves the other view, of which nothing was published, alone."""
    gone = {"first": "1", "second": "12,x"}
    world.published(HISTORY)
    world.bring_online(DAY_3)
    assert world.online(PAIRS, [gone], DAY_3.end)[0]["known_at"]
    rows = [row for row in rows_of(DAY_3, 4.0)["pair_states"] if row[0] != "1"]
    world.rebuild("pair_states", rows, DAY_3)
    again = world.bring_online(DAY_3)
    assert again.details.left_alone == ["daily_states"]
    there, away = world.online(PAIRS, [PAIR, gone], DAY_3.end)
    assert (there["delay_minutes_mean_3h"], there["known_at"]) == (28.0, DAY_3.end)
    assert away == gone | {"known_at": None, "delay_minutes_mean_3h": None, "num_overdue": None}


def test_r16_an_attempt_that_died_between_two_views_is_taken_up_again(world, monkeypatch):
    """It also left its view marked as being written, which must not shut readers out."""
    from feast.feature_view import FeatureViewState

    world.published(DAY_1)
    whole = feast.materialize

    def die_at_the_second(store: Any, view: str, *given: Any) -> None:
        if view == "t_feast_daily_states":
            left = store.get_feature_view(view)
            left.state = FeatureViewState.MATERIALIZING
            store.registry.apply_feature_view(left, CASE.name, commit=True)
            raise KeyboardInterrupt
        whole(store, view, *given)

    monkeypatch.setattr(feast, "materialize", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        world.bring_online(DAY_1)
    assert world.online(DAILY, [{"first": "1"}], DAY_1.end)[0]["is_hub"] is None
    monkeypatch.undo()
    again = world.bring_online(DAY_1)
    assert set(again.details.online_as_of) == set(SCHEMAS)
    world.assert_online_is_offline(DAY_1.end)


def test_r11_an_attempt_that_was_replaced_writes_nothing_online(world):
    world.published(HISTORY)
    world.bring_online(DAY_1)
    before = world.dump()
    with world.context(DAY_2) as context:
        replace_holder(world.journal, CASE.name, "features")
        with pytest.raises(Superseded):
            materialize.bring_online(context, definitions())
    assert world.dump() == before
    assert world.marks() == {DAY_1.end}


def test_states_come_from_the_pinned_version_whatever_the_view_shows(world):
    """Its view is swapped by a publication that this attempt does not know of."""
    world.published(DAY_1)
    world.bring_online(DAY_1)
    before = world.online(PAIRS, [PAIR], DAY_1.end)
    view, build = CASE.table("gold", "pair_states"), CASE.build_table("gold", "pair_states")
    world.remove_online()
    world.spark.sql(f"create or replace view {view} as select * from {build} where false")
    try:
        world.bring_online(DAY_1)
        assert world.online(PAIRS, [PAIR], DAY_1.end) == before
    finally:
        delta.publish(world.spark, build, view, world.gold["pair_states"])
    world.assert_online_is_offline(DAY_1.end)
