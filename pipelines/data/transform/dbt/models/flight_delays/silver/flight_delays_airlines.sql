{{ config(meta={'snapshot': true}) }}

with

newest as (
    {{ newest_snapshot(source('bronze', 'flight_delays_airlines'), key='carrier') }}
),

final as (
    select
        carrier,
        name,
        known_at,
        ingested_at,
        known_date
    from newest
)

select * from final
