with

movements as (
    {{ deduplicated(source('bronze', 'departures_ahead_movements'), key='flight_id, movement') }}
),

final as (
    select
        flight_id,
        movement,
        carrier,
        origin,
        scheduled_departure_at,
        delay_minutes,
        event_at,
        known_at,
        ingested_at,
        known_date
    from movements
    -- What becomes of a flight after it left is no matter of its departure.
    where movement in ('departed', 'cancelled')
)

select * from final
