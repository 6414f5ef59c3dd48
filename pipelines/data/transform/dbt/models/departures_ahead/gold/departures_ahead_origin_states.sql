{{ config(meta={'step_minutes': 1440}) }}

{%- set observed = [
    'temperature_fahrenheit', 'dew_point_fahrenheit', 'humidity_percent', 'wind_direction_degrees',
    'wind_speed_mph', 'wind_gust_mph', 'precipitation_inches', 'pressure_millibars', 'visibility_miles',
] %}
{%- set lately = [
    'num_cancellations_3h', 'num_cancellations_24h', 'departure_delay_minutes_mean_3h',
    'departure_delay_minutes_mean_6h', 'departure_delay_minutes_mean_24h', 'departure_delay_minutes_mean_72h',
] %}

with

observations as (
    {{ versions('departures_ahead_weather', key='origin, event_at', days=1) }}
),

-- An observation older than this says nothing about the weather now.
recent as (
    select *, known_at as from_at, least(valid_until, event_at + interval 6 hours) as to_at
    from observations
),

weather as (
    select
        origin,
        instant,
        {% for column in observed -%}
        max_by({{ column }}, event_at) as {{ column }},
        {% endfor -%}
        max_by(pressure_millibars, event_at)
            - min_by(pressure_millibars, event_at) as pressure_millibars_change_6h
    from ({{ at_instants('recent') }})
    group by origin, instant
),

airports as (
    select *
    from {{ ref('departures_ahead_series_states') }}
    where carrier = 'all' and {{ instants_of_interval() }}
),

final as (
    select
        airports.origin,
        airports.known_at,
        {% for column in lately -%}
        airports.{{ column }},
        {% endfor -%}
        {% for column in observed -%}
        weather.{{ column }},
        {% endfor -%}
        weather.pressure_millibars_change_6h,
        airports.known_date
    from airports
    left join weather on weather.origin = airports.origin and weather.instant = airports.known_at
)

select * from final
