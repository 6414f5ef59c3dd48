with

plans as (
    {{ versions('departures_ahead_schedule', key='flight_id', days=5) }}
),

movements as (
    {{ versions('departures_ahead_movements', key='flight_id, movement', days=5) }}
),

-- What is heard of an hour counts from its beginning, though a flight may leave early, and for
-- three days: the year's longest delay is 22 hours.
messages as (
    select
        origin,
        carrier,
        date_trunc('hour', scheduled_departure_at) as hour_at,
        kind,
        delay_minutes,
        known_at as message_at,
        greatest(known_at, date_trunc('hour', scheduled_departure_at)) as from_at,
        least(valid_until, date_trunc('hour', scheduled_departure_at) + interval 3 days) as to_at
    from (
        select origin, carrier, scheduled_departure_at, known_at, valid_until, 'planned' as kind, null as delay_minutes
        from plans
        union all
        select origin, carrier, scheduled_departure_at, known_at, valid_until, movement as kind, delay_minutes
        from movements
    )
),

-- Each airline's hours, and those of all airlines together.
by_midnight as (
    select
        origin,
        series as carrier,
        hour_at,
        instant,
        count_if(kind = 'planned') as num_planned,
        count_if(kind = 'departed') as num_departures,
        count_if(kind = 'cancelled') as num_cancellations,
        sum(delay_minutes) filter (where kind = 'departed') as departure_delay_minutes_sum,
        greatest(max(message_at) filter (where kind <> 'planned'), hour_at) as known_at
    from ({{ at_instants('messages') }})
    lateral view explode(array(carrier, 'all')) as series
    group by origin, series, hour_at, instant
),

-- A version a day on which something was heard; it is known since the last word of that day.
final as (
    select
        origin,
        carrier,
        hour_at,
        known_at,
        num_planned,
        num_departures,
        num_cancellations,
        departure_delay_minutes_sum,
        departure_delay_minutes_sum / nullif(num_departures, 0) as departure_delay_minutes_mean,
        num_departures + num_cancellations >= num_planned as is_complete,
        to_date(known_at) as known_date
    from by_midnight
    where num_departures + num_cancellations > 0 and known_at >= instant - interval 1 day
)

select * from final
