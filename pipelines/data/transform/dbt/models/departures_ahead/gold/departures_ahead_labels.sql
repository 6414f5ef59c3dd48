{%- set days_ahead = 3 %}

with

hours as (
    select * from {{ ref('departures_ahead_hours') }} where {{ known_in_interval() }}
),

-- Forecasts are made at midnight, so that an hour is forecast once a day, by as many horizons.
final as (
    select
        origin,
        carrier,
        hour_at as target_hour_at,
        hour(hour_at) + 1 + 24 * day_ahead as horizon_hours,
        known_at,
        hour_at as event_at,
        num_departures,
        num_cancellations,
        departure_delay_minutes_mean,
        known_date
    from hours
    lateral view explode(sequence(0, {{ days_ahead - 1 }})) as day_ahead
    where is_complete
)

select * from final
