{{ config(meta={'instants': true}) }}

{%- set weeks = [168, 336, 504, 672] %}
{%- set days = range(24, 337, 24) | list + [504, 672] %}
{%- set measures = ['num_departures', 'num_cancellations', 'departure_delay_minutes_mean'] %}

with

plans as (
    {{ versions('departures_ahead_schedule', key='flight_id', days=3) }}
),

-- The next day's departures, planned at the midnight on which they are asked for.
published as (
    select
        origin,
        series as carrier,
        instant,
        hour(scheduled_departure_at) as utc_hour,
        count(flight_id) as num_planned
    from (
        {% set stretches -%} (
            select
                *,
                greatest(known_at, scheduled_departure_at - interval 1 day) as from_at,
                least(valid_until, scheduled_departure_at) as to_at
            from plans
        ) {%- endset %}
        {{ at_instants(stretches) }}
    )
    lateral view explode(array(carrier, 'all')) as series
    group by origin, series, instant, hour(scheduled_departure_at)
),

hours as (
    {{ versions('departures_ahead_hours', key='origin, carrier, hour_at', days=32) }}
),

-- The same hour of the last days by how many days ago it was, as known at each midnight.
history as (
    select
        origin,
        carrier,
        instant,
        hour(hour_at) as utc_hour,
        map_from_entries(
            collect_list(
                struct(
                    datediff(instant, hour_at) as num_days,
                    struct(
                        num_planned, num_departures, num_cancellations, departure_delay_minutes_mean
                    ) as value
                )
            )
        ) as days
    from (
        {% set stretches -%} (
            select *, known_at as from_at, least(valid_until, hour_at + interval 28 days) as to_at
            from hours
        ) {%- endset %}
        {{ at_instants(stretches) }}
    )
    group by origin, carrier, instant, hour(hour_at)
),

targets as (
    select
        *,
        instant + make_dt_interval(day_ahead, utc_hour) as target_hour_at,
        if(day_ahead = 0, num_planned, null) as num_planned_published
    from published
    full join history using (origin, carrier, instant, utc_hour)
    lateral view explode(array(0, 1, 2)) as day_ahead
),

lagged as (
    select
        origin,
        carrier,
        instant,
        target_hour_at,
        utc_hour + 1 + 24 * day_ahead as horizon_hours,
        -- Without a schedule for any flight, its publication is late; the calendar must do.
        max(num_planned_published) over (partition by origin, instant, day_ahead) is not null as is_published,
        num_planned_published as num_planned,
        {% for hours in weeks -%}
        {{ hours_before('num_planned', hours) }} as num_planned_{{ hours }}h_before,
        {% endfor -%}
        {% for measure in measures -%}
        {% for hours in days -%}
        {{ hours_before(measure, hours) }} as {{ measure }}_{{ hours }}h_before
        {{- ',' if not (loop.last and measure == measures[-1]) }}
        {% endfor -%}
        {% endfor -%}
    from targets
),

asked as (
    select
        *,
        coalesce(num_planned, {{ newest_lag('num_planned', weeks) }}) as num_planned_expected,
        if(is_published, num_planned / num_planned_168h_before, 1) as planned_ratio
    from lagged
    where if(is_published, num_planned, {{ newest_lag('num_planned', weeks) }}) > 0
),

final as (
    select
        origin,
        carrier,
        target_hour_at,
        horizon_hours,
        instant as known_at,
        true as is_batch,
        is_published,
        hour(from_utc_timestamp(target_hour_at, 'America/New_York')) as local_hour,
        weekday(from_utc_timestamp(target_hour_at, 'America/New_York')) + 1 as local_weekday,
        num_planned,
        num_planned_expected,
        max(if(carrier = 'all', num_planned_expected, null)) over (
            partition by origin, instant, target_hour_at
        ) as num_planned_expected_of_origin,
        {% for hours in weeks -%}
        num_planned_{{ hours }}h_before,
        {% endfor -%}
        {% for measure in measures -%}
        {% for hours in days -%}
        {{ measure }}_{{ hours }}h_before,
        {% endfor -%}
        {% endfor -%}
        -- What was a week before, by what is planned now for each flight that was planned then.
        coalesce(num_departures_168h_before * planned_ratio, num_planned, 0) as naive_num_departures,
        coalesce(num_cancellations_168h_before * planned_ratio, 0) as naive_num_cancellations,
        coalesce(
            {{ newest_lag('departure_delay_minutes_mean', weeks) }},
            max(if(carrier = 'all', departure_delay_minutes_mean_168h_before, null)) over (
                partition by origin, instant, target_hour_at
            ),
            0
        ) as naive_departure_delay_minutes_mean,
        {{ date_of_instant('instant') }} as known_date
    from asked
)

select * from final
