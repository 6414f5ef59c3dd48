with

plans as (
    {{ deduplicated(source('bronze', 'flight_delays_schedule'), key='flight_id') }}
),

final as (
    select
        flight_id,
        carrier,
        flight_number,
        nullif(upper(trim(tail_number)), '') as tail_number,
        origin,
        destination,
        scheduled_departure_at,
        scheduled_arrival_at,
        {{ minutes_between('scheduled_departure_at', 'scheduled_arrival_at') }} as planned_duration_minutes,
        local_date,
        local_hour,
        local_minute,
        distance_miles,
        event_at,
        known_at,
        ingested_at,
        known_date
    from plans
)

select * from final
