"""The models of departures_ahead: departures, cancellations and delay of the hours to come."""

import pyarrow as pa  # type: ignore[import-untyped]

from models.blend.settings import Blend
from models.columns import Columns
from models.linear_net.settings import LinearNet
from models.reconciled.settings import Reconciled
from models.spec import ModelSpec
from models.tasks import Forecast
from models.tasks.levels import Levels
from models.trees.settings import Trees

CALENDAR = ("horizon_hours", "is_published", "local_hour", "local_weekday")
PLAN = (
    "num_planned",
    "num_planned_expected",
    "num_planned_expected_of_origin",
    *(f"num_planned_{hours}h_before" for hours in (168, 336, 504, 672)),
)
# Hours before the target at which the same hour of a day is looked at.
LAGS = (*range(24, 337, 24), 504, 672)
WINDOWS = ("3h", "6h", "24h", "72h")
STATES = {
    "series_states": (
        *(f"num_cancellations_{window}" for window in WINDOWS),
        *(f"departure_delay_minutes_mean_{window}" for window in WINDOWS),
    ),
    "origin_states": (
        "num_cancellations_3h",
        "num_cancellations_24h",
        *(f"departure_delay_minutes_mean_{window}" for window in WINDOWS),
        "temperature_fahrenheit",
        "dew_point_fahrenheit",
        "humidity_percent",
        "wind_direction_degrees",
        "wind_speed_mph",
        "wind_gust_mph",
        "precipitation_inches",
        "pressure_millibars",
        "visibility_miles",
        "pressure_millibars_change_6h",
    ),
}
SERIES = ("origin", "carrier")

TREES = Trees(num_rounds=300, learning_rate=0.08, patience=20)


def history(measure: str) -> tuple[str, ...]:
    """The inputs that are the measure's own past, the newest first."""
    return tuple(f"{measure}_{hours}h_before" for hours in LAGS)


def columns(measure: str) -> Columns:
    """What a model of this measure is asked with: the plan, its own past, and the last hours."""
    states = (f"{state}__{name}" for state, names in STATES.items() for name in names)
    numeric = (*CALENDAR, *PLAN, f"naive_{measure}", *history(measure), *states)
    return Columns(numeric=numeric, categorical=SERIES)


def task(measure: str, *, minimum: float | None, weight: str | None) -> Forecast:
    """Airlines make their airport: by sum, or by the mean over their planned flights."""
    by = ("origin", "target_hour_at", "horizon_hours")
    return Forecast(
        naive=f"naive_{measure}",
        published="is_published",
        minimum=minimum,
        levels=Levels(column="carrier", whole="all", by=by, weight=weight),
    )


def learner(measure: str) -> Reconciled:
    """Trees and a linear net, blended, then made to add up."""
    net = LinearNet(history=history(measure), horizon="horizon_hours", calendar=("local_weekday",))
    return Reconciled(member=Blend(members={"trees": TREES, "net": net}))


def _spec(measure: str, *, minimum: float | None = 0.0, weight: str | None = None) -> ModelSpec:
    return ModelSpec(
        columns=columns(measure),
        task=task(measure, minimum=minimum, weight=weight),
        settings=learner(measure),
    )


MODELS = {
    "departures": _spec("num_departures"),
    "cancellations": _spec("num_cancellations"),
    "delay": _spec("departure_delay_minutes_mean", minimum=None, weight="num_planned_expected"),
}


def derive(table: pa.Table) -> pa.Table:
    """Decisions with their states [B rows]: the SQL has said all there is."""
    return table
