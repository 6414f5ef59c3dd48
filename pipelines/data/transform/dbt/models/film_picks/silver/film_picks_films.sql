with

films as (
    {{ deduplicated(source('bronze', 'film_picks_films'), key='film_id') }}
),

final as (
    select
        film_id,
        title,
        release_year,
        genres,
        event_at,
        known_at,
        ingested_at,
        known_date
    from films
)

select * from final
