"""A forecast as a picture, held against places that were worked out by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from millrace_pages import fan
from millrace_pages.fan import Hour

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hours: int, **said: float) -> Hour:
    return Hour(at=MIDNIGHT + hours * HOUR, **said)


# 8 hours over 856 places, 0 to 20 over 268: an hour is 107 wide, and 5 is 67 high.
BEFORE = [at(-4, outcome=5)]
AHEAD = [
    at(0, low=5, median=10, high=15, naive=10, is_planned=True, outcome=10),
    at(1, low=5, median=15, high=20, is_planned=True),
    at(3, low=0, median=5, high=10, naive=5),
]


def test_a_fan_has_a_step_an_hour_and_leaves_a_gap_where_nothing_is_said():
    found = fan.draw(BEFORE, AHEAD, MIDNIGHT)
    assert found.band == (
        "M480.0,93.0 H587.0 V227.0 H480.0 Z M587.0,26.0 H694.0 V227.0 H587.0 Z "
        "M801.0,160.0 H908.0 V294.0 H801.0 Z"
    )
    assert found.median == "M480.0,160.0 H587.0 V93.0 H694.0 M801.0,227.0 H908.0"
    assert found.naive == "M480.0,160.0 H587.0 M801.0,227.0 H908.0"
    assert found.outcome == "M52.0,227.0 H159.0 M480.0,160.0 H587.0"
    assert (found.made_x, found.plan_end_x) == (480, 694)


def test_its_axes_say_hours_ahead_instants_and_round_numbers():
    found = fan.draw(BEFORE, AHEAD, MIDNIGHT)
    said = [(tick.place, tick.label, tick.below) for tick in found.x_ticks]
    assert said[0] == (52, "-4 h", "19 Nov 20:00")
    assert said[4] == (480, "0 h", "20 Nov 00:00")
    assert said[-1] == (908, "+4 h", "20 Nov 04:00")
    assert [(tick.place, tick.label) for tick in found.y_ticks] == [
        (pytest.approx(place), label)
        for place, label in ((294, "0"), (227, "5"), (160, "10"), (93, "15"), (26, "20"))
    ]
    assert found.label == (
        "3 values ahead from 2026-11-20 00:00 UTC: medians from 5 to 15; the tables below say all"
    )


def test_long_forecasts_have_few_ticks_and_negative_values_a_place_below_zero():
    ahead = [at(n, low=-30, median=-20, high=40) for n in range(72)]
    found = fan.draw([], ahead, MIDNIGHT)
    assert [tick.label for tick in found.x_ticks] == [
        "0 h", "+12 h", "+24 h", "+36 h", "+48 h", "+60 h", "+72 h",
    ]  # fmt: skip
    assert [tick.label for tick in found.y_ticks] == ["-40", "-20", "0", "20", "40"]
    assert found.y_ticks[-1].place == fan.BOX.top


def test_a_single_hour_without_any_size_is_drawn_all_the_same():
    found = fan.draw([], [at(0, low=0, median=0, high=0)], MIDNIGHT)
    assert found.median == "M52.0,294.0 H908.0"
    assert found.made_x == 52
    above = fan.draw([], [at(0, low=30, median=35, high=40)], MIDNIGHT)
    assert [tick.label for tick in above.y_ticks] == ["0", "10", "20", "30", "40"]


@pytest.mark.parametrize(
    ("planned", "hours"), [((True, True), None), ((True, False), 1), ((False, False), 0)]
)
def test_the_plan_ends_with_the_last_hour_that_it_was_published_for(planned, hours):
    ahead = [at(number, is_planned=each) for number, each in enumerate(planned)]
    expected = None if hours is None else MIDNIGHT + hours * HOUR
    assert fan.plan_ends(ahead, HOUR, MIDNIGHT) == expected
