"""The predicate of an interval is literal, prunes partitions, and covers it exactly."""

import pytest

from pipelines.stores.delta import partition_predicate
from pipelines.use_cases.spec.interval import Interval


@pytest.mark.parametrize(
    ("key", "predicate"),
    [
        ("2026-11-20", "known_date between date'2026-11-20' and date'2026-11-20'"),
        ("2026-01-01/2026-03-31", "known_date between date'2026-01-01' and date'2026-03-31'"),
        (
            "2026-11-20T23",
            "known_date between date'2026-11-20' and date'2026-11-20'"
            " and known_at >= timestamp'2026-11-20 23:00:00Z'"
            " and known_at < timestamp'2026-11-21 00:00:00Z'",
        ),
    ],
)
def test_predicate(key, predicate):
    assert partition_predicate(Interval.parse(key)) == predicate
