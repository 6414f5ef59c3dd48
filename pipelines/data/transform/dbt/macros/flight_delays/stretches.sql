{#
    The stretches of time that the states of flights are made of (see macros/grid.sql), with the
    columns origin, carrier, destination, measure, from_at, to_at, value.
#}

{# A flight that was not heard of for this long is lost to the source, not delayed. #}
{% macro _lost_after() -%} interval 24 hours {%- endmacro %}

{% macro flight_plans(days) -%}
    {{ versions('flight_delays_schedule', key='flight_id', days=days) }}
{%- endmacro %}

{% macro flight_movements(days) -%}
    {{ versions('flight_delays_movements', key='flight_id, movement', days=days) }}
{%- endmacro %}

{#
    The CTEs that the states of flights begin with, `totals` last. It has the events of `windows`,
    what is planned for the next hours of `planned`, and whether a flight is `published`.
#}
{% macro flight_totals(keys, windows, planned=[], days=3) -%}
plans as (
    {{ flight_plans(days) }}
),

movements as (
    {{ flight_movements(days) }}
),

stretches as (
    {{ flight_events('movements', windows) }}
    union all
    {% if planned -%}
    {{ flights_planned('plans', planned) }}
    union all
    {% endif -%}
    {{ flights_published('plans') }}
),

totals as (
    {{ totals_at_instants('stretches', keys, measures(dict(windows, planned=planned)) + ['published']) }}
)
{%- endmacro %}

{#
    Events in a window of hours before the instant, such as {'departed': [1, 3]}; the measures are
    named `departed_1h`. Values: delays in minutes; of *_late whether it is above 15 minutes (0, 1);
    of `gained` the minutes made up in the air.
#}
{% macro flight_events(movements, windows) -%}
    select
        origin,
        carrier,
        destination,
        concat(event, '_', hours, 'h') as measure,
        from_at,
        least(valid_until, event_at + make_dt_interval(0, hours)) as to_at,
        value
    from (
        {{ _moved(movements) }}
        {% if 'gained' in windows -%}
        union all
        {{ _gained(movements) }}
        {% endif %}
    )
    inner join values
        {%- for event, hours in windows.items() %}
        {%- set outer_loop = loop %}
        {%- for hour in hours %}
        ('{{ event }}', {{ hour }}){{ ',' if not (loop.last and outer_loop.last) }}
        {%- endfor %}
        {%- endfor %}
        as windows(event, hours) using (event)
{%- endmacro %}

{% macro _moved(movements) -%}
    select
        origin,
        carrier,
        destination,
        event_at,
        known_at as from_at,
        valid_until,
        inline(array(
            named_struct('event', movement, 'value', coalesce(delay_minutes, 0)),
            named_struct('event', concat(movement, '_late'), 'value', if(delay_minutes > 15, 1, 0))
        ))
    from {{ movements }}
{%- endmacro %}

{% macro _gained(movements) -%}
    select
        arrived.origin,
        arrived.carrier,
        arrived.destination,
        arrived.event_at,
        greatest(arrived.known_at, departed.known_at) as from_at,
        least(arrived.valid_until, departed.valid_until) as valid_until,
        'gained' as event,
        departed.delay_minutes - arrived.delay_minutes as value
    from {{ movements }} as arrived
    inner join {{ movements }} as departed using (flight_id)
    where arrived.movement = 'arrived' and departed.movement = 'departed'
{%- endmacro %}

{# Whether a flight of the entity was published lately: the entities that have states at all. #}
{% macro flights_published(plans) -%}
    select
        origin,
        carrier,
        destination,
        'published' as measure,
        known_at as from_at,
        valid_until as to_at,
        0 as value
    from {{ plans }}
{%- endmacro %}

{# Departures planned for the next hours, such as [1, 3]: the measure `planned_1h`. #}
{% macro flights_planned(plans, hours) -%}
    select
        origin,
        carrier,
        destination,
        concat('planned_', hours, 'h') as measure,
        greatest(known_at, scheduled_departure_at - make_dt_interval(0, hours)) as from_at,
        least(valid_until, scheduled_departure_at) as to_at,
        0 as value
    from {{ plans }}
    lateral view explode(array({{ hours | join(', ') }})) as hours
{%- endmacro %}

{# Overdue at the origin: should have left, and is not known to have left or to be cancelled. #}
{% macro flights_overdue(plans, movements) -%}
    select
        plans.origin,
        plans.carrier,
        plans.destination,
        plans.scheduled_departure_at as due_at,
        greatest(plans.known_at, plans.scheduled_departure_at) as from_at,
        least(
            plans.valid_until,
            plans.scheduled_departure_at + {{ _lost_after() }},
            resolved.known_at
        ) as to_at
    from {{ plans }} as plans
    left join (
        select flight_id, min(known_at) as known_at from {{ movements }} group by flight_id
    ) as resolved using (flight_id)
{%- endmacro %}

{# In the air: known to have left, and not known to have landed. #}
{% macro flights_in_air(movements) -%}
    select
        departed.origin,
        departed.carrier,
        departed.destination,
        departed.scheduled_arrival_at as due_at,
        departed.delay_minutes as departure_delay_minutes,
        departed.known_at as from_at,
        least(
            departed.valid_until, departed.event_at + {{ _lost_after() }}, landed.known_at
        ) as to_at
    from {{ movements }} as departed
    left join (
        select flight_id, min(known_at) as known_at
        from {{ movements }}
        where movement in ('arrived', 'diverted')
        group by flight_id
    ) as landed using (flight_id)
    where departed.movement = 'departed'
{%- endmacro %}

{# How many flights are overdue at each instant, and for how long; `stretches` have `due_at`. #}
{% macro overdue_at_instants(stretches, keys) -%}
    select
        {{ keys | join(', ') }},
        instant as known_at,
        count(*) as num_overdue,
        sum(unix_seconds(instant) - unix_seconds(due_at)) / 60 / count(*) as overdue_minutes_mean,
        {{ minutes_between('min(due_at)', 'instant') }} as overdue_minutes_max
    from ({{ at_instants(stretches) }})
    where instant > due_at
    group by {{ keys | join(', ') }}, instant
{%- endmacro %}

{# The same of the departures of `plans`. #}
{% macro departures_overdue(keys) -%}
    {{ overdue_at_instants('(' ~ flights_overdue('plans', 'movements') ~ ')', keys) }}
{%- endmacro %}
