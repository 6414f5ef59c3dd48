with

movements as (
    {{ deduplicated(source('bronze', 'flight_delays_movements'), key='flight_id, movement') }}
),

final as (
    select
        flight_id,
        movement,
        carrier,
        flight_number,
        nullif(upper(trim(tail_number)), '') as tail_number,
        origin,
        destination,
        scheduled_departure_at,
        scheduled_arrival_at,
        delay_minutes,
        air_time_minutes,
        event_at,
        known_at,
        ingested_at,
        known_date
    from movements
)

select * from final
