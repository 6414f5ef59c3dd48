"""The stretches of a join, and the note of what it holds."""

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.learning.assemble.joined import Kept, stretches

START = datetime(2026, 8, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "lengths"), [(0, []), (-1, []), (1, [1]), (20, [20]), (21, [20, 1]), (45, [20, 20, 5])]
)
def test_stretches_follow_each_other_and_are_twenty_days_at_most(days, lengths):
    end = START + timedelta(days=days)
    found = list(stretches(START, end))
    assert [(until - begin).days for begin, until in found] == lengths
    edges = [START, *(until for _, until in found)]
    assert [begin for begin, _ in found] == edges[:-1]
    assert edges[-1] == max(START, end)


def test_a_note_survives_the_journal():
    kept = Kept(
        table="build.gold_t_joined",
        version=7,
        since=START,
        until=START + timedelta(days=90),
        publication=12,
        definitions="a digest",
    )
    assert Kept.from_json(kept.to_json()) == kept
    assert kept.to_json()["since"] == "2026-08-22T00:00:00+00:00"
