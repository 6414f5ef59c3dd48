with

movements as (
    select *
    from {{ ref('flight_delays_movements') }}
    where {{ known_in_interval() }}
),

final as (
    select
        flight_id,
        scheduled_departure_at,
        event_at,
        known_at,
        delay_minutes as arrival_delay_minutes,
        delay_minutes > 15 as is_late,
        known_date
    from movements
    where movement = 'arrived'
)

select * from final
