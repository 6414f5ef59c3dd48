{{ config(meta={'snapshot': true}) }}

with

newest as (
    {{ newest_snapshot(source('bronze', 'flight_delays_airports'), key='airport') }}
),

final as (
    select
        airport,
        name,
        latitude,
        longitude,
        altitude_feet,
        time_zone,
        known_at,
        ingested_at,
        known_date
    from newest
)

select * from final
