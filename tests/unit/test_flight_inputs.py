"""The rotation of an aircraft, computed for a few decisions by hand."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from models.flight_delays import ROTATION, derive

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def decision(leg, last, *, arrival=None, departure=None, leg_at=None, slack=60.0):
    return {
        "known_at": AT,
        "previous_leg_flight_id": leg,
        "previous_leg_scheduled_departure_at": leg_at,
        "rotation_slack_minutes": slack,
        "tail_states__last_flight_id": last,
        "tail_states__last_arrival_delay_minutes": arrival,
        "tail_states__last_departure_delay_minutes": departure,
    }


SCHEMA = pa.schema(
    {
        "known_at": pa.timestamp("us", "UTC"),
        "previous_leg_flight_id": pa.string(),
        "previous_leg_scheduled_departure_at": pa.timestamp("us", "UTC"),
        "rotation_slack_minutes": pa.float64(),
        "tail_states__last_flight_id": pa.string(),
        "tail_states__last_arrival_delay_minutes": pa.int32(),
        "tail_states__last_departure_delay_minutes": pa.int32(),
    }
)
EARLIER, LATER = (datetime(2026, 11, 20, hour, 30, tzinfo=UTC) for hour in (11, 13))
NO = float("nan")


@pytest.mark.parametrize(
    ("row", "left", "overdue", "delay", "slack"),
    [
        # The leg has landed: its arrival's delay counts.
        (decision("a", "a", arrival=25, departure=40, leg_at=EARLIER), 1, 0, 25, 35),
        # It is in the air: its departure's delay is all that is known.
        (decision("a", "a", departure=40, leg_at=EARLIER), 1, 0, 40, 20),
        # It should have left half an hour ago: it leaves now at best.
        (decision("a", "b", arrival=99, leg_at=EARLIER), 0, 30, NO, 30),
        # It is not due yet.
        (decision("a", None, leg_at=LATER), 0, 0, NO, 60),
        # No leg is planned before this flight: nothing is known, and nothing is made up.
        (decision(None, "b", arrival=99, slack=None), NO, NO, NO, NO),
    ],
)
def test_where_the_aircraft_is(row, left, overdue, delay, slack):
    table = derive(pa.Table.from_pylist([row], SCHEMA))
    found = [table[name].to_numpy()[0] for name in ROTATION]
    np.testing.assert_array_equal(np.array(found, float), [left, overdue, delay, slack])


def test_no_rows_give_the_columns():
    """Their types are what Spark is told beforehand."""
    empty = derive(SCHEMA.empty_table())
    assert [str(empty.schema.field(name).type) for name in ROTATION] == ["double"] * 4
