{{ config(meta={'step_minutes': 15}) }}

{%- set windows = {
    'departed': [1, 3, 24],
    'departed_late': [1, 3, 24],
    'arrived': [3, 24],
    'arrived_late': [3, 24],
    'cancelled': [3, 24],
} %}
{%- set keys = ['origin'] %}

with

{{ flight_totals(keys, windows, planned=[1, 3]) }},

queue as (
    {{ departures_overdue(keys) }}
),

final as (
    select
        origin,
        known_at,
        num_departed_1h as num_departures_1h,
        num_departed_3h as num_departures_3h,
        num_departed_24h as num_departures_24h,
        {{ mean('departed_1h') }} as departure_delay_minutes_mean_1h,
        {{ mean('departed_3h') }} as departure_delay_minutes_mean_3h,
        {{ mean('departed_24h') }} as departure_delay_minutes_mean_24h,
        {{ rate('departed', '1h') }} as departure_late_rate_1h,
        {{ rate('departed', '3h') }} as departure_late_rate_3h,
        {{ rate('departed', '24h') }} as departure_late_rate_24h,
        num_arrived_3h as num_arrivals_3h,
        num_arrived_24h as num_arrivals_24h,
        {{ mean('arrived_3h') }} as arrival_delay_minutes_mean_3h,
        {{ mean('arrived_24h') }} as arrival_delay_minutes_mean_24h,
        {{ rate('arrived', '3h') }} as arrival_late_rate_3h,
        {{ rate('arrived', '24h') }} as arrival_late_rate_24h,
        num_cancelled_3h as num_cancellations_3h,
        num_cancelled_24h as num_cancellations_24h,
        num_planned_1h as num_planned_departures_next_1h,
        num_planned_3h as num_planned_departures_next_3h,
        coalesce(num_overdue, 0) as num_overdue,
        coalesce(overdue_minutes_mean, 0) as overdue_minutes_mean,
        coalesce(overdue_minutes_max, 0) as overdue_minutes_max,
        {{ date_of_instant('known_at') }} as known_date
    from totals
    left join queue using (origin, known_at)
    where num_published > 0
)

select * from final
