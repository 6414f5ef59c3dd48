with

movements as (
    {{ flight_movements(days=3) }}
),

-- A state at each instant at which something about the aircraft became known.
instants as (
    select distinct tail_number, known_at as instant
    from movements
    where tail_number is not null and {{ known_in_interval() }}
),

known as (
    select movements.*, instants.instant
    from instants
    inner join movements using (tail_number)
    where movements.known_at <= instants.instant and instants.instant < movements.valid_until
),

legs as (
    select
        tail_number,
        instant,
        flight_id,
        max_by(struct(*), struct(event_at, known_at, movement)) as newest,
        max(delay_minutes) filter (where movement = 'departed') as departure_delay_minutes,
        max(delay_minutes) filter (where movement = 'arrived') as arrival_delay_minutes,
        max(air_time_minutes) as air_time_minutes
    from known
    group by tail_number, instant, flight_id
),

aircraft as (
    select
        tail_number,
        instant as known_at,
        max_by(
            struct(*), struct(newest.event_at, newest.known_at, newest.movement, flight_id)
        ) as leg,
        count(departure_delay_minutes) as num_departures_3d,
        {{ mean_of('departure_delay_minutes') }} as departure_delay_minutes_mean_3d,
        {{ mean_of('arrival_delay_minutes') }} as arrival_delay_minutes_mean_3d
    from legs
    group by tail_number, instant
),

final as (
    select
        tail_number,
        known_at,
        leg.flight_id as last_flight_id,
        leg.newest.movement as last_movement,
        leg.newest.event_at as last_movement_at,
        leg.newest.origin as last_origin,
        leg.newest.destination as last_destination,
        leg.newest.scheduled_departure_at as last_scheduled_departure_at,
        leg.newest.scheduled_arrival_at as last_scheduled_arrival_at,
        leg.departure_delay_minutes as last_departure_delay_minutes,
        leg.arrival_delay_minutes as last_arrival_delay_minutes,
        leg.air_time_minutes as last_air_time_minutes,
        {{ minutes_between('leg.newest.scheduled_departure_at', 'leg.newest.scheduled_arrival_at') }}
            as last_planned_duration_minutes,
        if(
            leg.newest.movement in ('departed', 'arrived'),
            timestampadd(
                minute,
                coalesce(leg.arrival_delay_minutes, leg.departure_delay_minutes),
                leg.newest.scheduled_arrival_at
            ),
            null
        ) as last_expected_arrival_at,
        num_departures_3d,
        departure_delay_minutes_mean_3d,
        arrival_delay_minutes_mean_3d,
        to_date(known_at) as known_date
    from aircraft
)

select * from final
