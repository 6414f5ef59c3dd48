with

plans as (
    {{ flight_plans(days=3) }}
),

published as (
    select * from plans where {{ known_in_interval() }}
),

-- Whatever else is planned, as known when the flight was published.
same_hour as (
    select
        published.flight_id,
        published.known_at,
        count_if(plans.origin = published.origin) as num_planned_departures_same_hour,
        count_if(
            plans.origin = published.origin and plans.carrier = published.carrier
        ) as num_planned_carrier_departures_same_hour,
        count_if(plans.destination = published.destination) as num_planned_to_destination_same_hour
    from published
    inner join plans
        on date_trunc('hour', plans.scheduled_departure_at) = date_trunc('hour', published.scheduled_departure_at)
        and plans.known_at <= published.known_at
        and published.known_at < plans.valid_until
    group by published.flight_id, published.known_at
),

previous_legs as (
    select
        published.flight_id,
        published.known_at,
        max_by(
            struct(plans.*), struct(plans.scheduled_departure_at, plans.flight_id)
        ) as leg,
        count_if(plans.local_date = published.local_date) as num_previous_legs_same_day
    from published
    inner join plans
        on plans.tail_number = published.tail_number
        and plans.scheduled_departure_at < published.scheduled_departure_at
        and plans.known_at <= published.known_at
        and published.known_at < plans.valid_until
    group by published.flight_id, published.known_at
),

snapshots as (
    select distinct known_at as snapshot_at from {{ source('bronze', 'flight_delays_planes') }}
),

-- The newest snapshot published before the plan; where there was none yet, the first one: the
-- seats and the year of an aircraft do not change, and history is loaded with one snapshot only.
described_by as (
    select
        published.known_at,
        coalesce(max(snapshot_at) filter (where snapshot_at <= published.known_at), min(snapshot_at)) as snapshot_at
    from (select distinct known_at from published) as published
    cross join snapshots
    group by published.known_at
),

planes as (
    select
        upper(trim(tail_number)) as tail_number,
        known_at as snapshot_at,
        max(manufacturer) as manufacturer,
        max(num_seats) as num_seats,
        max(num_engines) as num_engines,
        max(year_built) as year_built
    from {{ source('bronze', 'flight_delays_planes') }}
    where
        known_date in (select to_date(snapshot_at) from described_by)
        and known_at in (select snapshot_at from described_by)
    group by upper(trim(tail_number)), known_at
),

final as (
    select
        published.flight_id,
        published.known_at,
        published.carrier,
        published.flight_number,
        published.tail_number,
        published.origin,
        published.destination,
        published.scheduled_departure_at,
        published.scheduled_arrival_at,
        published.planned_duration_minutes,
        published.local_date,
        published.local_hour,
        published.local_minute,
        weekday(published.local_date) + 1 as local_weekday,
        published.distance_miles,
        planes.manufacturer,
        planes.num_seats,
        planes.num_engines,
        year(published.local_date) - planes.year_built as aircraft_age_years,
        num_planned_departures_same_hour,
        num_planned_carrier_departures_same_hour,
        num_planned_to_destination_same_hour,
        coalesce(num_previous_legs_same_day, 0) as num_previous_legs_same_day,
        leg.flight_id as previous_leg_flight_id,
        leg.origin as previous_leg_origin,
        leg.destination as previous_leg_destination,
        leg.scheduled_departure_at as previous_leg_scheduled_departure_at,
        leg.scheduled_arrival_at as previous_leg_scheduled_arrival_at,
        -- The way back takes about as long as the way out; what is left is the slack.
        {{ minutes_between('leg.scheduled_arrival_at', 'published.scheduled_departure_at') }}
            - leg.planned_duration_minutes as rotation_slack_minutes,
        published.known_date
    from published
    inner join same_hour using (flight_id, known_at)
    left join previous_legs using (flight_id, known_at)
    left join described_by on described_by.known_at = published.known_at
    left join planes
        on planes.tail_number = published.tail_number
        and planes.snapshot_at = described_by.snapshot_at
)

select * from final
