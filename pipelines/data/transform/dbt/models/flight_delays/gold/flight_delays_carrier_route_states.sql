{{ config(meta={'step_minutes': 1440}) }}

{%- set week, month = 7 * 24, 28 * 24 %}
{%- set windows = {
    'departed': [month],
    'arrived': [week, month],
    'arrived_late': [week, month],
    'gained': [month],
    'cancelled': [month],
} %}
{%- set keys = ['carrier', 'origin', 'destination'] %}

with

{{ flight_totals(keys, windows, days=28) }},

final as (
    select
        carrier,
        origin,
        destination,
        known_at,
        num_arrived_168h as num_arrivals_7d,
        num_arrived_672h as num_arrivals_28d,
        {{ rate('arrived', '168h') }} as late_rate_7d,
        {{ rate('arrived', '672h') }} as late_rate_28d,
        {{ mean('arrived_168h') }} as arrival_delay_minutes_mean_7d,
        {{ mean('arrived_672h') }} as arrival_delay_minutes_mean_28d,
        {{ mean('departed_672h') }} as departure_delay_minutes_mean_28d,
        {{ mean('gained_672h') }} as gained_minutes_mean_28d,
        num_cancelled_672h / nullif(num_cancelled_672h + num_departed_672h, 0) as cancellation_rate_28d,
        {{ date_of_instant('known_at') }} as known_date
    from totals
    where num_published > 0
)

select * from final
