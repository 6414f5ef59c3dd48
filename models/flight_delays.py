"""The model of the first case: will this flight arrive more than 15 minutes late?"""

from models.columns import Columns
from models.spec import ModelSpec

NUMERIC = (
    "lead_minutes",
    "distance_miles",
    "local_hour",
    "departure_delay_minutes_mean_1h",
    "departure_delay_minutes_mean_3h",
    "departure_delay_minutes_mean_24h",
    "num_overdue",
    "num_cancelled_3h",
    "carrier_departure_delay_minutes_mean_3h",
    "arrival_delay_minutes_mean_6h",
    "late_rate_7d",
    "late_rate_28d",
    "previous_leg_delay_minutes",
    "temperature_fahrenheit",
    "wind_speed_mph",
    "precipitation_inches",
    "pressure_millibars",
    "visibility_miles",
)

CATEGORICAL = ("origin", "carrier", "destination")

MODEL = ModelSpec(
    name="flight_delays",
    columns=Columns(numeric=NUMERIC, categorical=CATEGORICAL, label="is_late"),
)
