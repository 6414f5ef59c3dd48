"""The models of the first case: will this flight arrive late, and by how many minutes?"""

from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import Columns
from models.spec import ModelSpec
from models.tabular_net.settings import TabularNet
from models.tasks import Binary, Regression
from models.trees.settings import Trees

PLAN = (
    "lead_minutes",
    "planned_duration_minutes",
    "local_hour",
    "local_minute",
    "local_weekday",
    "distance_miles",
    "num_seats",
    "aircraft_age_years",
    "num_planned_departures_same_hour",
    "num_planned_carrier_departures_same_hour",
    "num_planned_to_destination_same_hour",
    "num_previous_legs_same_day",
    "rotation_slack_minutes",
)
STATES = {
    "origin_states": (
        "num_departures_1h",
        "num_departures_3h",
        "departure_delay_minutes_mean_1h",
        "departure_delay_minutes_mean_3h",
        "departure_delay_minutes_mean_24h",
        "departure_late_rate_1h",
        "departure_late_rate_3h",
        "departure_late_rate_24h",
        "arrival_delay_minutes_mean_3h",
        "arrival_delay_minutes_mean_24h",
        "arrival_late_rate_3h",
        "num_cancellations_3h",
        "num_cancellations_24h",
        "num_planned_departures_next_1h",
        "num_planned_departures_next_3h",
        "num_overdue",
        "overdue_minutes_mean",
        "overdue_minutes_max",
    ),
    "origin_carrier_states": (
        "departure_delay_minutes_mean_3h",
        "departure_delay_minutes_mean_24h",
        "departure_late_rate_3h",
        "departure_late_rate_24h",
        "arrival_delay_minutes_mean_6h",
        "arrival_delay_minutes_mean_24h",
        "arrival_late_rate_24h",
        "num_cancellations_24h",
        "num_planned_departures_next_3h",
        "num_overdue",
        "overdue_minutes_mean",
    ),
    "destination_states": (
        "departure_delay_minutes_mean_6h",
        "num_arrivals_6h",
        "arrival_delay_minutes_mean_3h",
        "arrival_delay_minutes_mean_6h",
        "arrival_delay_minutes_mean_24h",
        "arrival_late_rate_6h",
        "arrival_late_rate_24h",
        "gained_minutes_mean_6h",
        "gained_minutes_mean_24h",
        "num_cancellations_6h",
        "num_cancellations_24h",
        "num_diversions_24h",
        "num_in_air",
        "departure_delay_minutes_mean_in_air",
        "num_overdue_arrivals",
        "overdue_arrival_minutes_mean",
        "num_overdue_departures",
        "overdue_departure_minutes_mean",
    ),
    "carrier_route_states": (
        "num_arrivals_28d",
        "late_rate_7d",
        "late_rate_28d",
        "cancellation_rate_28d",
        "arrival_delay_minutes_mean_7d",
        "arrival_delay_minutes_mean_28d",
        "departure_delay_minutes_mean_28d",
        "gained_minutes_mean_28d",
    ),
    "origin_weather_states": (
        "temperature_fahrenheit",
        "dew_point_fahrenheit",
        "humidity_percent",
        "wind_direction_degrees",
        "wind_speed_mph",
        "wind_gust_mph",
        "precipitation_inches",
        "pressure_millibars",
        "visibility_miles",
        "temperature_fahrenheit_change_3h",
        "pressure_millibars_change_3h",
        "precipitation_inches_sum_3h",
        "precipitation_inches_sum_6h",
        "wind_speed_mph_max_3h",
        "wind_gust_mph_max_6h",
        "visibility_miles_min_3h",
    ),
    "tail_states": (
        "last_departure_delay_minutes",
        "last_arrival_delay_minutes",
        "num_departures_3d",
        "departure_delay_minutes_mean_3d",
        "arrival_delay_minutes_mean_3d",
    ),
}
# What `derive` computes of the aircraft's rotation, in minutes.
ROTATION = (
    "previous_leg_has_left",
    "previous_leg_overdue_minutes",
    "previous_leg_delay_minutes",
    "rotation_slack_expected_minutes",
)

NUMERIC = (
    *PLAN,
    *(f"{state}__{feature}" for state, features in STATES.items() for feature in features),
    *ROTATION,
)
CATEGORICAL = ("origin", "carrier", "destination", "manufacturer")

COLUMNS = Columns(numeric=NUMERIC, categorical=CATEGORICAL)

MODELS = {
    "late": ModelSpec(columns=COLUMNS, task=Binary(), settings=TabularNet()),
    "minutes": ModelSpec(columns=COLUMNS, task=Regression(coverage=0.8), settings=Trees()),
}


def derive(table: pa.Table) -> pa.Table:
    """Decisions with their states [B rows], and the `ROTATION` of each: where its aircraft is.

    The newest movement of the aircraft tells of the planned previous leg only if it is that
    leg's. Until it is known to have left, it leaves at once at best.
    """
    minutes = {name: _minutes(table, name) for name in _INSTANTS}
    leg = _texts(table, "previous_leg_flight_id")
    has_leg, is_leg = leg != "", (leg != "") & (leg == _texts(table, "tail_states__last_flight_id"))
    delay = np.where(is_leg, _delay(table), np.nan)
    overdue = np.maximum(minutes["known_at"] - minutes["previous_leg_scheduled_departure_at"], 0)
    overdue = np.where(is_leg, 0, np.where(has_leg, overdue, np.nan))
    expected = np.where(is_leg, delay, overdue)
    computed = (
        np.where(has_leg, is_leg.astype(float), np.nan),
        overdue,
        delay,
        _floats(table, "rotation_slack_minutes") - expected,
    )
    for name, values in zip(ROTATION, computed, strict=True):
        table = table.append_column(name, pa.array(values, pa.float64(), from_pandas=True))
    return table


_INSTANTS = ("known_at", "previous_leg_scheduled_departure_at")


def _delay(table: pa.Table) -> Any:
    """Of the aircraft's last leg: its arrival's, else its departure's, minutes [B]."""
    arrival = _floats(table, "tail_states__last_arrival_delay_minutes")
    departure = _floats(table, "tail_states__last_departure_delay_minutes")
    return np.where(np.isnan(arrival), departure, arrival)


def _floats(table: pa.Table, name: str) -> Any:
    return table[name].cast(pa.float64()).to_numpy()


def _minutes(table: pa.Table, name: str) -> Any:
    """Minutes since 1970, NaN where null [B]."""
    micros = table[name].cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    return micros.cast(pa.float64(), safe=False).to_numpy() / 60e6


def _texts(table: pa.Table, name: str) -> Any:
    return table[name].fill_null("").to_numpy(zero_copy_only=False).astype(str)
