{{ config(meta={'step_minutes': 60}) }}

{%- set windows = {
    'departed': [6],
    'arrived': [3, 6, 24],
    'arrived_late': [6, 24],
    'gained': [6, 24],
    'cancelled': [6, 24],
    'diverted': [24],
} %}
{%- set keys = ['destination'] %}

with

{{ flight_totals(keys, windows) }},

departures_overdue as (
    {{ departures_overdue(keys) }}
),

flying as (
    {{ flights_in_air('movements') }}
),

in_air as (
    select
        destination,
        instant as known_at,
        count(*) as num_in_air,
        sum(departure_delay_minutes) / count(*) as departure_delay_minutes_mean_in_air
    from ({{ at_instants('flying') }})
    group by destination, instant
),

arrivals_overdue as (
    {{ overdue_at_instants('flying', keys) }}
),

final as (
    select
        destination,
        known_at,
        {{ mean('departed_6h') }} as departure_delay_minutes_mean_6h,
        num_arrived_6h as num_arrivals_6h,
        num_arrived_24h as num_arrivals_24h,
        {{ mean('arrived_3h') }} as arrival_delay_minutes_mean_3h,
        {{ mean('arrived_6h') }} as arrival_delay_minutes_mean_6h,
        {{ mean('arrived_24h') }} as arrival_delay_minutes_mean_24h,
        {{ rate('arrived', '6h') }} as arrival_late_rate_6h,
        {{ rate('arrived', '24h') }} as arrival_late_rate_24h,
        {{ mean('gained_6h') }} as gained_minutes_mean_6h,
        {{ mean('gained_24h') }} as gained_minutes_mean_24h,
        num_cancelled_6h as num_cancellations_6h,
        num_cancelled_24h as num_cancellations_24h,
        num_diverted_24h as num_diversions_24h,
        coalesce(num_in_air, 0) as num_in_air,
        departure_delay_minutes_mean_in_air,
        coalesce(arrivals_overdue.num_overdue, 0) as num_overdue_arrivals,
        coalesce(arrivals_overdue.overdue_minutes_mean, 0) as overdue_arrival_minutes_mean,
        coalesce(departures_overdue.num_overdue, 0) as num_overdue_departures,
        coalesce(departures_overdue.overdue_minutes_mean, 0) as overdue_departure_minutes_mean,
        {{ date_of_instant('known_at') }} as known_date
    from totals
    left join in_air using (destination, known_at)
    left join arrivals_overdue using (destination, known_at)
    left join departures_overdue using (destination, known_at)
    where num_published > 0
)

select * from final
