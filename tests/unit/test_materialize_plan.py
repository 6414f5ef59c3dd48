"""When a view is written online, and as of which instant."""

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.data.materialize import Reach, instant_to_write


def day(number: int) -> datetime:
    return datetime(2026, 11, number, tzinfo=UTC)


TTL = timedelta(days=2)
MARK = Reach(day(20), version=7)


@pytest.mark.parametrize(
    ("end", "mark", "publications", "redefined", "expected"),
    [
        (day(18), None, [], False, day(18)),  # the first time
        (day(21), MARK, [], False, day(21)),  # a newer interval
        (day(20), MARK, [Reach(day(20), 7)], False, None),  # the same one again
        (day(19), MARK, [Reach(day(19), 6)], False, None),  # an older one
        (day(20), MARK, [Reach(day(20), 8)], False, day(20)),  # rebuilt since
        (day(19), MARK, [Reach(day(19), 8)], False, day(20)),  # rebuilt within the TTL
        (day(18), MARK, [Reach(day(18), 8)], False, day(20)),  # just within it
        (day(17), MARK, [Reach(day(17), 8)], False, None),  # too old to be online
        (day(17), MARK, [Reach(day(17), 7)], True, day(20)),  # a new feature
    ],
)
def test_the_online_store_is_as_of_its_mark_which_never_moves_back(
    end, mark, publications, redefined, expected
):
    assert instant_to_write(end, TTL, mark, publications, redefined=redefined) == expected
