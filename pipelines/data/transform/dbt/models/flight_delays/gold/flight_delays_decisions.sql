{{ config(meta={'instants': true}) }}

{%- set lead_minutes = 120 %}

with

flights as (
    {{ versions('flight_delays_flights', key='flight_id', days=3) }}
),

-- The evening before: the midnight (UTC) that begins the day of the flight; then two hours ahead.
decided as (
    select
        *,
        explode(
            array_distinct(
                array(
                    date_trunc('day', scheduled_departure_at),
                    scheduled_departure_at - interval {{ lead_minutes }} minutes
                )
            )
        ) as decided_at
    from flights
),

final as (
    select
        flight_id,
        decided_at as known_at,
        decided_at = date_trunc('day', scheduled_departure_at) as is_batch,
        {{ minutes_between('decided_at', 'scheduled_departure_at') }} as lead_minutes,
        carrier,
        tail_number,
        origin,
        destination,
        scheduled_departure_at,
        scheduled_arrival_at,
        planned_duration_minutes,
        local_hour,
        local_minute,
        local_weekday,
        distance_miles,
        manufacturer,
        num_seats,
        num_engines,
        aircraft_age_years,
        num_planned_departures_same_hour,
        num_planned_carrier_departures_same_hour,
        num_planned_to_destination_same_hour,
        num_previous_legs_same_day,
        previous_leg_flight_id,
        previous_leg_scheduled_departure_at,
        previous_leg_scheduled_arrival_at,
        rotation_slack_minutes,
        {{ date_of_instant('decided_at') }} as known_date
    from decided
    where
        known_at < decided_at
        and decided_at <= valid_until
        and decided_at > {{ instant(interval_start()) }}
        and decided_at <= {{ instant(interval_end()) }}
)

select * from final
