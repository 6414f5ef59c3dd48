{{ config(meta={'step_minutes': 15}) }}

with

observations as (
    {{ versions('flight_delays_weather', key='origin, event_at', days=1) }}
),

-- An observation older than this says nothing about the weather now.
recent as (
    select
        *,
        known_at as from_at,
        least(valid_until, event_at + interval 6 hours) as to_at
    from observations
),

observed as (
    {{ at_instants('recent') }}
),

final as (
    select
        origin,
        instant as known_at,
        {{ minutes_between('max(event_at)', 'instant') }} as observation_age_minutes,
        {% for column in [
            'temperature_fahrenheit', 'dew_point_fahrenheit', 'humidity_percent', 'wind_direction_degrees',
            'wind_speed_mph', 'wind_gust_mph', 'precipitation_inches', 'pressure_millibars', 'visibility_miles',
        ] -%}
        max_by({{ column }}, event_at) as {{ column }},
        {% endfor -%}
        {{ change('temperature_fahrenheit', hours=3) }} as temperature_fahrenheit_change_3h,
        {{ change('pressure_millibars', hours=3) }} as pressure_millibars_change_3h,
        {{ recent('sum', 'cast(precipitation_inches as decimal(9, 4))', hours=3) }} as precipitation_inches_sum_3h,
        {{ recent('sum', 'cast(precipitation_inches as decimal(9, 4))', hours=6) }} as precipitation_inches_sum_6h,
        {{ recent('max', 'wind_speed_mph', hours=3) }} as wind_speed_mph_max_3h,
        {{ recent('max', 'wind_gust_mph', hours=6) }} as wind_gust_mph_max_6h,
        {{ recent('min', 'visibility_miles', hours=3) }} as visibility_miles_min_3h,
        {{ date_of_instant('instant') }} as known_date
    from observed
    group by origin, instant
)

select * from final
