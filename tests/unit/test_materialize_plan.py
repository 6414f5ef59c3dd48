"""Which states of a view are brought online, and as of which instant."""

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.data.materialize import Fill, Mark, Publication, fill


def day(number: int) -> datetime:
    return datetime(2026, 11, number, tzinfo=UTC)


def whole(number: int) -> Fill:
    """All of the TTL up to a day's beginning."""
    return Fill(day(number) - TTL, day(number))


def published(number: int, version: int) -> Publication:
    """The day that ends where day `number` begins."""
    return Publication(day(number - 1), day(number), version)


TTL = timedelta(days=2)
MARK = Mark(day(20), version=7)
AFTER_IT = day(20) + timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("end", "mark", "publications", "anew", "expected"),
    [
        (day(18), None, [], False, whole(18)),  # the first time
        (day(21), MARK, [published(21, 8)], False, Fill(AFTER_IT, day(21))),  # a newer interval
        (day(22), MARK, [published(22, 9)], False, Fill(AFTER_IT, day(22))),  # a paused day
        (day(23), MARK, [published(23, 8)], False, whole(23)),  # a pause longer than the TTL
        (day(21), MARK, [published(20, 8)], False, whole(21)),  # newer, and one rebuilt
        (day(21), MARK, [published(18, 8)], False, Fill(AFTER_IT, day(21))),  # rebuilt, too old
        (day(21), MARK, [], True, whole(21)),  # newer, with a new feature
        (day(20), MARK, [published(20, 7)], False, None),  # the same one again
        (day(19), MARK, [published(19, 6)], False, None),  # an older one
        (day(20), MARK, [published(21, 8)], False, None),  # the next one is published already
        (day(20), MARK, [published(20, 8)], False, whole(20)),  # rebuilt since
        (day(19), MARK, [published(19, 8)], False, whole(20)),  # rebuilt within the TTL
        (day(18), MARK, [published(18, 8)], False, whole(20)),  # just within it
        (day(17), MARK, [published(17, 8)], False, None),  # too old to be online
        (day(17), MARK, [published(17, 7)], True, whole(20)),  # a new feature
    ],
)
def test_the_online_store_is_as_of_its_mark_which_never_moves_back(
    end, mark, publications, anew, expected
):
    assert fill(end, TTL, mark, publications, anew=anew) == expected
