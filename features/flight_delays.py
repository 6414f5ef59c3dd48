"""Features of flight_delays: a view an entity state, all of them in `flight_delays_v1`.

Delays, durations and times overdue are in minutes, rates are shares from 0 to 1, `num_` counts
flights, `_3h` is a window that ends at the state's instant. Each column's own words are in the
dbt YAML of its table; a contract test holds names and types equal.
"""

from datetime import timedelta

from feast import FeatureService

from features.define import bigints, floats, instants, ints, key, state_view, strings

origin = key("origin", "airport of departure, IATA code")
destination = key("destination", "airport of arrival, IATA code")
carrier = key("carrier", "airline, IATA code")
tail_number = key("tail_number", "aircraft, its registration")

origin_states = state_view(
    "flight_delays_origin_states",
    keys=[origin],
    ttl=timedelta(hours=1),
    description="Each airport of departure every 15 minutes: traffic, delays in minutes, queue",
    schema=[
        *bigints("num_departures_1h", "num_departures_3h", "num_departures_24h"),
        *floats("departure_delay_minutes_mean_1h", "departure_delay_minutes_mean_3h"),
        *floats("departure_delay_minutes_mean_24h"),
        *floats("departure_late_rate_1h", "departure_late_rate_3h", "departure_late_rate_24h"),
        *bigints("num_arrivals_3h", "num_arrivals_24h"),
        *floats("arrival_delay_minutes_mean_3h", "arrival_delay_minutes_mean_24h"),
        *floats("arrival_late_rate_3h", "arrival_late_rate_24h"),
        *bigints("num_cancellations_3h", "num_cancellations_24h"),
        *bigints("num_planned_departures_next_1h", "num_planned_departures_next_3h"),
        *bigints("num_overdue"),
        *floats("overdue_minutes_mean", "overdue_minutes_max"),
    ],
)

origin_carrier_states = state_view(
    "flight_delays_origin_carrier_states",
    keys=[origin, carrier],
    ttl=timedelta(hours=3),
    description="Each airline at each airport of departure every hour: traffic, delays in minutes",
    schema=[
        *bigints("num_departures_3h", "num_departures_24h"),
        *floats("departure_delay_minutes_mean_3h", "departure_delay_minutes_mean_24h"),
        *floats("departure_late_rate_3h", "departure_late_rate_24h"),
        *bigints("num_arrivals_24h"),
        *floats("arrival_delay_minutes_mean_6h", "arrival_delay_minutes_mean_24h"),
        *floats("arrival_late_rate_6h", "arrival_late_rate_24h"),
        *bigints("num_cancellations_24h", "num_planned_departures_next_3h", "num_overdue"),
        *floats("overdue_minutes_mean", "overdue_minutes_max"),
    ],
)

destination_states = state_view(
    "flight_delays_destination_states",
    keys=[destination],
    ttl=timedelta(hours=3),
    description="Each airport of arrival every hour, seen by flights from New York; minutes",
    schema=[
        *floats("departure_delay_minutes_mean_6h"),
        *bigints("num_arrivals_6h", "num_arrivals_24h"),
        *floats("arrival_delay_minutes_mean_3h", "arrival_delay_minutes_mean_6h"),
        *floats("arrival_delay_minutes_mean_24h"),
        *floats("arrival_late_rate_6h", "arrival_late_rate_24h"),
        *floats("gained_minutes_mean_6h", "gained_minutes_mean_24h"),
        *bigints("num_cancellations_6h", "num_cancellations_24h", "num_diversions_24h"),
        *bigints("num_in_air"),
        *floats("departure_delay_minutes_mean_in_air"),
        *bigints("num_overdue_arrivals"),
        *floats("overdue_arrival_minutes_mean"),
        *bigints("num_overdue_departures"),
        *floats("overdue_departure_minutes_mean"),
    ],
)

carrier_route_states = state_view(
    "flight_delays_carrier_route_states",
    keys=[carrier, origin, destination],
    ttl=timedelta(days=2),
    description="Each airline's route every midnight UTC: rates, delays in minutes over weeks",
    schema=[
        *bigints("num_arrivals_7d", "num_arrivals_28d"),
        *floats("late_rate_7d", "late_rate_28d", "cancellation_rate_28d"),
        *floats("arrival_delay_minutes_mean_7d", "arrival_delay_minutes_mean_28d"),
        *floats("departure_delay_minutes_mean_28d", "gained_minutes_mean_28d"),
    ],
)

origin_weather_states = state_view(
    "flight_delays_origin_weather_states",
    keys=[origin],
    ttl=timedelta(hours=1),
    description="The newest known weather at each airport of departure and its trend; US units",
    schema=[
        *floats("observation_age_minutes", "temperature_fahrenheit", "dew_point_fahrenheit"),
        *floats("humidity_percent", "wind_direction_degrees", "wind_speed_mph", "wind_gust_mph"),
        *floats("precipitation_inches", "pressure_millibars", "visibility_miles"),
        *floats("temperature_fahrenheit_change_3h", "pressure_millibars_change_3h"),
        *floats("precipitation_inches_sum_3h", "precipitation_inches_sum_6h"),
        *floats("wind_speed_mph_max_3h", "wind_gust_mph_max_6h", "visibility_miles_min_3h"),
    ],
)

tail_states = state_view(
    "flight_delays_tail_states",
    keys=[tail_number],
    ttl=timedelta(days=3),
    description="Each aircraft whenever a movement of it becomes known: its last leg, minutes",
    schema=[
        *strings("last_flight_id", "last_movement", "last_origin", "last_destination"),
        *instants("last_movement_at", "last_expected_arrival_at"),
        *instants("last_scheduled_departure_at", "last_scheduled_arrival_at"),
        *ints("last_departure_delay_minutes", "last_arrival_delay_minutes"),
        *ints("last_air_time_minutes"),
        *floats("last_planned_duration_minutes"),
        *bigints("num_departures_3d"),
        *floats("departure_delay_minutes_mean_3d", "arrival_delay_minutes_mean_3d"),
    ],
)

VIEWS = [
    origin_states,
    origin_carrier_states,
    destination_states,
    carrier_route_states,
    origin_weather_states,
    tail_states,
]

flight_delays_v1 = FeatureService(
    name="flight_delays_v1",
    features=list(VIEWS),
    description="What the first model of flight_delays may ask for",
)

OBJECTS = [origin, destination, carrier, tail_number, *VIEWS, flight_delays_v1]
