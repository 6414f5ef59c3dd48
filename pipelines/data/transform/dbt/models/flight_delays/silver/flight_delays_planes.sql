{{ config(meta={'snapshot': true}) }}

with

newest as (
    {{ newest_snapshot(source('bronze', 'flight_delays_planes'), key='tail_number') }}
),

final as (
    select
        upper(trim(tail_number)) as tail_number,
        year_built,
        manufacturer,
        model,
        num_engines,
        num_seats,
        known_at,
        ingested_at,
        known_date
    from newest
)

select * from final
