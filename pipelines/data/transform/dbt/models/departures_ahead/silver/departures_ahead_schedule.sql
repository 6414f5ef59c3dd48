with

plans as (
    {{ deduplicated(source('bronze', 'departures_ahead_schedule'), key='flight_id') }}
),

final as (
    select
        flight_id,
        carrier,
        origin,
        scheduled_departure_at,
        event_at,
        known_at,
        ingested_at,
        known_date
    from plans
)

select * from final
