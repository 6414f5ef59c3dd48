with

observations as (
    {{ deduplicated(source('bronze', 'departures_ahead_weather'), key='origin, event_at') }}
),

final as (
    select
        origin,
        temperature_fahrenheit,
        dew_point_fahrenheit,
        humidity_percent,
        wind_direction_degrees,
        wind_speed_mph,
        wind_gust_mph,
        precipitation_inches,
        pressure_millibars,
        visibility_miles,
        event_at,
        known_at,
        ingested_at,
        known_date
    from observations
)

select * from final
