{{ config(meta={'step_minutes': 1440}) }}

{%- set windows = [3, 6, 24, 72] %}

with

hours as (
    {{ versions('departures_ahead_hours', key='origin, carrier, hour_at', days=4) }}
),

stretches as (
    select *, known_at as from_at, least(valid_until, hour_at + interval 3 days) as to_at
    from hours
),

final as (
    select
        origin,
        carrier,
        instant as known_at,
        {% for hours in windows -%}
        {%- set lately -%} filter (where hour_at >= instant - interval {{ hours }} hours) {%- endset -%}
        sum(num_departures) {{ lately }} as num_departures_{{ hours }}h,
        sum(num_cancellations) {{ lately }} as num_cancellations_{{ hours }}h,
        sum(departure_delay_minutes_sum) {{ lately }}
            / nullif(sum(num_departures) {{ lately }}, 0) as departure_delay_minutes_mean_{{ hours }}h,
        {% endfor -%}
        {{ date_of_instant('instant') }} as known_date
    from ({{ at_instants('stretches') }})
    group by origin, carrier, instant
)

select * from final
